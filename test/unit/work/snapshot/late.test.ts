import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger, type PolicyLedger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import type { Plan } from '../../../../shared/plan/plan.ts'
import { record } from '../../../../shared/plan/record.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import { latestSlot } from '../../../../shared/schedule/slots.ts'
import type { Action } from '../../../../shared/work/kinds.ts'
import { catchupMoment } from '../../../../shared/work/snapshot/late.ts'
import { INSTALLATION, parseWorld } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const at = (date: string): Date => new Date(date)

const DAILY = { schedule: '0 3 * * *', keep: { daily: 2 } }

function planAt(
  now: string,
  policy: object,
  world: string,
  noted: Partial<PolicyLedger> | null,
  applied?: string,
): Plan<Action> {
  const seen = parseWorld(world)
  const daily: PolicyLedger = { accounted: '2026-11-21T03:00:00.000Z', open: null, slots: [], ...noted }
  const ledger: Ledger = { ...emptyLedger('v'), ...(noted === null ? {} : { policies: { daily } }) }
  const coverages = coverInstances(configOf({ daily: policy }), seen.remotes)
  return decide({ coverages, world: seen, ledger, now: at(now), installation: INSTALLATION, applied })
}

const names = ({ actions }: Plan<Action>): string[] =>
  actions.flatMap((action) => (action.kind === 'snapshot' ? [action.name] : []))

const records = ({ slots }: Plan<Action>) => slots[0]?.ledger.slots ?? []

const told = (plan: Plan<Action>): string[] =>
  records(plan).map(({ slot, through, outcome }) =>
    [slot, ...(through === undefined ? [] : [through]), outcome].join(' ').replaceAll(':00.000Z', ''),
  )

const ledgerOf = (plan: Plan<Action>): PolicyLedger => {
  const [slot] = plan.slots
  if (slot === undefined) throw new Error('there is no slot')
  return slot.ledger
}

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
        remark: 'taken late, under the name daily-20261122T1310Z',
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
    expect(plan.slots[0]?.ledger).toMatchObject({ partial: ['main/default/web1/daily-20261122T0300Z'] })
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

describe('a snapshot of which we saw the creation succeed', () => {
  // Two hours behind: the name lies ahead of the date.
  const world = `${BEFORE}\n daily-20261122T0300Z @2026-11-22T01:00Z\nmain:default/db1 running`
  const open = { ...OPEN.open, made: { 'main/default/web1': 'daily-20261122T0300Z' } }

  test('is not made again while the slot is open, however it is dated', () => {
    expect(names(planAt('2026-11-22T03:01:00Z', DAILY, world, OPEN))).toHaveLength(2)
    const plan = planAt('2026-11-22T03:01:00Z', DAILY, world, { ...OPEN, open })
    expect(plan.actions).toMatchObject([{ kind: 'snapshot', ref: { instance: 'db1' } }])
    expect(plan.slots[0]?.served).toEqual(['main/default/web1'])
  })

  test('serves its slot when the next one came', () => {
    const plan = planAt('2026-11-23T03:00:00Z', DAILY, world, { ...OPEN, open })
    expect(records(plan)).toMatchObject([
      { outcome: 'failed', served: 1, failures: [{ instance: 'main/default/db1' }] },
    ])
  })
})

describe('what was due under a schedule that was changed', () => {
  const noted = { when: '0 12 * * * UTC', accounted: '2026-11-20T12:00:00.000Z' }
  const world = 'main:default/web1 running\n daily-20261120T1200Z'

  test('is still taken, and what was missed under it is told of', () => {
    const plan = planAt('2026-11-22T13:11:00Z', DAILY, world, noted)
    expect(names(plan)).toEqual(['daily-20261122T1310Z'])
    expect(ledgerOf(plan)).toMatchObject({
      when: '0 3 * * * UTC',
      open: { slot: '2026-11-22T12:00:00.000Z' },
    })
    expect(told(plan)).toEqual(['2026-11-21T12:00 missed'])
  })

  test('and not taken before a slot of the new one came, is told of as failed', () => {
    const plan = planAt('2026-11-22T03:01:00Z', DAILY, world, {
      ...noted,
      accounted: '2026-11-21T11:00:00.000Z',
    })
    expect(names(plan)).toEqual(['daily-20261122T0300Z'])
    expect(records(plan)).toMatchObject([
      { slot: '2026-11-21T12:00:00.000Z', outcome: 'failed', reason: expect.stringContaining('no tick') },
    ])
  })

  test('ends when the configuration was applied, and what was due under the new one begins there', () => {
    const old = { when: '0 * * * * UTC', accounted: '2026-11-22T08:00:00.000Z' }
    const half = { schedule: '30 * * * *', catchup: '5m' }
    const plan = planAt('2026-11-22T12:40:00Z', half, world, old, '2026-11-22T10:30:20.000Z')
    expect(told(plan)).toEqual([
      '2026-11-22T12:30 missed',
      '2026-11-22T10:30 2026-11-22T11:30 missed',
      '2026-11-22T10:00 missed',
      '2026-11-22T09:00 missed',
    ])
    // Its instances have snapshots of the policy, so nobody is owed a first one.
    expect(names(plan)).toEqual([])
    expect(ledgerOf(plan)).not.toHaveProperty('owing')
  })

  test('is skipped while it was paused, under either schedule', () => {
    const plan = planAt('2026-11-22T13:11:00Z', DAILY, world, { ...noted, paused: true })
    expect(told(plan)).toEqual(['2026-11-22T12:00 skipped', '2026-11-21T12:00 skipped'])
    expect(names(plan)).toEqual([])
  })

  test('isn’t known where the note of it can’t be read', () => {
    for (const when of ['', 'every day UTC', '0 12 * * * Nowhere', 'UTC'])
      expect(told(planAt('2026-11-22T13:11:00Z', DAILY, world, { ...noted, when }))).toEqual([])
  })
})

describe('who could not be looked at when the accounts began', () => {
  const HASTY = { ...DAILY, catchup: '10m' }
  const BARE = 'main:default/web1 running'
  const UNREAD = `${BARE}\n ?`

  test.each([
    ['its server gave no answer', 'main unreachable', 'remote:main'],
    ['its snapshots were not listed', UNREAD, 'main/default/web1'],
  ])('gets a first snapshot once it can be, and one only: %s', (_, unseen, owing) => {
    const blind = planAt('2026-11-22T13:11:00Z', HASTY, unseen, null)
    expect(names(blind)).toEqual([])
    expect(ledgerOf(blind)).toMatchObject({ owing: [owing], open: null })
    // Nothing else would look before the next slot.
    expect(blind.wake).toContain('2026-11-22T13:26:00.000Z')
    const still = planAt('2026-11-22T13:26:00Z', HASTY, unseen, ledgerOf(blind))
    expect(ledgerOf(still)).toEqual(ledgerOf(blind))
    const seen = planAt('2026-11-22T13:41:00Z', HASTY, BARE, ledgerOf(still))
    expect(names(seen)).toEqual(['daily-20261122T1340Z'])
    expect(seen.slots[0]).toMatchObject({ remark: expect.stringContaining('the first one') })
    // Whatever came of it: the next slot is its own.
    const { owing: left, ...after } = { ...ledgerOf(seen), open: null }
    expect(left).toBeUndefined()
    const later = planAt('2026-11-22T13:45:00Z', HASTY, BARE, after)
    expect([names(later), ledgerOf(later).open]).toEqual([[], null])
  })

  test('gets none where it turns out to have one', () => {
    const blind = planAt('2026-11-22T13:11:00Z', HASTY, 'main unreachable', null)
    const seen = planAt('2026-11-22T13:26:00Z', HASTY, BEFORE, ledgerOf(blind))
    expect(names(seen)).toEqual([])
    expect(ledgerOf(seen)).not.toHaveProperty('owing')
    expect(seen.wake).not.toContain('2026-11-22T13:41:00.000Z')
  })

  test('keeps nobody waiting who can be', () => {
    const two = { ...HASTY, remotes: ['main', 'far'] }
    const blind = planAt('2026-11-22T13:11:00Z', two, `${BARE}\nfar unreachable`, null)
    expect(names(blind)).toEqual(['daily-20261122T1310Z'])
    expect(ledgerOf(blind)).toMatchObject({ owing: ['remote:far'] })
    const world = `${BARE}\n daily-20261122T1310Z\nmain:default/new running\nfar:default/db1 running`
    const closed = {
      ...ledgerOf(blind),
      open: null,
      slots: [{ slot: '2026-11-22T13:40:00.000Z', outcome: 'failed' as const }],
    }
    const seen = planAt('2026-11-22T13:42:00Z', two, world, closed)
    expect(seen.slots[0]?.served).toEqual(['main/default/web1'])
    // No slot is told of twice.
    expect(ledgerOf(seen).open).toMatchObject({ slot: '2026-11-22T13:41:00.000Z', first: true })
  })

  test('is taken with a slot that is open meanwhile', () => {
    const blind = planAt('2026-11-22T13:11:00Z', DAILY, 'main unreachable', null)
    expect(ledgerOf(blind)).toMatchObject({
      owing: ['remote:main'],
      open: { slot: '2026-11-22T03:00:00.000Z' },
    })
    const seen = planAt('2026-11-22T13:26:00Z', DAILY, BARE, ledgerOf(blind))
    expect(names(seen)).toEqual(['daily-20261122T1325Z'])
    expect(ledgerOf(seen).open).not.toHaveProperty('first')
  })

  test('is not taken for a new instance, which waits for its slot', () => {
    const plan = planAt('2026-11-22T13:11:00Z', DAILY, `${BEFORE}\nmain:default/new running`, {
      accounted: '2026-11-22T03:00:00.000Z',
    })
    expect(names(plan)).toEqual([])
  })

  test('for the policy was paused, is owed its first one until that is over', () => {
    const paused = planAt('2026-11-22T13:11:00Z', { ...HASTY, paused: true }, BARE, null)
    expect([names(paused), ledgerOf(paused).open]).toEqual([[], null])
    const resumed = planAt('2026-11-22T14:11:00Z', HASTY, BARE, ledgerOf(paused))
    expect(names(resumed)).toEqual(['daily-20261122T1410Z'])
  })

  test('is owed it again where the policy is paused before it was taken', () => {
    const first = planAt('2026-11-22T13:11:00Z', HASTY, BARE, null)
    const paused = planAt('2026-11-22T13:12:00Z', { ...HASTY, paused: true }, BARE, ledgerOf(first))
    expect(told(paused)).toEqual(['2026-11-22T13:10 skipped'])
    const resumed = planAt('2026-11-22T13:14:00Z', HASTY, BARE, ledgerOf(paused))
    expect(names(resumed)).toHaveLength(1)
    expect(ledgerOf(resumed).open).toMatchObject({ slot: '2026-11-22T13:11:00.000Z', first: true })
  })

  test('gets one though the accounts began with a snapshot that somebody asked for', () => {
    const seen = parseWorld(`${BARE}\nmain:default/db1 running`)
    const coverages = coverInstances(configOf({ daily: HASTY }), seen.remotes)
    const now = at('2026-11-22T13:11:00Z')
    const request = { do: 'snapshot' as const, instances: ['web1'], reason: 'asked for' }
    const plan = decide({
      coverages,
      world: seen,
      ledger: emptyLedger('v'),
      now,
      installation: INSTALLATION,
      request,
    })
    expect(names(plan)).toEqual(['manual-20261122T1311Z'])
    const { ledger } = record(emptyLedger('v'), { plan, outcomes: [], run: null, config: 'v', now })
    const world = `${BARE}\n manual-20261122T1311Z\nmain:default/db1 running`
    const { actions } = planAt('2026-11-22T13:12:00Z', HASTY, world, ledger.policies.daily ?? null)
    expect(actions).toMatchObject([
      { kind: 'snapshot', ref: { instance: 'web1' } },
      { kind: 'snapshot', ref: { instance: 'db1' } },
    ])
  })

  test('under a schedule that was changed, likewise', () => {
    const noted = { when: '0 12 * * * UTC', accounted: '2026-11-22T12:00:00.000Z' }
    const blind = planAt('2026-11-22T13:11:00Z', HASTY, 'main unreachable', noted)
    const seen = planAt('2026-11-22T13:26:00Z', HASTY, BARE, ledgerOf(blind))
    expect(names(seen)).toEqual(['daily-20261122T1325Z'])
  })
})

describe('how snapshots were made is vouched for', () => {
  const FAR = '2099-01-01T00:00:00.000Z'
  const noted = { accounted: '2026-11-22T03:00:00.000Z', since: FAR }
  const sinceAt = (world: string, known: Partial<PolicyLedger> | null): string | undefined =>
    ledgerOf(planAt('2026-11-22T13:11:20Z', DAILY, world, known)).since

  test('from now on, where a clock that was ahead has noted a moment far ahead', () => {
    expect(sinceAt(BEFORE, noted)).toBe('2026-11-22T13:11:00.000Z')
  })

  test('but of none that is there already, whatever its name says', () => {
    const ahead = `${BEFORE}\n daily-20261201T0300Z`
    expect(sinceAt(ahead, noted)).toBe('2026-12-01T03:00:00.001Z')
  })

  test('and of none at all while some can’t be looked at: the clock may be behind now', () => {
    expect(sinceAt(`${BEFORE}\nmain:default/db1 running\n ?`, noted)).toBe(FAR)
    expect(sinceAt('main unreachable', { ...noted, since: '2026-11-23T03:00:00.000Z' })).toBe(
      '2026-11-23T03:00:00.000Z',
    )
  })

  test('from later than now, where the accounts begin while some can’t be looked at', () => {
    expect(
      sinceAt(`main:default/web1 running\n daily-20261201T0300Z\nmain:default/db1 running\n ?`, null),
    ).toBe('2026-12-01T03:00:00.001Z')
    expect(sinceAt('main unreachable', null)).toBe('2026-11-22T13:12:00.000Z')
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
        reason: expect.stringContaining('too many to count'),
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
      expect((plan.slots[0]?.ledger.since ?? '') < '2026-11-23').toBe(true)
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
