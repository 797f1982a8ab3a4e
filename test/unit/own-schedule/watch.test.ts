/** Which of Incus's own slots it served, by what is listed. */
import { describe, expect, test } from 'vitest'
import type { OwnSchedule, SnapshotPair } from '../../../shared/incus/inventory.ts'
import type { OwnLedger } from '../../../shared/ledger/ledger.ts'
import { readForm } from '../../../shared/own-schedule/form.ts'
import { watchSchedules } from '../../../shared/own-schedule/watch.ts'
import { recordOf, replyOf, type Sketch } from '../policy/instances.ts'

const WEB = 'main/default/web'
const MINUTE = 60_000
const DAY = '2026-11-22'

const at = (time: string): number => Date.parse(time.includes('T') ? `${time}:00Z` : `${DAY}T${time}:00Z`)
const pairs = (...times: string[]): SnapshotPair[] =>
  times.map((time, index) => [`snap${index}`, at(time) / 1000])

type Look = Sketch & {
  server?: { zone?: number; skew?: number }
  busy?: boolean
  also?: Record<string, Sketch>
}

const own = (schedule: string, more: Partial<OwnSchedule> = {}): Pick<Sketch, 'scheduled'> => ({
  scheduled: { schedule, expiry: '', ...more },
})

function look(time: string, sketch: Look | null, before?: Record<string, OwnLedger>) {
  const { server = { zone: 0 }, busy = false, also = {}, ...web } = sketch ?? {}
  const reply = replyOf([
    recordOf('web', web),
    ...Object.entries(also).map(([name, one]) => recordOf(name, one)),
  ])
  if (reply.ok) {
    Object.assign(reply.inventory.server, server)
    if (busy)
      reply.inventory.operations = [
        { id: 'o', description: 'Snapshotting instance', project: 'default', instances: [], snapshots: [] },
      ]
  }
  const silent = { ok: false, error: { code: 'unreachable', message: 'down' } } as const
  return watchSchedules({ remotes: { main: sketch === null ? silent : reply } }, before, new Date(at(time)))
}

/** First seen at 00:00, then as it is at a later time. */
function later(time: string, sketch: Look, first: Look = { ...sketch, snapshots: [] }) {
  const { incus } = look('00:00', first)
  return look(time, sketch, incus)
}

const outcomes = ({ incus }: { incus: Record<string, OwnLedger> }): string[] =>
  (incus.main?.slots ?? []).map(({ slot, outcome }) => `${slot.slice(11, 16)} ${outcome}`)
const missed = ({ incus }: { incus: Record<string, OwnLedger> }) => incus.main?.subjects[WEB]?.missed

describe("Incus's own schedule", () => {
  test('counts a snapshot of the minute before as that of the slot', () => {
    const seen = later('03:01', { ...own('0 3 * * *'), snapshots: [['snap0', at('02:59') / 1000 + 23]] })
    expect(outcomes(seen)).toEqual(['03:00 served'])
    expect(missed(seen)).toBeUndefined()
  })

  test('has missed a slot when a minute later nothing is there, and not before', () => {
    expect(outcomes(later('03:00', own('0 3 * * *')))).toEqual([])
    const seen = later('03:01', own('0 3 * * *'))
    expect(outcomes(seen)).toEqual(['03:00 missed'])
    expect(missed(seen)).toBe(`${DAY}T03:00:00.000Z`)
  })

  test('is looked at a minute after its next slot, and each minute where that is soon', () => {
    expect(later('01:00', own('0 3 * * *')).wake).toEqual([`${DAY}T03:01:00.000Z`])
    expect(later('02:59', own('0 3 * * *')).wake).toEqual([`${DAY}T03:00:00.000Z`])
  })

  test("isn't taken for served by what a policy took, or what has another name than its pattern gives", () => {
    const snapshots: SnapshotPair[] = [
      [`daily-20261122T0259Z`, at('02:59') / 1000],
      ['mine', at('02:59') / 1000],
    ]
    expect(outcomes(later('03:01', { ...own('0 3 * * *'), snapshots }))).toEqual(['03:00 missed'])
    const named = own('0 3 * * *', { pattern: "auto-{{ creation_date|date:'2006' }}.%d" })
    const mine: SnapshotPair[] = [['auto-2026.7', at('02:59') / 1000]]
    expect(outcomes(later('03:01', { ...named, snapshots: mine }))).toEqual(['03:00 served'])
  })

  test('follows the wall clock of its server', () => {
    const berlin = { ...own('0 3 * * *'), server: { zone: 60 } }
    expect(outcomes(later('02:01', { ...berlin, snapshots: pairs('01:59') }))).toEqual(['02:00 served'])
    expect(outcomes(later('02:01', berlin))).toEqual(['02:00 missed'])
    const kolkata = { ...own('0 3 * * *'), server: { zone: 330 } }
    expect(outcomes(later(`${DAY}T21:31`, kolkata))).toEqual(['21:30 missed'])
  })

  test("isn't judged while that isn't known, nor for the time before it was", () => {
    const { incus } = look('00:00', { ...own('0 3 * * *'), server: {} })
    const unknown = look('04:00', { ...own('0 3 * * *'), server: {} }, incus)
    expect(outcomes(unknown)).toEqual([])
    expect(outcomes(look('04:05', own('0 3 * * *'), unknown.incus))).toEqual([])
  })

  test('is none of the night on which the clocks change, until the zone was seen again', () => {
    const spring = { ...own('0 3 * * *'), server: { zone: 60 }, snapshots: pairs('00:59') }
    expect(outcomes(later('02:01', spring))).toEqual(['02:00 served'])
    const told = later('02:01', { ...own('0 3 * * *'), server: { zone: 60 } })
    const autumn = look('03:01', { ...spring, snapshots: pairs('02:59') }, told.incus)
    expect(outcomes(autumn)).toEqual(['02:00 served'])
    expect(missed(autumn)).toBeUndefined()
  })

  test('reads the time of a server whose clock is wrong', () => {
    const ahead = { ...own('0 3 * * *'), server: { zone: 0, skew: 600 } }
    expect(outcomes(later('02:50', ahead))).toEqual([])
    expect(outcomes(later('02:51', ahead))).toEqual(['03:00 missed'])
  })

  test('is waited for while a batch runs, and what comes late takes the miss back', () => {
    const { incus } = look('00:00', own('0 3 * * *'))
    const busy = look('03:05', { ...own('0 3 * * *'), busy: true }, incus)
    expect(outcomes(busy)).toEqual([])
    expect(busy.wake).toEqual([`${DAY}T03:06:00.000Z`])
    const told = look('03:01', own('0 3 * * *'), incus)
    const late = look('03:10', { ...own('0 3 * * *'), snapshots: pairs('03:07') }, told.incus)
    expect(outcomes(late)).toEqual(['03:00 served'])
    expect(missed(late)).toBeUndefined()
  })

  test('of others in that minute is told, because one that fails ends the batch', () => {
    const also = { db: { ...own('0 3 * * *'), snapshots: pairs('02:59') } }
    const seen = later('03:01', { ...own('0 3 * * *'), also })
    expect(seen.incus.main?.slots).toMatchObject([
      {
        outcome: 'missed',
        served: 1,
        failures: [{ instance: WEB }],
        reason: expect.stringContaining('Of 2 due in that minute it took 1'),
      },
    ])
  })

  test('says what the project forbids', () => {
    const first = own('0 3 * * *')
    const { incus } = look('00:00', first)
    const reply = replyOf([recordOf('web', first)])
    if (reply.ok) {
      reply.inventory.server.zone = 0
      reply.inventory.projectRules = { default: { restricted: 'true' } }
    }
    const seen = watchSchedules({ remotes: { main: reply } }, incus, new Date(at('03:01')))
    expect(seen.incus.main?.slots[0]?.reason).toContain('restricted.snapshots=allow')
  })

  test('is not due while the instance stands still, unless it says so', () => {
    expect(outcomes(later('03:01', { ...own('0 3 * * *'), status: 'Stopped' }))).toEqual([])
    const stopped = { ...own('0 3 * * *', { stopped: true }), status: 'Stopped' }
    expect(outcomes(later('03:01', stopped))).toEqual(['03:00 missed'])
    const started = own('0 3 * * *', { started: at('03:00') / 1000 })
    expect(outcomes(later('03:01', started))).toEqual([])
    expect(outcomes(later('03:01', { ...own('0 3 * * *'), type: 'volume', status: '' }))).toEqual([
      '03:00 missed',
    ])
  })

  test('counts from when it was seen, and anew where it is another', () => {
    expect(outcomes(look('03:01', own('0 3 * * *')))).toEqual([])
    expect(outcomes(later('03:01', own('0 3 * * *'), own('0 5 * * *')))).toEqual([])
  })

  test('of what could not be listed is judged as soon as it is', () => {
    const { incus } = look('00:00', own('0 3 * * *'))
    const unread = look('03:05', { ...own('0 3 * * *'), snapshots: null }, incus)
    expect(outcomes(unread)).toEqual([])
    expect(outcomes(look('03:10', own('0 3 * * *'), unread.incus))).toEqual(['03:00 missed'])
  })

  test('of a server that was down is told when it answers: what it missed is one record where it is much', () => {
    const { incus } = look('00:00', own('* * * * *'))
    const silent = look('02:00', null, incus)
    expect(silent.incus).toEqual(incus)
    const back = look('02:01', own('* * * * *'), silent.incus)
    const { slots = [] } = back.incus.main ?? {}
    expect(slots.filter(({ count = 1 }) => count === 1)).toHaveLength(20)
    expect(slots.at(-1)).toMatchObject({ outcome: 'missed', count: 100, slot: `${DAY}T00:01:00.000Z` })
  })

  test("isn't taken for missed where its snapshot would have expired since", () => {
    const { incus } = look('00:00', own('0 * * * *', { expiry: '30M' }))
    const back = look('03:05', own('0 * * * *', { expiry: '30M' }), incus)
    expect(outcomes(back)).toEqual(['03:00 missed'])
  })

  test('serves no two slots by one snapshot', () => {
    const seen = later('00:04', { ...own('* * * * *'), snapshots: pairs('00:00', '00:02') })
    expect(outcomes(seen)).toEqual(['00:03 served', '00:02 missed', '00:01 served'])
  })

  test('is nothing on a copy, and nothing where somebody has left it out', () => {
    const copy = { ...own('0 3 * * *'), own: { 'user.stapes.replica-of': 'a/b/c' } }
    expect(outcomes(later('03:01', copy))).toEqual([])
    const excluded = { ...own('0 3 * * *'), own: { 'user.stapes.exclude': 'true' } }
    expect(outcomes(later('03:01', excluded))).toEqual([])
  })
})

describe('an alias', () => {
  test('is due at the end of its hour or day as long as its own time is not known', () => {
    expect(outcomes(later('01:01', own('@hourly')))).toEqual(['01:00 missed'])
    expect(outcomes(later('01:01', { ...own('@hourly'), snapshots: pairs('00:36') }))).toEqual([
      '01:00 served',
    ])
    expect(outcomes(later('2026-11-23T00:01', own('@daily')))).toEqual(['00:00 missed'])
  })

  test('is due at its own time once two snapshots have shown it', () => {
    const snapshots = pairs('00:36', '01:36')
    const { incus } = look('01:40', { ...own('@hourly'), snapshots })
    expect(look('01:40', { ...own('@hourly'), snapshots }, incus).wake).toEqual([`${DAY}T02:38:00.000Z`])
    expect(outcomes(look('02:37', { ...own('@hourly'), snapshots }, incus))).toEqual([])
    expect(outcomes(look('02:38', { ...own('@hourly'), snapshots }, incus))).toEqual(['02:37 missed'])
  })

  test('is due each Sunday where it is weekly', () => {
    const sunday = { ...own('@weekly'), snapshots: pairs('2026-11-08T05:19', '2026-11-15T05:19') }
    const { incus } = look('00:00', sunday)
    expect(outcomes(look('05:20', sunday, incus))).toEqual([])
    expect(outcomes(look('05:21', sunday, incus))).toEqual(['05:20 missed'])
  })
})

test('a start has its snapshot a little before, and none is due of a start before the schedule was seen', () => {
  const started = own('@startup', { started: at('03:00') / 1000 })
  expect(outcomes(later('03:05', { ...started, snapshots: pairs('02:59') }, own('@startup')))).toEqual([
    '03:00 served',
  ])
  expect(outcomes(later('03:05', started, own('@startup')))).toEqual(['03:00 missed'])
  expect(outcomes(later('03:05', own('@startup', { started: at('00:00') / 1000 - MINUTE })))).toEqual([])
})

test.each<[string, Partial<ReturnType<typeof readForm>>]>([
  ['@never', {}],
  ['@NEVER', {}],
  ['0 3,15 * * *', { crons: ['0 3,15 * * *'] }],
  ['0 3 * * *, MON-bad', { crons: ['0 3 * * *'], dead: [{ part: 'MON-bad', why: 'unread' }] }],
  ['0 3,15 * * *, @startup', { startup: true, dead: [{ part: '0 3,15 * * *', why: 'list' }] }],
  ['30 0 3 * * * *', { dead: [{ part: '30 0 3 * * * *', why: 'unread' }] }],
])('reads %s', (schedule, parts) => {
  expect(readForm(schedule)).toEqual({ crons: [], aliases: [], startup: false, dead: [], ...parts })
})

test('a part that Incus never follows is noted', () => {
  const { incus } = look('00:00', own('0 3,15 * * *, @hourly'))
  expect(incus.main?.subjects[WEB]).toMatchObject({ dead: ['0 3,15 * * *'] })
})
