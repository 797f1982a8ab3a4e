import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger, type PolicyLedger } from '../../../shared/ledger/ledger.ts'
import { decide } from '../../../shared/plan/decide.ts'
import { catchupMoment } from '../../../shared/plan/late.ts'
import type { Plan } from '../../../shared/plan/plan.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { latestSlot } from '../../../shared/schedule/slots.ts'
import { configOf } from '../policy/instances.ts'
import { INSTALLATION, parseWorld } from './world-text.ts'

const at = (date: string): Date => new Date(date)

const DAILY = { schedule: '0 3 * * *', keep: { daily: 2 } }

function planAt(now: string, policy: object, world: string, noted: Partial<PolicyLedger> | null): Plan {
  const seen = parseWorld(world)
  const daily: PolicyLedger = { accounted: '2026-11-21T03:00:00.000Z', open: null, slots: [], ...noted }
  const ledger: Ledger = { ...emptyLedger('v'), ...(noted === null ? {} : { policies: { daily } }) }
  const coverages = coverInstances(configOf({ daily: policy }), seen.remotes)
  return decide({ coverages, world: seen, ledger, now: at(now), installation: INSTALLATION })
}

const names = ({ actions }: Plan): string[] =>
  actions.flatMap((action) => (action.kind === 'snapshot' ? [action.name] : []))

const records = ({ slots }: Plan) => slots[0]?.ledger.slots ?? []

const OPEN = {
  accounted: '2026-11-22T03:00:00.000Z',
  open: { slot: '2026-11-22T03:00:00.000Z', attempts: {} },
}
const BEFORE = 'main:default/web1 running\n daily-20261121T0300Z'

describe('the name of a snapshot', () => {
  test.each([
    ['in time', '2026-11-22T03:01:00Z', 'daily-20261122T0300Z'],
    ['two ticks late', '2026-11-22T03:02:00Z', 'daily-20261122T0300Z'],
    ['later', '2026-11-22T03:05:10Z', 'daily-20261122T0305Z'],
    ['ten hours late', '2026-11-22T13:12:00Z', 'daily-20261122T1310Z'],
  ])('that is taken %s tells when it was taken', (_, now, name) => {
    expect(names(planAt(now, DAILY, BEFORE, {}))).toEqual([name])
    expect(names(planAt(now, DAILY, BEFORE, OPEN))).toEqual([name])
    // Nor does it hang on the ledger.
    expect(names(planAt(now, DAILY, BEFORE, null))).toEqual([name])
  })

  test('stays the slot’s own for as long as jitter explains', () => {
    const spread = { ...DAILY, jitter: '20m' }
    expect(names(planAt('2026-11-22T03:22:00Z', spread, BEFORE, OPEN))).toEqual(['daily-20261122T0300Z'])
    expect(names(planAt('2026-11-22T03:25:00Z', spread, BEFORE, OPEN))).toEqual(['daily-20261122T0325Z'])
  })

  test('is the same for ticks that overlap by up to two minutes, or one of them waits', () => {
    const minute = (count: number) => new Date(at('2026-11-22T13:00:40Z').getTime() + count * 60_000)
    for (let first = 0; first < 60; first++)
      for (const second of [first + 1, first + 2]) {
        const moments = [first, second].map((count) => ({
          now: minute(count),
          moment: catchupMoment(minute(count)),
        }))
        const acting = moments
          .filter(({ now, moment }) => moment <= now)
          .map(({ moment }) => moment.getTime())
        expect(new Set(acting).size).toBeLessThan(2)
        for (const { now, moment } of moments)
          expect(Math.abs(now.getTime() - moment.getTime())).toBeLessThan(180_000)
      }
  })

  test('is waited for where it lies ahead', () => {
    const { slots, actions } = planAt('2026-11-22T13:13:30Z', DAILY, BEFORE, OPEN)
    expect(actions).toEqual([])
    expect(slots[0]?.waiting).toEqual([{ instance: 'main/default/web1', until: '2026-11-22T13:15:00.000Z' }])
  })

  test('that was taken late serves its slot, and the slot says so', () => {
    const late = `${BEFORE}\n daily-20261122T1310Z`
    for (const noted of [{}, OPEN, null]) {
      const plan = planAt('2026-11-22T13:16:00Z', DAILY, late, noted)
      expect(names(plan)).toEqual([])
      expect(plan.slots[0]).toMatchObject({
        served: ['main/default/web1'],
        remark: 'taken late, as daily-20261122T1310Z',
      })
    }
    // The next slot closes it, also without notes of it.
    const next = planAt('2026-11-23T03:00:00Z', DAILY, late, {})
    expect(records(next)).toMatchObject([{ slot: '2026-11-22T03:00:00.000Z', outcome: 'served', served: 1 }])
  })

  test('of a try whose end nobody saw is not used again once it is late: what it left goes', () => {
    const attempts = {
      'main/default/web1': {
        count: 1,
        reason: 'silence',
        retryAt: '2026-11-22T03:04:00.000Z',
        unseen: true as const,
      },
    }
    const half = `${BEFORE}\n daily-20261122T0300Z`
    const plan = planAt('2026-11-22T03:05:00Z', DAILY, half, { ...OPEN, open: { ...OPEN.open, attempts } })
    expect(plan.actions).toMatchObject([{ kind: 'snapshot', name: 'daily-20261122T0305Z', again: false }])
    expect(plan.slots[0]?.ledger).toMatchObject({ doubtful: ['main/default/web1/daily-20261122T0300Z'] })
  })
})

describe('retention', () => {
  test('counts a late snapshot by the moment, and takes no older one for the slot being served', () => {
    const world =
      'main:default/web1 running\n daily-20261119T0300Z\n daily-20261120T1310Z\n daily-20261121T0300Z'
    const { actions } = planAt('2026-11-22T13:10:00Z', DAILY, world, OPEN)
    const gone = actions.flatMap((action) => (action.kind === 'expire' ? [action.snapshot] : []))
    expect(gone).toEqual(['daily-20261119T0300Z'])
    // The same once it is there.
    const after = planAt('2026-11-22T13:11:00Z', DAILY, `${world}\n daily-20261122T1310Z`, OPEN)
    expect(after.actions.flatMap((action) => (action.kind === 'expire' ? [action.snapshot] : []))).toEqual(
      gone,
    )
  })

  test('neither counts nor removes what bears the name of a slot that lay ahead when it was made', () => {
    const foreign =
      'main:default/web1 running\n daily-20260101T0300Z @2025-06-01T00:00Z\n daily-20261120T0300Z\n daily-20261121T0300Z'
    const { actions } = planAt('2026-11-22T03:00:20Z', DAILY, foreign, {})
    expect(actions.map(({ kind }) => kind)).toEqual(['snapshot'])
  })
})

describe('a schedule has no past', () => {
  test.each(['13:10:00', '13:11:20', '13:14:59'])(
    'a new policy begins with a first snapshot at once, named for the moment: %s',
    (now) => {
      const plan = planAt(`2026-11-22T${now}Z`, DAILY, 'main:default/web1 running', null)
      expect(names(plan)).toEqual(['daily-20261122T1310Z'])
      expect(plan.slots[0]).toMatchObject({ remark: expect.stringContaining('the first one') })
      expect(plan.wake).toContain('2026-11-23T03:00:00.000Z')
    },
  )

  test('nothing is taken under a schedule that was changed until its next slot', () => {
    const noted = { when: '0 12 * * * UTC', accounted: '2026-11-22T12:00:00.000Z' }
    const plan = planAt(
      '2026-11-22T13:11:00Z',
      DAILY,
      'main:default/web1 running\n daily-20261122T1200Z',
      noted,
    )
    expect(plan.actions).toEqual([])
    expect(records(plan)).toEqual([])
    const next = planAt(
      '2026-11-23T03:00:00Z',
      DAILY,
      'main:default/web1 running\n daily-20261122T1200Z',
      plan.slots[0]?.ledger ?? null,
    )
    expect(names(next)).toEqual(['daily-20261123T0300Z'])
    expect(records(next)).toEqual([])
  })

  test('who has no snapshot of the policy gets one, and only they', () => {
    const noted = { when: '0 12 * * * UTC', accounted: '2026-11-22T12:00:00.000Z' }
    const world = 'main:default/db1 running\nmain:default/web1 running\n daily-20261101T0300Z'
    const { actions } = planAt('2026-11-22T13:11:00Z', DAILY, world, noted)
    expect(actions).toMatchObject([{ name: 'daily-20261122T1310Z', ref: { instance: 'db1' } }])
  })

  test('a slot that is due in the very minute of the change is served', () => {
    const noted = { when: '0 12 * * * UTC', accounted: '2026-11-21T12:00:00.000Z' }
    expect(names(planAt('2026-11-22T03:00:00Z', DAILY, BEFORE, noted))).toEqual(['daily-20261122T0300Z'])
  })

  test('a slot being served is served to its end when the schedule changes', () => {
    const attempts = {
      'main/default/web1': { count: 1, reason: 'full', retryAt: '2026-11-22T13:10:00.000Z' },
    }
    const noted = { ...OPEN, when: '30 2 * * * UTC', open: { ...OPEN.open, attempts } }
    expect(names(planAt('2026-11-22T13:11:00Z', DAILY, BEFORE, noted))).toEqual(['daily-20261122T1310Z'])
  })
})

describe('however long the past is, the newest slot is served in the first tick', () => {
  const MINUTELY = { schedule: '* * * * *' }

  test.each(['daily-20260601T0000Z', 'daily-20000101T0000Z'])('with nothing but %s to begin with', (name) => {
    const plan = planAt('2026-11-22T13:11:00Z', MINUTELY, `main:default/web1 running\n ${name}`, null)
    expect(names(plan)).toEqual(['daily-20261122T1311Z'])
    expect(records(plan)).toEqual([])
  })

  test('with a year that nobody accounted for, which is told in a few records', () => {
    const plan = planAt('2026-11-22T13:11:00Z', MINUTELY, 'main:default/web1 running', {
      accounted: '2025-11-22T13:11:00.000Z',
    })
    expect(names(plan)).toEqual(['daily-20261122T1311Z'])
    expect(records(plan)).toMatchObject([
      {
        slot: '2025-11-23T05:52:00.000Z',
        through: '2026-11-22T13:10:00.000Z',
        outcome: 'missed',
        reason: expect.stringContaining('not counted'),
      },
      {
        slot: '2025-11-22T13:12:00.000Z',
        through: '2025-11-23T05:51:00.000Z',
        count: 1000,
        outcome: 'missed',
      },
    ])
  })

  test('and what was taken after all, though the notes are behind, is not told of as missed', () => {
    const world = 'main:default/web1 running\n daily-20261122T1300Z'
    const plan = planAt('2026-11-22T13:11:00Z', MINUTELY, world, { accounted: '2025-11-22T13:11:00.000Z' })
    expect(records(plan)).toHaveLength(1)
  })

  test('with a name that is dated in the future', () => {
    const world = `${BEFORE}\n daily-20990101T0000Z @2026-11-20T00:00Z`
    for (const noted of [null, {}]) {
      const plan = planAt('2026-11-22T03:00:20Z', DAILY, world, noted)
      expect(names(plan)).toEqual(['daily-20261122T0300Z'])
      expect(plan.slots[0]?.ledger.since ?? '' < '2026-11-23').toBeTruthy()
    }
  })

  test('and where somebody has used its very name ahead of time, the next minute’s is used', () => {
    const world = `${BEFORE}\n daily-20261122T0300Z @2026-11-20T00:00Z`
    expect(names(planAt('2026-11-22T03:00:20Z', DAILY, world, {}))).toEqual(['daily-20261122T0301Z'])
  })
})

describe('a slot that passed untaken says why', () => {
  const passed = (attempts: object, world = BEFORE, now = '2026-11-23T03:00:00Z') =>
    records(planAt(now, DAILY, world, { ...OPEN, open: { ...OPEN.open, attempts: attempts as never } }))[0]

  test('its server gave no answer all the while', () => {
    const silence = { count: 9, reason: 'no answer within 20 s', retryAt: '2026-11-23T03:00:00.000Z' }
    expect(passed({ 'remote:main': silence })).toMatchObject({
      outcome: 'failed',
      failures: [{ instance: 'main/default/web1', reason: 'main: no answer within 20 s' }],
    })
  })

  test('its own tries failed', () => {
    const full = { count: 9, reason: 'No space left on device', retryAt: '2026-11-23T03:00:00.000Z' }
    expect(passed({ 'main/default/web1': full })).toMatchObject({
      failures: [{ reason: 'No space left on device' }],
    })
  })

  test('no tick came', () => {
    expect(passed({})).toMatchObject({
      failures: [{ reason: 'no tick took it between 2026-11-22T03:00Z and the next slot' }],
    })
  })
})

describe('the last slot of a span', () => {
  const last = (schedule: string[], after: string, until: string) =>
    latestSlot({ schedule, timezone: 'UTC', after: at(after), until: at(until) })
      ?.toISOString()
      .slice(0, 16) ?? null

  test.each([
    ['* * * * *', '2000-01-01T00:00Z', '2026-11-22T13:11:59Z', '2026-11-22T13:11'],
    ['0 3 * * *', '2026-11-22T03:00Z', '2026-11-23T02:59Z', null],
    ['0 3 * * *', '2026-11-22T02:59Z', '2026-11-22T03:00Z', '2026-11-22T03:00'],
    ['0 0 29 2 *', '2001-01-01T00:00Z', '2027-01-01T00:00Z', '2024-02-29T00:00'],
    ['* * 1-24 * *', '2026-01-01T00:00Z', '2026-11-30T12:00Z', '2026-11-24T23:59'],
  ])('%s in (%s, %s]', (schedule, after, until, slot) => {
    expect(last([schedule], after, until)).toBe(slot)
  })

  test('of several expressions is the latest of all', () => {
    expect(last(['0 3 * * *', '30 4 * * *'], '2026-11-01T00:00Z', '2026-11-22T05:00Z')).toBe(
      '2026-11-22T04:30',
    )
  })
})
