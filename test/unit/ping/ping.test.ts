/** What dead man’s switches are told, and in which form. */
import { describe, expect, test } from 'vitest'
import { requestOf } from '../../../functions/ping/request.ts'
import { COMES_AGAIN } from '../../../shared/ledger/beat.ts'
import { MOST, type Ping, type PingState, pingsOf, startsOf } from '../../../shared/ping/pings.ts'
import { parseConfig } from '../../../shared/policy/parse.ts'
import type { Policy } from '../../../shared/policy/policy.ts'
import type { Promised, PromiseState } from '../../../shared/promise/judge.ts'
import { toneOf, type Verdict } from '../../../shared/promise/verdict.ts'
import { configOf } from '../policy/instances.ts'

const NOW = new Date('2026-11-22T05:30:00Z')
const URL = { secret: 'PING_ALL' }
const HEALTHCHECKS = { type: 'healthchecks', url: URL, slug: true }

const policies = (names: readonly string[], ping: unknown = HEALTHCHECKS): Policy[] =>
  configOf(Object.fromEntries(names.map((name) => [name, { ping }]))).policies

const promised = (policy: string, state: PromiseState): Promised => ({
  ...{
    kind: 'snapshot',
    policy,
    subject: 'main/default/web',
    target: null,
    state,
    newest: null,
    keptShare: null,
  },
  ...{ until: null, since: '2026-11-22T05:00:00.000Z', reason: 'the pool is full' },
})
const verdictWith = (promises: Promised[], conditions: Verdict['conditions'] = []): Verdict => ({
  ...{ promises, conditions, tone: toneOf(promises, conditions) },
})
const told = (
  all: Policy[],
  verdict: Verdict,
  acted: string[] = [],
  now = NOW,
  { again } = COMES_AGAIN.cron as { again: number },
) =>
  pingsOf(all, verdict, { acted: new Set(acted), now, again }).map(
    ({ policy, state }) => `${policy} ${state}`,
  )

describe('the configuration', () => {
  const errorsOf = (ping: unknown) => {
    const parsed = parseConfig({
      defaults: { remotes: ['main'], schedule: '@hourly', ping },
      policies: { p: {} },
    })
    return parsed.ok ? [] : parsed.error.map(({ message }) => message)
  }

  test('names a secret, and has five minutes and no slug by default', () => {
    expect(policies(['p'], { type: 'uptime-kuma', url: URL })[0]?.ping).toEqual({
      ...{ type: 'uptime-kuma', secret: 'PING_ALL', slug: false, every: 300 },
    })
    expect(policies(['p'], false)[0]?.ping).toBeNull()
  })

  test.each([
    ['an address in its place', { type: 'healthchecks', url: 'https://hc-ping.com/x' }],
    ['a secret of another kind', { type: 'healthchecks', url: { secret: 'RELAY_KEY' } }],
    ['a service that is not known', { type: 'pager', url: URL }],
    ['a key that is not known', { ...HEALTHCHECKS, slugs: true }],
  ])('refuses %s', (_, ping) => {
    expect(errorsOf(ping)).not.toEqual([])
  })
})

describe('after a tick', () => {
  test('each policy for which it did something is told how its promises stand', () => {
    const verdict = verdictWith([promised('a', 'kept'), promised('b', 'broken'), promised('c', 'unknown')])
    expect(told(policies(['a', 'b', 'c']), verdict, ['a', 'b', 'c'])).toEqual(['a up', 'b down', 'c down'])
    const [, down] = pingsOf(policies(['a', 'b']), verdict, {
      ...{ acted: new Set(['a', 'b']), now: NOW, again: 60_000 },
    })
    expect(down?.text).toContain('main/default/web has no snapshot of b yet')
    expect(down?.text).not.toContain(' of a ')
  })

  test('what is wrong with all of it makes every one of them down', () => {
    const verdict = verdictWith(
      [promised('a', 'kept')],
      [
        {
          id: 'ticks',
          severity: 'critical',
          kind: 'all',
          about: null,
          text: 'no tick has come',
          since: null,
        },
      ],
    )
    expect(told(policies(['a']), verdict, ['a'])).toEqual(['a down'])
  })

  test('one of which nothing is promised, such as a paused one, is down', () => {
    const [paused] = policies(['a'])
    const pings = pingsOf([{ ...(paused as Policy), paused: true }], verdictWith([]), {
      ...{ acted: new Set(['a']), now: NOW, again: 60_000 },
    })
    expect(pings).toMatchObject([
      { state: 'down', text: expect.stringContaining('nothing is promised of a') },
    ])
  })

  test('the others have a turn at least each five minutes, not all at once', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const verdict = verdictWith(names.map((name) => promised(name, 'kept')))
    const minutes = Array.from({ length: 5 }, (_, at) =>
      told(policies(names), verdict, [], new Date(NOW.getTime() + at * 60_000)),
    )
    expect(minutes.flat().sort()).toEqual(names.map((name) => `${name} up`))
    expect(Math.max(...minutes.map((some) => some.length))).toBeLessThanOrEqual(2)
  })

  test('of very many each has its turn all the same, and no tick sends more than a few', () => {
    const names = Array.from({ length: 120 }, (_, at) => `p${at}`)
    const verdict = verdictWith(names.map((name) => promised(name, 'kept')))
    const minutes = Array.from({ length: 12 }, (_, at) =>
      told(policies(names), verdict, [], new Date(NOW.getTime() + at * 60_000)),
    )
    expect(new Set(minutes.flat()).size).toBe(120)
    expect(Math.max(...minutes.map((some) => some.length))).toBeLessThanOrEqual(MOST)
    expect(told(policies(names), verdict, names)).toHaveLength(MOST)
  })

  test.each([
    [1, 4, 5],
    [5, 4, 5],
    [15, 4, 15],
    [5, 15, 10],
    [15, 25, 60],
    [12, 36, 300],
  ])(
    'of an outside clock each %i minutes each of %i policies has its turn within %i',
    (clock, many, within) => {
      const names = Array.from({ length: many }, (_, at) => `p${at}`)
      const verdict = verdictWith(names.map((name) => promised(name, 'kept')))
      const pinged = new Set<string>()
      for (let minute = 0; minute < within; minute += clock) {
        const now = new Date(NOW.getTime() + minute * 60_000)
        const some = told(policies(names), verdict, [], now, COMES_AGAIN.tick)
        expect(some.length).toBeLessThanOrEqual(MOST)
        for (const one of some) pinged.add(one)
      }
      expect(pinged.size).toBe(many)
    },
  )

  test('only policies with a switch are told of a start', () => {
    const all = [...policies(['a']), ...policies(['b'], false)]
    expect(startsOf(all, new Set(['a', 'b']))).toMatchObject([{ policy: 'a', state: 'start' }])
  })
})

const ping = (state: PingState, more: Partial<Ping['settings']> = {}, text = ''): Ping => ({
  ...{ policy: 'daily', state, text },
  settings: { type: 'healthchecks', secret: 'PING_ALL', slug: false, every: 300, ...more },
})
const sent = (one: Ping, address: string) => requestOf(one, address, 'run-1')

describe('healthchecks.io', () => {
  test.each<[PingState, string]>([
    ['start', 'https://hc-ping.com/uuid/start?rid=run-1'],
    ['up', 'https://hc-ping.com/uuid?rid=run-1'],
    ['down', 'https://hc-ping.com/uuid/fail?rid=run-1'],
  ])('is told %s, with the run and the reason', (state, url) => {
    expect(sent(ping(state, {}, 'why'), 'https://hc-ping.com/uuid')).toEqual({
      method: 'POST',
      url,
      body: 'why',
    })
  })

  test('gets the policy’s name behind the address of a project, and makes the check', () => {
    expect(sent(ping('down', { slug: true }), 'https://hc-ping.com/key/')).toMatchObject({
      url: 'https://hc-ping.com/key/daily/fail?rid=run-1&create=1',
    })
  })
})

describe('Uptime Kuma', () => {
  const KUMA = 'https://kuma.example.org/api/push/x?status=up&msg=OK&ping='

  test('gets its push form, whatever form the address was copied in', () => {
    expect(sent(ping('up', { type: 'uptime-kuma' }), KUMA)).toEqual({
      ...{ method: 'GET', url: 'https://kuma.example.org/api/push/x?status=up&msg=OK&ping=' },
    })
    expect(sent(ping('down', { type: 'uptime-kuma' }, 'a & b\nc'), KUMA)).toMatchObject({
      url: 'https://kuma.example.org/api/push/x?status=down&msg=a+%26+b%3B+c&ping=',
    })
  })
})
