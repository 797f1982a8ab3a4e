/** How promises stand at a moment, and what of it is told. */
import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import type { Policy } from '../../../shared/policy/policy.ts'
import type { Fact, Facts } from '../../../shared/promise/facts.ts'
import { judgePromises } from '../../../shared/promise/judge.ts'
import { keptUntil, owedUntil } from '../../../shared/promise/terms.ts'
import { narrowTo, textsOf, verdictOf, visibleTo } from '../../../shared/promise/verdict.ts'
import { configOf } from '../policy/instances.ts'

const WEB = 'main/default/web'
const at = (time: string): Date => new Date(`2026-11-22T${time}Z`)
const seconds = (time: string): number => at(time).getTime() / 1000

const policyOf = (more: object = {}): Policy => {
  const [policy] = configOf({ hourly: { schedule: '@hourly', keep: { last: 9 }, ...more } }).policies
  if (policy === undefined) throw new Error('there is one')
  return policy
}
const factsOf = (fact: Fact, more: Partial<Facts> = {}): Facts => ({
  at: at('05:30:00').toISOString(),
  subjects: { hourly: { [WEB]: fact } },
  ...more,
})
const noted = (more: Partial<Ledger> = {}): Ledger => ({
  ...emptyLedger('v1'),
  wakeAt: at('06:00:00').toISOString(),
  written: at('05:30:00').toISOString(),
  ...more,
})
const TAKEN = `hourly-20261122T0500Z@${seconds('05:00:12')}`

describe('until when a snapshot keeps a promise', () => {
  test.each<[string, object, string, string]>([
    ['by the schedule: the next slot, and an hour', {}, 'snapshot', '07:00:00'],
    ['and two hours for its copy', {}, 'copy', '08:00:00'],
    ['and the delay that each instance may have', { jitter: '10m' }, 'snapshot', '07:10:00'],
    ['by its age, where that is promised', { promise: { snapshot: '90m' } }, 'snapshot', '06:30:12'],
    ['of the copy alone', { promise: { copy: '26h' } }, 'snapshot', '07:00:00'],
  ])('%s', (_, more, kind, until) => {
    const pair: [string, number] = ['hourly-20261122T0500Z', seconds('05:00:12')]
    const kept = keptUntil(policyOf({ copy: { remote: 'backup' }, ...more }), kind as 'snapshot', pair)
    expect(kept).toEqual(at(until))
  })

  test('over a weekend without slots it is kept until Monday', () => {
    const friday: [string, number] = ['work-20261120T0300Z', Date.parse('2026-11-20T03:00:05Z') / 1000]
    const terms = { ...policyOf({ schedule: '0 3 * * 1-5' }), name: 'work' }
    expect(keptUntil(terms, 'snapshot', friday)).toEqual(new Date('2026-11-23T04:00:00Z'))
  })

  test('by the policy’s zone, in the night that has an hour twice', () => {
    const terms = policyOf({ schedule: '30 2 * * *', timezone: 'Europe/Berlin' })
    const before: [string, number] = ['hourly-20261024T0030Z', Date.parse('2026-10-24T00:30:05Z') / 1000]
    expect(keptUntil(terms, 'snapshot', before)).toEqual(new Date('2026-10-25T01:30:00Z'))
  })

  test('a first one is owed from when it is covered', () => {
    expect(owedUntil(policyOf(), 'snapshot', at('05:00:00'))).toEqual(at('07:00:00'))
    expect(owedUntil(policyOf({ promise: { snapshot: '10m' } }), 'snapshot', at('05:00:00'))).toEqual(
      at('05:10:00'),
    )
  })
})

describe('a promise', () => {
  const stateOf = (fact: Fact, now: string, more: Partial<Facts> = {}, ledger: Ledger | null = noted()) => {
    const [promised] = judgePromises([policyOf()], { facts: factsOf(fact, more), ledger }, at(now))
    return promised
  }

  test('is kept until its moment, and broken after', () => {
    expect(stateOf({ taken: TAKEN }, '07:00:00')).toMatchObject({
      ...{ state: 'kept', until: at('07:00:00').toISOString(), since: null, reason: null },
      newest: { snapshot: 'hourly-20261122T0500Z', at: at('05:00:12').toISOString() },
    })
    const seen = { at: at('07:00:00').toISOString() }
    expect(stateOf({ taken: TAKEN }, '07:00:01', seen)).toMatchObject({
      ...{ state: 'broken', until: null, since: at('07:00:00').toISOString() },
      reason: 'no later one was seen by 2026-11-22T07:00:00.000Z',
    })
  })

  test('is not known where the last look is older than it allows', () => {
    expect(stateOf({ taken: TAKEN }, '07:30:00')).toMatchObject({ state: 'unknown' })
    const silent = { main: { since: at('05:10:00').toISOString(), reason: 'connect ECONNREFUSED' } }
    const away = stateOf({ taken: TAKEN }, '07:30:00', { at: at('07:29:00').toISOString(), silent })
    expect(away).toMatchObject({
      state: 'unknown',
      reason: 'main has given no answer since 2026-11-22T05:10:00.000Z: connect ECONNREFUSED',
    })
  })

  test('is pending while a first one is in time, and says what was tried when it is not', () => {
    const since = at('05:00:00').toISOString()
    expect(stateOf({ since }, '06:00:00')).toMatchObject({ state: 'pending', newest: null })
    const attempts = {
      [WEB]: { count: 3, reason: 'No space left on device', retryAt: at('06:05:00').toISOString() },
    }
    const open = { slot: at('05:00:00').toISOString(), attempts }
    const ledger = noted({ policies: { hourly: { accounted: open.slot, open, slots: [] } } })
    expect(stateOf({ since }, '07:00:01', { at: at('07:00:00').toISOString() }, ledger)).toMatchObject({
      state: 'broken',
      reason: 'No space left on device; next try at 2026-11-22T06:05:00.000Z',
    })
  })

  test('of a paused policy is none, and a copy is promised only where one is made', () => {
    const facts = factsOf({ taken: TAKEN })
    const judged = (policy: Policy) => judgePromises([policy], { facts, ledger: noted() }, at('05:30:00'))
    expect(judged(policyOf({ paused: true }))).toEqual([])
    expect(judged(policyOf()).map(({ kind }) => kind)).toEqual(['snapshot'])
    expect(judged(policyOf({ copy: { remote: 'backup' } }))).toMatchObject([
      { kind: 'snapshot', target: null },
      { kind: 'copy', target: 'backup/default/web', state: 'pending' },
    ])
  })
})

describe('the verdict', () => {
  const applied = { version: 'v1', appliedAt: '2026-11-01T00:00:00.000Z' }
  const verdict = (more: object = {}, facts: Facts | null = factsOf({ taken: TAKEN }), now = '05:31:00') =>
    verdictOf({ policies: [policyOf()], applied, ledger: noted(), facts, now: at(now), ...more })

  test('is good only where every promise is kept, and nothing else is wrong', () => {
    expect(verdict()).toMatchObject({ tone: 'good', conditions: [] })
    expect(textsOf(verdict())).toEqual([])
  })

  test('has for the record who left instances out, and stays good', () => {
    const leftOut = { 'excluded by its own user.stapes.exclude': 'main/default/lab' }
    const judged = verdict({}, factsOf({ taken: TAKEN }, { leftOut }))
    expect(judged.tone).toBe('good')
    expect(judged.conditions.map(({ severity, text }) => [severity, text])).toEqual([
      ['info', 'not backed up, because it is excluded by its own user.stapes.exclude: main/default/lab'],
    ])
  })

  test.each([
    [
      '0 3 * * * / ',
      'warning',
      'Incus itself takes snapshots as well, by snapshots.schedule "0 3 * * *", of main/prod/web: they have no snapshots.expiry, and stapes leaves them alone, so nothing removes them until the pool is full. If the policy is to do it alone: /backup take-over main/prod/web',
    ],
    [
      '@daily / 7d',
      'info',
      'Incus itself takes snapshots as well, by snapshots.schedule "@daily", of main/prod/web: they end by snapshots.expiry "7d", and stapes leaves them alone. If the policy is to do it alone: /backup take-over main/prod/web',
    ],
  ])("tells of Incus's own schedule beside a policy: %s", (group, severity, said) => {
    const judged = verdict({}, factsOf({ taken: TAKEN }, { scheduled: { [group]: 'main/prod/web' } }))
    expect(judged.tone).toBe(severity === 'warning' ? 'warning' : 'good')
    expect(judged.conditions).toMatchObject([{ severity, text: said }])
  })

  test('stays good where something is for the record only: a policy that never removes anything', () => {
    const endless = verdict({ policies: [policyOf({ keep: {} })] })
    expect(endless).toMatchObject({ tone: 'good', conditions: [{ id: 'endless hourly', severity: 'info' }] })
    expect(textsOf(endless)).toEqual([])
  })

  test.each<[string, object, Facts | null | undefined, RegExp]>([
    ['nothing was looked at', {}, null, /no tick has looked yet/],
    [
      'no tick has run',
      { ledger: null, applied: { version: 'v1', appliedAt: at('05:30:00').toISOString() } },
      null,
      /no tick has run yet/,
    ],
    ['there is no policy', { policies: [] }, undefined, /there are no policies/],
    [
      'all of them are paused',
      { policies: [policyOf({ paused: true })] },
      undefined,
      /every policy is paused/,
    ],
    [
      'a remote is silent',
      {},
      factsOf(
        { taken: TAKEN },
        { silent: { main: { since: at('05:30:00').toISOString(), reason: 'refused' } } },
      ),
      /^main has given no answer since 2026-11-22T05:30:00.000Z: refused$/,
    ],
    [
      'an instance is under no policy',
      {},
      factsOf({ taken: TAKEN }, { uncovered: { 'main/shop': 'db db2' } }),
      /^under no policy, so not backed up, are on main\/shop: db, db2\. .*incus config set db --project shop user\.stapes\.exclude=true$/,
    ],
    [
      'a copy failed for good',
      {
        policies: [policyOf({ copy: { remote: 'backup' } })],
        ledger: noted({
          work: {
            [`copy ${WEB}>backup/default/web`]: { state: 'failed', attempts: 1, at: 'x', reason: 'no' },
          },
        }),
      },
      undefined,
      /^the copy of main\/default\/web>backup\/default\/web failed \(1 try\): no$/,
    ],
    [
      'something was misplaced',
      { ledger: noted({ sight: { covered: {}, problems: ['web2: marks'] } }) },
      undefined,
      /^web2: marks$/,
    ],
    [
      'no tick comes',
      { ledger: noted({ wakeAt: at('05:20:00').toISOString(), written: at('05:20:00').toISOString() }) },
      undefined,
      /no tick has come for 11 min/,
    ],
  ])('is bad where %s', (_, more, facts = factsOf({ taken: TAKEN }), told) => {
    const judged = verdict(more, facts)
    expect(judged.tone).toBe('bad')
    expect(textsOf(judged)[0]).toMatch(told)
  })

  test('is bad where a promise is broken, and says what is still safe', () => {
    const judged = verdict(
      { ledger: noted({ wakeAt: at('08:00:00').toISOString() }) },
      factsOf({ taken: TAKEN }, { at: at('07:00:00').toISOString() }),
      '07:00:01',
    )
    expect(judged.tone).toBe('bad')
    expect(textsOf(judged)).toEqual([
      'main/default/web has no snapshot as young as hourly promises, since 2026-11-22T07:00:00.000Z: no later one was seen by 2026-11-22T07:00:00.000Z. The newest one is hourly-20261122T0500Z, of 2026-11-22T05:00:12.000Z',
    ])
  })

  test('is a warning where a first backup is still to come, or a policy covers nothing', () => {
    expect(verdict({}, factsOf({ since: at('05:30:00').toISOString() })).tone).toBe('warning')
    const policies = [policyOf(), { ...policyOf(), name: 'other' }, { ...policyOf(), name: 'fresh' }]
    const subjects = { hourly: { [WEB]: { taken: TAKEN } }, other: {} }
    const some = verdict({ policies }, { at: at('05:30:00').toISOString(), subjects })
    expect(some.tone).toBe('warning')
    expect(textsOf(some)).toEqual([
      'policy other covers no instance, so it backs up nothing',
      'no look has shown yet what policy fresh covers',
    ])
  })

  test('is bad where nothing at all is promised, and doesn’t say so of a server that gives no answer', () => {
    const empty = verdict({}, { at: at('05:30:00').toISOString(), subjects: { hourly: {} } })
    expect(empty.tone).toBe('bad')
    expect(textsOf(empty)).toEqual([
      'no active policy covers any instance, so nothing is backed up',
      'policy hourly covers no instance, so it backs up nothing',
    ])
    const silent = { main: { since: at('05:00:00').toISOString(), reason: 'no route' } }
    const away = verdict({}, { at: at('05:30:00').toISOString(), subjects: { hourly: {} }, silent })
    expect(textsOf(away)).toEqual([expect.stringContaining('main has given no answer')])
  })

  test('tells once that the newest verified snapshot of a copy is gone', () => {
    const policy = policyOf({ copy: { remote: 'backup' } })
    const fact = { taken: TAKEN, copied: `hourly-20261122T0400Z@${seconds('04:00:12')}`, lost: TAKEN }
    const judged = verdict({ policies: [policy] }, factsOf(fact))
    expect(judged).toMatchObject({ tone: 'bad', conditions: [{ id: 'lost backup/default/web' }] })
    expect(textsOf(judged)).toEqual([
      expect.stringMatching(
        /hourly-20261122T0500Z is gone from the copy backup\/default\/web, .*hourly-20261122T0400Z now/,
      ),
    ])
  })

  test('of what may be seen, or of one policy or instance, says nothing of the others', () => {
    const facts = factsOf(
      { taken: TAKEN },
      { subjects: { hourly: { [WEB]: { taken: TAKEN }, 'main/default/db': {} } } },
    )
    const all = verdict({}, facts)
    expect(all.tone).toBe('warning')
    const seen = visibleTo(all, (key) => key === WEB)
    expect(seen).toMatchObject({ tone: 'good', promises: [{ subject: WEB }] })
    expect(narrowTo(all, { subject: WEB }).tone).toBe('good')
    expect(narrowTo(all, { subject: 'main/default/db' }).tone).toBe('warning')
    expect(narrowTo(all, {})).toBe(all)
    expect(narrowTo(all, { subject: 'web' })).toEqual(narrowTo(all, { subject: WEB }))
    expect(narrowTo(all, { subject: 'default/db' }).tone).toBe('warning')
    expect(narrowTo(all, { subject: 'other/web' }).promises).toEqual([])
  })

  test('of one instance or policy says nothing of another policy that matches nothing', () => {
    const warnings = ['policy other: it matches no instance (db* on main), so it backs up nothing']
    const all = verdict({ ledger: noted({ sight: { covered: {}, warnings } }) }, factsOf({ taken: TAKEN }))
    expect(all).toMatchObject({ tone: 'warning', conditions: [{ about: 'other' }] })
    for (const only of [{ subject: WEB }, { policy: 'hourly' }]) expect(narrowTo(all, only).tone).toBe('good')
    expect(narrowTo(all, { policy: 'other' }).conditions).toHaveLength(2)
  })

  test('of one policy says nothing of what the relay keeps another one from doing', () => {
    const roles = ['policy other: nothing is copied to backup, because it is no target']
    const all = verdict({ ledger: noted({ sight: { covered: {}, roles } }) }, factsOf({ taken: TAKEN }))
    expect(all).toMatchObject({ tone: 'bad', conditions: [{ kind: 'policy', about: 'other' }] })
    expect(narrowTo(all, { policy: 'hourly' }).tone).toBe('good')
    expect(narrowTo(all, { policy: 'other' }).tone).toBe('bad')
  })

  test('names a server that could not be read for a slot, and no instance of that name', () => {
    const open = {
      slot: '2026-11-22T05:00:00.000Z',
      attempts: {
        'remote:main': { count: 3, at: '2026-11-22T05:02:00.000Z', reason: 'connect ECONNREFUSED' },
      },
    }
    const policies = { hourly: { open, slots: [] } } as unknown as Ledger['policies']
    const texts = textsOf(verdict({ ledger: noted({ policies }) }, factsOf({ taken: TAKEN })))
    expect(texts).toEqual([
      'main could not be read for the slot 2026-11-22T05:00:00.000Z of hourly yet (3 tries): connect ECONNREFUSED',
    ])
  })

  test('of what nothing is promised of, never says that all is well', () => {
    const all = verdict({}, factsOf({ taken: TAKEN }, { uncovered: { 'main/default': 'lab' } }))
    for (const only of [
      { subject: 'main/default/lab' },
      { policy: 'no-such' },
      { subject: WEB, policy: 'x' },
    ])
      expect(narrowTo(all, only)).toMatchObject({ tone: 'bad', promises: [] })
    expect(textsOf(narrowTo(all, { subject: 'main/default/lab' }))).toEqual([
      expect.stringMatching(/^nothing is promised of main\/default\/lab: no active policy covers it/),
    ])
    expect(narrowTo(all, { subject: WEB }).tone).toBe('good')
  })

  test('of a copy says what is promised of it, and that its remote is silent to both', () => {
    const policy = policyOf({ copy: { remote: 'backup' } })
    const facts = factsOf(
      { taken: TAKEN, copied: TAKEN },
      { silent: { backup: { since: '2026-11-22T05:00:00.000Z', reason: 'no route' } } },
    )
    const all = verdict({ policies: [policy] }, facts)
    expect(narrowTo(all, { subject: 'backup/default/web' }).promises).toMatchObject([{ kind: 'copy' }])
    for (const subject of [WEB, 'backup/default/web'])
      expect(narrowTo(all, { subject }).conditions).toMatchObject([{ id: 'remote backup' }])
  })
})
