import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dropFuture, wakeAtOf } from '../../../shared/ledger/ahead.ts'
import type { Ledger, PolicyLedger } from '../../../shared/ledger/ledger.ts'
import { lossOf, parseLedger } from '../../../shared/ledger/parse-ledger.ts'
import type { Work } from '../../../shared/ledger/work.ts'
import { EVIL, type Path, pathsOf, replaced } from './malformed.ts'

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/state', name), 'utf8'))

/** As the first published version wrote it, in the midst of a slot, two copies and after a restore. */
const FORMER = fixture('ledger-2026-11.json') as Former
/** The same, in the form in which long work of all kinds stands in one place. */
const WRITTEN = formerly(FORMER)
const NOW = new Date('2026-11-21T03:09:30Z')

type Former = Omit<Ledger, 'work' | 'runs' | 'policies'> & {
  policies: Record<string, PolicyLedger & { doubtful?: string[] }>
  copies: Record<string, Work>
  restores?: Record<string, Work>
  runs: (Record<string, unknown> & { at: string; trigger: string; problems: string[]; thawed?: string[] })[]
}

/** What is to become of a ledger in which each kind of work had a place of its own. */
function formerly({ copies, restores = {}, runs, policies, ...rest }: Former): Ledger {
  const prefixed = (kind: string, entries: Record<string, Work>) =>
    Object.fromEntries(Object.entries(entries).map(([key, entry]) => [`${kind} ${key}`, entry]))
  return {
    ...rest,
    policies: Object.fromEntries(
      Object.entries(policies).map(([name, { doubtful, ...policy }]) => [
        name,
        doubtful === undefined ? policy : { ...policy, partial: doubtful },
      ]),
    ),
    work: { ...prefixed('restore', restores), ...prefixed('copy', copies) },
    runs: runs.map(({ at, trigger, problems, thawed, ...counts }) => ({
      ...{ at, trigger, problems, counts: counts as Record<string, number> },
      ...(thawed === undefined ? {} : { listed: { thawed } }),
    })),
  }
}

test.each([
  ['by the first published version', FORMER, NOW],
  [
    'just before, with copies, a restore and a thaw under way, and a snapshot that may be partial',
    fixture('ledger-before-rooms.json') as Former,
    new Date('2026-11-20T05:02:00Z'),
  ],
])('what was written %s is carried over whole', (_, former, now) => {
  expect(Object.keys(former.copies).length).toBeGreaterThan(1)
  expect(Object.keys(former.restores ?? {})).toHaveLength(1)
  const found = dropFuture(parseLedger(former), now)
  expect(found).toEqual({ ledger: formerly(former), lost: [] })
  expect(wakeAtOf(found.ledger, now)).toBe(wakeAtOf(former, now))
})

const read = (value: unknown) => dropFuture(parseLedger(value), NOW)

test('what is written now is read whole', () => {
  expect(read(WRITTEN)).toEqual({ ledger: WRITTEN, lost: [] })
  expect(wakeAtOf(WRITTEN, NOW)).toBe('2026-11-21T03:10:00.000Z')
})

test('what an earlier version doubted after a rollback counts beside what is noted as partial', () => {
  const daily = WRITTEN.policies.daily
  const [before, since] = ['main/default/db/daily-20261120T0300Z', 'main/default/web/daily-20261121T0300Z']
  const both = { ...daily, partial: [before], doubtful: [since, before] }
  const { ledger, lost } = read({ ...WRITTEN, policies: { daily: both } })
  expect(ledger?.policies).toEqual({ daily: { ...daily, partial: [before, since] } })
  expect(lost).toEqual([])
})

test('problems of the last look under their former name are carried over', () => {
  const covered = { 'main/default': 'web1' }
  const problems = ['main/default/web1: its pool is full']
  const found = read({ ...WRITTEN, sight: { covered, told: problems } })
  expect(found).toEqual({ ledger: { ...WRITTEN, sight: { covered, problems } }, lost: [] })
})

test('after an upgrade the first tick looks, whatever is due when: an earlier version did not look at roles', () => {
  const wakeAt = '2026-11-22T03:09:00.000Z'
  const now = new Date('2026-11-22T02:30:00Z')
  expect(wakeAtOf({ wakeAt, sight: { covered: {} } }, now)).toBeNull()
  expect(wakeAtOf({ wakeAt, sight: { covered: {}, roles: [] } }, now)).toBe(wakeAt)
})

test('what a later version adds is kept', () => {
  const [key = '', copy] = Object.entries(WRITTEN.work)[0] ?? []
  const work = {
    [key]: { ...copy, everVerified: ['a', 'b'], owner: { id: 'x' } },
    'drill main/default/web1': { state: 'running', attempts: 0, at: '2026-11-21T03:00:00.000Z', of: 'x' },
  }
  const later = { ...WRITTEN, work }
  expect(read(later)).toEqual({ ledger: later, lost: [] })
})

/** The parts that are lost alone: a policy, a copy, a restore, a run; else the member. */
const partOf = ([first, second]: Path): string =>
  first === 'policies' || first === 'work' || first === 'runs' ? `${first} ${second}` : String(first)

const partsOf = ({ policies, work, runs, ...rest }: Ledger): Map<string, unknown> =>
  new Map([
    ...Object.entries({ policies, work }).flatMap(([name, map]) =>
      Object.entries(map).map(([key, part]) => [`${name} ${key}`, part] as const),
    ),
    ...runs.map((run) => [`runs ${WRITTEN.runs.findIndex(({ at }) => at === run.at)}`, run] as const),
    ...Object.entries(rest),
  ])

describe('whatever stands in place of a part', () => {
  test.each(EVIL)('%s: nothing throws, all other parts survive, and the next write heals it', (evil) => {
    for (const path of pathsOf(WRITTEN)) {
      const found = read(replaced(WRITTEN, path, evil))
      if (path.length < 2) continue
      const { ledger } = found
      if (ledger === null) throw new Error(`all is lost by ${path.join('.')}`)
      const parts = partsOf(ledger)
      const changed = [...partsOf(WRITTEN)].flatMap(([part, before]) =>
        JSON.stringify(parts.get(part)) === JSON.stringify(before) ? [] : [part],
      )
      if (changed.some((part) => part !== partOf(path))) throw new Error(`${path.join('.')} costs ${changed}`)
      const { lost } = read(JSON.parse(JSON.stringify(ledger)))
      if (lost.length > 0) throw new Error(`${path.join('.')} is not healed: ${lost}`)
    }
  })

  test('of a policy the records, tries and doubts that are sound survive as well', () => {
    const daily = WRITTEN.policies.daily
    const broken = {
      ...daily,
      when: 7,
      slots: [{ slot: 'yesterday' }, ...(daily?.slots ?? [])],
      partial: [5, 'main/default/db/daily-20261120T0300Z'],
      open: { slot: daily?.open?.slot, attempts: { ...daily?.open?.attempts, 'main/default/web': 'twice' } },
    }
    const { ledger, lost } = read({ ...WRITTEN, policies: { ...WRITTEN.policies, daily: broken } })
    const { when: _, ...sound } = daily ?? {}
    expect(ledger?.policies.daily).toEqual({ ...sound, partial: ['main/default/db/daily-20261120T0300Z'] })
    expect(lost).toEqual([
      'the slots of policy daily: the one being served: the try of main/default/web',
      'the slots of policy daily: a try',
      'the slots of policy daily: their schedule',
      'the slots of policy daily: a record',
    ])
  })

  test('a slot being served that can’t be read is walked again', () => {
    const broken = { ...WRITTEN.policies.daily, open: { slot: 'now' } }
    const { ledger } = read({ ...WRITTEN, policies: { daily: broken } })
    expect(ledger?.policies.daily).toMatchObject({ accounted: '2026-11-21T02:59:59.999Z', open: null })
  })

  test('what isn’t a ledger at all is as if there were none', () => {
    for (const value of [null, 7, 'x', [], true])
      expect(read(value)).toEqual({ ledger: null, lost: ['all of it'] })
    expect(read({}).ledger).toMatchObject({ wakeAt: '1970-01-01T00:00:00.000Z', policies: {} })
  })

  test('names of every object are names like others', () => {
    const policies = JSON.parse('{"__proto__":{"accounted":1},"constructor":{"accounted":"x"}}')
    const { ledger, lost } = read({ ...WRITTEN, policies })
    expect(Object.keys(ledger?.policies ?? {})).toEqual([])
    expect(lost).toEqual(['the slots of policy __proto__', 'the slots of policy constructor'])
  })

  test('it is told in a sentence, however much it is', () => {
    expect(lossOf([])).toBeNull()
    expect(lossOf(Array.from({ length: 12 }, (_, at) => `copy ${at}`))).toMatch(
      /copy 9 and 2 more\. stapes rebuilds/,
    )
  })
})

test('of what an open slot has made, an entry that can’t be read is lost alone', () => {
  const open = { slot: '2026-11-21T02:00:00.000Z', attempts: {}, made: { a: 'daily-20261121T0200Z', b: 7 } }
  const daily = { accounted: open.slot, open, slots: [], owing: ['remote:main', null] }
  const { ledger, lost } = read({ ...WRITTEN, policies: { daily } })
  expect(ledger?.policies.daily).toMatchObject({
    owing: ['remote:main'],
    open: { made: { a: 'daily-20261121T0200Z' } },
  })
  expect(ledger?.policies.daily?.open?.made).not.toHaveProperty('b')
  expect(lost).toEqual([
    'the slots of policy daily: who is owed a first snapshot',
    'the slots of policy daily: the one being served: the snapshot of b',
  ])
})

describe('what lies ahead of now', () => {
  const SERVED = { slot: '2026-11-21T02:00:00.000Z', outcome: 'served', served: 1 }

  test('a moment to wake at further than an hour is none', () => {
    expect(wakeAtOf({ wakeAt: '2026-11-21T04:09:00.000Z' }, NOW)).toBe('2026-11-21T04:09:00.000Z')
    for (const wakeAt of ['9999', '9999-12-31T00:00:00.000Z', '2026-11-21T05:00:00.000Z', 7, null])
      expect(wakeAtOf({ wakeAt }, NOW)).toBeNull()
  })

  test('what a clock that was ahead has noted is not slept by', () => {
    const wakeAt = '2026-11-21T04:09:00.000Z'
    expect(wakeAtOf({ wakeAt, written: '2026-11-21T03:00:00.000Z' }, NOW)).toBe(wakeAt)
    expect(wakeAtOf({ wakeAt, written: '2026-11-21T08:01:00.000Z' }, NOW)).toBeNull()
  })

  test('slots that can’t have been accounted for yet are walked from the last record', () => {
    const hourly = {
      accounted: '2026-11-21T13:00:00.000Z',
      since: '2026-11-20T00:00:00.000Z',
      open: {
        slot: '2026-11-21T13:00:00.000Z',
        attempts: { 'main/default/db': { count: 1, reason: '', unseen: true } },
      },
      slots: [
        { slot: '2026-11-21T12:00:00.000Z', outcome: 'served', served: 1 },
        { slot: '2026-11-21T02:00:00.000Z', outcome: 'served', served: 1 },
      ],
    }
    const { ledger, lost } = read({ ...WRITTEN, policies: { hourly } })
    expect(ledger?.policies.hourly).toEqual({
      accounted: '2026-11-21T02:00:00.000Z',
      since: '2026-11-20T00:00:00.000Z',
      partial: ['main/default/db/hourly-20261121T1300Z'],
      open: null,
      slots: [hourly.slots[1]],
    })
    expect(lost).toEqual(['some slots of policy hourly: they were in the future'])
  })

  test('from when on snapshots are vouched for is left to whoever looks at them', () => {
    const daily = {
      accounted: '2026-11-21T02:00:00.000Z',
      since: '2099-01-01T00:00:00.000Z',
      open: null,
      slots: [],
    }
    for (const noted of [daily, { ...daily, accounted: '2026-11-21T13:00:00.000Z', slots: [SERVED] }])
      expect(read({ ...WRITTEN, policies: { daily: noted } }).ledger?.policies.daily).toMatchObject({
        accounted: '2026-11-21T02:00:00.000Z',
        since: daily.since,
      })
  })

  test('a try that was put off further than any is due now', () => {
    const [key = '', copy] = Object.entries(WRITTEN.work)[0] ?? []
    const far = '2026-11-29T00:00:00.000Z'
    const daily = WRITTEN.policies.daily
    const open = { slot: daily?.open?.slot, attempts: { a: { count: 1, reason: '', retryAt: far } } }
    const { ledger } = read({
      ...WRITTEN,
      policies: { daily: { ...daily, open } },
      work: { [key]: { ...copy, state: 'failed', at: far, retryAt: far } },
    })
    expect(ledger?.policies.daily?.open?.attempts.a?.retryAt).toBe(NOW.toISOString())
    expect(ledger?.work[key]).toMatchObject({ at: NOW.toISOString(), retryAt: NOW.toISOString() })
  })
})

test('an export or check that an earlier version noted for all stores at once is of its own store', () => {
  const work = { state: 'done', store: 'nas', job: 'j', attempts: 0, at: '2026-11-20T05:00:00.000Z' }
  const made = { ...work, snapshot: 's', name: '20261120T040000Z' }
  const read = (entries: object) => parseLedger({ ...formerly(FORMER), work: entries }).ledger?.work
  expect(read({ 'export main/default/web': made, 'check main/default/web': work })).toEqual({
    'export main/default/web>nas': made,
    'check main/default/web>nas': work,
  })
  const later = { ...made, name: '20261120T050000Z' }
  for (const entries of [
    { 'export main/default/web>nas': later, 'export main/default/web': made },
    { 'export main/default/web': made, 'export main/default/web>nas': later },
  ])
    expect(read(entries)).toEqual({ 'export main/default/web>nas': later })
})
