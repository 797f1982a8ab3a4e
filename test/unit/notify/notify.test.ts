/** Who sends, of several ticks and of requests that can't wait; and what status and memory hold then. */
import { beforeEach, describe, expect, test } from 'vitest'
import { type Notifier, notify } from '../../../functions/notify/notify.ts'
import type { State } from '../../../functions/state/ledger.ts'
import { readNotices } from '../../../functions/state/notices.ts'
import { info, warning } from '../../../shared/doctor/finding.ts'
import { emptyLedger } from '../../../shared/ledger/ledger.ts'
import { parseConfig } from '../../../shared/policy/parse.ts'

const START = Date.parse('2026-11-22T06:00:00Z')

let now = START
let values: Map<string, string>
let refuses = false
let sent: string[]

const kv = (): State => ({
  get: async (key) => values.get(key) ?? null,
  put: async (key: string, value: unknown) => {
    if (refuses) throw new Error('KV PUT failed: 429')
    values.set(key, String(value))
  },
})

const notifierOf = (more: Partial<Notifier> = {}): Notifier => ({
  ...{
    state: kv(),
    known: kv(),
    vault: () => 'https://example.org/hook',
    now: () => new Date(now),
    settled: 65_000,
  },
  post: async ({ body }) => {
    sent.push(body)
    return { status: 200, text: 'ok', retryAfter: null }
  },
  wait: async (ms) => {
    now += ms
  },
  nonce: () => `${Math.floor(now / 1000)} ${sent.length}`,
  wrong: () => [],
  memory: new Map(),
  calm: { read: '', until: 0 },
  unwritten: { open: {} },
  ...more,
})

beforeEach(() => {
  now = START
  refuses = false
  sent = []
  const document = {
    policies: { hourly: { remotes: ['main'], schedule: '@hourly' } },
    notify: { ops: { type: 'slack', url: { secret: 'NOTIFY_OPS' } } },
  }
  const config = parseConfig(document)
  if (!config.ok) throw new Error('it is sound')
  const stored = { version: 'v', appliedAt: new Date(START).toISOString(), document, config: config.value }
  values = new Map([['config', JSON.stringify(stored)]])
})

describe('the first digest of a week', () => {
  const WEEK = 7 * 86_400_000

  /** Two channels have got the digest before, and `examine` is what the doctor says. */
  const digestsWith = async (examine: NonNullable<Notifier['examine']>): Promise<number> => {
    let asked = 0
    const document = {
      policies: { hourly: { remotes: ['main'], schedule: '@hourly' } },
      notify: {
        ops: { type: 'slack', url: { secret: 'NOTIFY_OPS' }, digest: '0 7 * * *', severity: 'critical' },
        team: { type: 'slack', url: { secret: 'NOTIFY_TEAM' }, digest: '0 7 * * *', severity: 'critical' },
      },
    }
    const config = parseConfig(document)
    if (!config.ok) throw new Error('it is sound')
    const stored = { version: 'v', appliedAt: new Date(START).toISOString(), document, config: config.value }
    values.set('config', JSON.stringify(stored))
    await notify(notifierOf())
    sent = []
    now += WEEK
    const counted = (): ReturnType<typeof examine> => {
      asked += 1
      return examine()
    }
    await notify(notifierOf({ examine: counted }))
    return asked
  }
  const digests = (): string[] => sent.filter((body) => body.includes('Backups: '))

  test('brings a line for each finding but notes, and asks all parties once', async () => {
    const findings = [
      warning('pool-restores', 'main/default', 'zfs restores only the newest', 'clone instead'),
      info('kv-writes', null, 'about 200 a day', 'nothing'),
    ]
    const asked = await digestsWith(async () => ({ tone: 'warning', findings, fine: [] }))
    expect([asked, digests().length]).toEqual([1, 2])
    for (const body of digests()) {
      expect(body).toMatch(/The doctor: 1 warning and 1 note/)
      expect(body).toMatch(/pool-restores.*zfs restores only the newest\. To do: clone instead/)
      expect(body).not.toContain('about 200 a day')
    }
  })

  test('says so where the doctor could not look, and comes all the same', async () => {
    await digestsWith(() => Promise.reject(new Error('KV is away')))
    expect(digests()).toHaveLength(2)
    for (const body of digests()) expect(body).toContain('The doctor could not look')
  })
})

describe('a tick', () => {
  test('that knows of something writes that it will send, waits, and sends it once', async () => {
    await notify(notifierOf())
    expect(sent).toHaveLength(1)
    expect(now - START).toBe(65_000)
    const { claim, open } = await readNotices(kv(), new Date(now))
    expect(claim).toBeUndefined()
    expect(Object.values(open).flatMap(({ told }) => Object.keys(told))).toContain('ops')
    await notify(notifierOf())
    expect(sent).toHaveLength(1)
  })

  test('leaves it to one that is about to, and takes it over when that one was ended', async () => {
    const claim = { by: 'another', at: new Date(START - 60_000).toISOString(), kind: 'waits' }
    values.set('notices', JSON.stringify({ open: {}, channels: {}, claim }))
    await notify(notifierOf())
    expect(sent).toEqual([])
    now = START + 180_000
    await notify(notifierOf())
    expect(sent).toHaveLength(1)
  })

  test('sends nothing when another has written meanwhile', async () => {
    const wait = async (ms: number): Promise<void> => {
      now += ms
      const { open, channels } = await readNotices(kv(), new Date(now))
      const claim = { by: 'another', at: new Date(now).toISOString(), kind: 'waits' }
      values.set('notices', JSON.stringify({ open, channels, claim }))
    }
    await notify(notifierOf({ wait }))
    expect(sent).toEqual([])
  })

  test('sends once for its process while KV takes no writes', async () => {
    refuses = true
    const memory: Notifier['memory'] = new Map()
    const unwritten: Notifier['unwritten'] = { open: {} }
    for (const _ of [1, 2, 3]) await notify(notifierOf({ memory, unwritten }))
    expect(sent).toHaveLength(1)
    refuses = false
    for (const _ of [1, 2]) await notify(notifierOf({ memory, unwritten }))
    expect(sent).toHaveLength(1)
    const told = Object.values((await readNotices(kv(), new Date(now))).open).flatMap((one) =>
      Object.keys(one.told),
    )
    expect(told).toEqual(['ops'])
  })

  test('sends it again only if the first try failed', async () => {
    let status = 500
    const post: Notifier['post'] = async ({ body }) => {
      sent.push(body)
      return { status, text: '', retryAfter: null }
    }
    await notify(notifierOf({ post }))
    await notify(notifierOf({ post }))
    expect(sent).toHaveLength(1)
    now += 60_000
    status = 200
    await notify(notifierOf({ post }))
    await notify(notifierOf({ post }))
    expect(sent).toHaveLength(2)
    expect(sent[1]).toBe(sent[0])
  })
})

describe('a request, which can’t wait', () => {
  test('leaves a note, and a later one sends', async () => {
    await notify(notifierOf({ wait: null }))
    expect(sent).toEqual([])
    now += 60_000
    await notify(notifierOf({ wait: null }))
    expect(sent).toEqual([])
    now += 60_000
    await notify(notifierOf({ wait: null }))
    await notify(notifierOf({ wait: null }))
    expect(sent).toHaveLength(1)
  })

  test.each([
    ['soon', 10_000, 65_000],
    ['so late that the next request may come first', 50_000, 130_000],
  ])('and that never comes again, is relieved by a cron trigger: %s', async (_, after, waits) => {
    await notify(notifierOf({ wait: null }))
    now += after
    await notify(notifierOf())
    expect(sent).toHaveLength(1)
    expect(now - START).toBe(after + waits)
  })

  test.each([1, 30, 59])(
    'and a cron trigger %i s after it send one message, though KV is read late',
    async (behind) => {
      await notify(notifierOf({ wait: null }))
      const old = values.get('notices') ?? ''
      let asked = false
      // The next request reads what KV had a minute ago, and comes as late as that is possible.
      const wait = async (ms: number): Promise<void> => {
        const from = now
        const late = Math.max(START + 97_500, from)
        if (!asked && late - from < 60_000) {
          asked = true
          now = late
          const stale = async (key: string): Promise<string | null> =>
            key === 'notices' ? old : kv().get(key)
          const reading = { ...kv(), get: stale }
          await notify(notifierOf({ wait: null, state: reading, known: reading }))
        }
        now = from + ms
      }
      now += behind * 1000
      await notify(notifierOf({ wait }))
      expect(sent).toHaveLength(1)
      expect(asked).toBe(behind > 37)
    },
  )
})

test('a promise that time alone breaks is told at the next tick, though nothing has changed in KV', async () => {
  const pair = `hourly-20261122T0600Z@${START / 1000 + 5}`
  const at = (minutes: number): string => new Date(START + minutes * 60_000).toISOString()
  // The last look is as late as may be, so that it alone is not too old.
  values.set(
    'promises',
    JSON.stringify({ at: at(15), subjects: { hourly: { 'main/default/web': { taken: pair } } } }),
  )
  values.set('ledger', JSON.stringify({ ...emptyLedger('v'), wakeAt: at(180), written: at(119) }))
  const calm: Notifier['calm'] = { read: '', until: 0 }
  for (let minute = 0; minute <= 121; minute++) {
    now = START + minute * 60_000
    await notify(notifierOf({ calm }))
    if (minute === 120) expect(sent).toEqual([])
  }
  expect(sent).toEqual([expect.stringContaining('main/default/web has no snapshot as young as hourly')])
})

test('notices that can’t be read, or in part, keep nothing from being told', async () => {
  for (const broken of ['{', 'null', '[]', '{"open":{"x":1},"channels":{"ops":{"as":{}}},"claim":7}']) {
    values.set('notices', broken)
    sent = []
    await notify(notifierOf())
    expect(sent).toHaveLength(1)
  }
})

test('without channels four keys are read, once each, and nothing is written', async () => {
  const stored = JSON.parse(values.get('config') ?? '') as { config: object; document: object }
  const { notify: _, ...bare } = stored.document as Record<string, unknown>
  values.set('config', JSON.stringify({ ...stored, document: bare }))
  const read: string[] = []
  const state = kv()
  const get: State['get'] = (key) => {
    read.push(key)
    return state.get(key)
  }
  const counted = { ...state, get }
  await notify(notifierOf({ state: counted, known: counted }))
  expect(read.sort()).toEqual(['config', 'ledger', 'notices', 'promises'])
  expect(values.has('notices')).toBe(false)
})

test('of many at once each channel gets its first in one tick, and the critical ones come first', async () => {
  const names = Array.from({ length: 9 }, (_, at) => `ops${at}`)
  const document = {
    policies: { hourly: { remotes: ['main'], schedule: '@hourly' } },
    notify: Object.fromEntries(names.map((name) => [name, { type: 'slack', url: { secret: 'NOTIFY_OPS' } }])),
  }
  const config = parseConfig(document)
  if (!config.ok) throw new Error('it is sound')
  const long = new Date(START - 3_600_000).toISOString()
  const silent = { main: { since: long, reason: 'connect ECONNREFUSED' } }
  const stored = { version: 'v', appliedAt: long, document, config: config.value }
  values.set('config', JSON.stringify(stored))
  values.set('ledger', JSON.stringify({ ...emptyLedger('v'), wakeAt: long, written: long }))
  values.set('promises', JSON.stringify({ at: long, subjects: {}, silent }))
  const tellings = Object.fromEntries(
    names.map((name) => [name, { at: long, times: 1, severity: 'warning' }]),
  )
  const over = { since: long, began: long, title: 'it was', members: [], gone: long, told: tellings }
  values.set('notices', JSON.stringify({ open: { x: over }, channels: {} }))
  const got: { url: string; title: string }[] = []
  const post: Notifier['post'] = async ({ url, body }) => {
    got.push({ url, title: (JSON.parse(body) as { text: string }).text })
    return { status: 200, text: 'ok', retryAfter: null }
  }
  await notify(notifierOf({ post }))
  expect(got.length).toBe(9)
  expect(got.filter(({ title }) => title.includes('Over after'))).toEqual([])
})
