import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import { decide } from '../../../shared/plan/decide.ts'
import { renderLines } from '../../../shared/plan/line.ts'
import { linesOf } from '../../../shared/plan/lines.ts'
import type { Plan } from '../../../shared/plan/plan.ts'
import { narrow, type Scope } from '../../../shared/plan/request.ts'
import type { World } from '../../../shared/plan/world.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { effectiveConfig } from '../../../shared/policy/pause.ts'
import { subjectJobs } from '../../../shared/work/jobs.ts'
import type { Action, BackupRequest } from '../../../shared/work/kinds.ts'
import { configOf } from '../policy/instances.ts'
import { INSTALLATION, parseWorld, text } from './world-text.ts'

const at = (date: string): Date => new Date(date)
const iso = (date: string): string => at(date).toISOString()

type Given = { ledger?: Ledger; now?: string; request?: BackupRequest; explain?: boolean }

function planFor(policies: Record<string, object>, world: World, given: Given = {}): Plan<Action> {
  const { ledger = emptyLedger('v'), now = '2026-11-22T03:00:20Z', request, explain = true } = given
  const coverages = narrow(coverInstances(configOf(policies), world.remotes), (request ?? {}) as Scope)
  return decide({ installation: INSTALLATION, coverages, world, ledger, now: at(now), request, explain })
}

const show = (plan: Plan<Action>): string => renderLines(linesOf(plan)).replace(/ +$/gm, '')

const accounted = (policy: string, until: string): Ledger => ({
  ...emptyLedger('v'),
  policies: { [policy]: { accounted: at(until).toISOString(), open: null, slots: [] } },
})

const DAILY = { daily: { schedule: '0 3 * * *', keep: { daily: 2 } } }

describe('a due slot', () => {
  test('is taken, two days are kept, and strangers are left alone', () => {
    const world = parseWorld(`
      main:default/web1 running
        daily-20261119T0300Z
        daily-20261120T0300Z
        daily-20261121T0300Z
        before-upgrade @2026-11-20T12:00Z
    `)
    expect(show(planFor(DAILY, world))).toBe(
      text(`
        main/default/web1
          + daily-20261122T0300Z  slot 2026-11-22T03:00Z is due
          - daily-20261119T0300Z  no rule keeps it
          = daily-20261121T0300Z  daily 1 of 2
          = daily-20261120T0300Z  daily 2 of 2
      `),
    )
  })

  test('that waits for its moment is told of before it comes, and that there is nothing to copy yet', () => {
    const world = parseWorld('main:default/web1 running\nbackup empty')
    const policies = { daily: { ...DAILY.daily, jitter: '10h', copy: { remote: 'backup' } } }
    const { notes } = planFor(policies, world, { now: '2026-11-22T03:00:00Z' })
    expect(notes).toEqual([
      {
        ...{ kind: 'wait', about: 'main/default/web1' },
        reason: expect.stringMatching(
          /^daily takes its snapshot of slot 2026-11-22T03:00:00\.000Z at 2026-11-22T(0[3-9]|1[0-2]):/,
        ),
      },
      {
        kind: 'wait',
        about: 'main/default/web1>backup/default/web1',
        reason: 'there is nothing to copy yet',
      },
    ])
  })

  test.each<[string, object, boolean, boolean]>([
    ['runs and can keep its memory', { memory: true }, true, false],
    ['runs and can’t', {}, true, true],
    ['doesn’t run', { status: 'Stopped' }, false, false],
  ])('of a stateful policy, on a machine that %s', (_, more, stateful, warned) => {
    const world = parseWorld('main:default/web1 running')
    const main = world.remotes.main
    if (main?.ok === true) Object.assign(main.inventory.instances[0] ?? {}, { type: 'virtual-machine' }, more)
    const [action] = planFor({ daily: { ...DAILY.daily, stateful: true } }, world).actions
    expect(action).toMatchObject({ kind: 'snapshot', stateful })
    expect(action?.reason.includes('migration.stateful=true')).toBe(warned)
  })

  test('that has its snapshot already expires the very same, and takes nothing', () => {
    const world = parseWorld(`
      main:default/web1 running
        daily-20261119T0300Z
        daily-20261120T0300Z
        daily-20261121T0300Z
        daily-20261122T0300Z
    `)
    const { actions, slots } = planFor(DAILY, world, { ledger: accounted('daily', '2026-11-21T03:00Z') })
    expect(actions.map(({ kind }) => kind)).toEqual(['expire'])
    expect(actions[0]).toMatchObject({ snapshot: 'daily-20261119T0300Z' })
    expect(slots[0]?.served).toEqual(['main/default/web1'])
  })

  test('is counted by nobody before it was seen: an empty plan of keeps never removes the last one', () => {
    const world = parseWorld(`
      main:default/web1 running
        daily-20261101T0300Z
    `)
    const { actions } = planFor({ daily: { schedule: '0 3 * * *', keep: { within: '1d' } } }, world)
    expect(actions.map(({ kind }) => kind)).toEqual(['snapshot'])
  })

  test('waits for the instance’s own minute when there is jitter, and less than the next slot is away', () => {
    const world = parseWorld('main:default/web1 running')
    const hourly = { hourly: { schedule: '@hourly', jitter: '10h', catchup: '1d' } }
    const { actions, slots } = planFor(hourly, world, { now: '2026-11-22T03:00:00Z' })
    expect(actions).toEqual([])
    const until = slots[0]?.waiting[0]?.until ?? ''
    expect(until > '2026-11-22T03:00' && until < '2026-11-22T03:59:01').toBe(true)
  })

  test('of an instance whose listing failed is neither taken nor given up', () => {
    const world = parseWorld(`
      main:default/web1 running
        ?
    `)
    const { actions, slots } = planFor(DAILY, world)
    expect(actions).toEqual([])
    expect(slots[0]?.waiting).toEqual([{ instance: 'main/default/web1', until: '2026-11-22T03:01:20.000Z' }])
  })
})

describe('what nobody observed', () => {
  test('is asked about copies a minute later, whenever the next slot is', () => {
    const policies = { daily: { ...DAILY.daily, copy: { remote: 'backup' } } }
    const { wake } = planFor(policies, parseWorld('main unreachable'), {
      ledger: accounted('daily', '2026-11-22T03:00Z'),
      now: '2026-11-22T05:00:00Z',
    })
    expect(wake.toSorted()[0]).toBe('2026-11-22T05:01:00.000Z')
  })

  test('is a remote that gives no answer: its slot stays open, nothing counts as gone', () => {
    const { actions, slots, notes } = planFor(DAILY, parseWorld('main unreachable'))
    expect(actions).toEqual([])
    expect(slots[0]).toMatchObject({ empty: null, waiting: [{ instance: 'remote:main' }] })
    expect(notes).toContainEqual({ kind: 'problem', about: 'remote:main', reason: "main can't be reached" })
  })

  test('is a project that the policy names and the remote lacks: its slot fails with what to do', () => {
    const policies = {
      daily: { schedule: '0 3 * * *', select: { projects: ['shop'] } },
    }
    const { slots } = planFor(policies, parseWorld('main empty'))
    expect(slots[0]?.failed[0]?.reason).toContain('no project "shop" on main')
  })
})

describe('slots that were not served', () => {
  test('are recorded after an outage, and the policy runs once', () => {
    const world = parseWorld(`
      main:default/web1 running
        daily-20261119T0300Z
    `)
    const { actions, slots } = planFor(DAILY, world, { ledger: accounted('daily', '2026-11-19T03:00Z') })
    expect(actions.filter(({ kind }) => kind === 'snapshot')).toHaveLength(1)
    expect(slots[0]?.ledger.slots).toEqual([
      {
        slot: '2026-11-20T03:00:00.000Z',
        through: '2026-11-21T03:00:00.000Z',
        count: 2,
        outcome: 'missed',
        reason: 'no tick came in time; the last slot accounted for is 2026-11-19T03:00:00.000Z',
      },
    ])
  })

  test('are missed when they are older than the catch-up window', () => {
    const world = parseWorld('main:default/web1 running')
    const policies = { daily: { schedule: '0 3 * * *', catchup: '1h' } }
    const given = { ledger: accounted('daily', '2026-11-21T03:00Z'), now: '2026-11-22T05:00:00Z' }
    const { actions, slots } = planFor(policies, world, given)
    expect(actions).toEqual([])
    expect(slots[0]?.ledger.slots[0]).toMatchObject({ outcome: 'missed', slot: '2026-11-22T03:00:00.000Z' })
  })

  test('are skipped while the policy is paused', () => {
    const policies = { daily: { schedule: '0 3 * * *', paused: true } }
    const { actions, slots } = planFor(policies, parseWorld('main:default/web1 running'))
    expect(actions).toEqual([])
    expect(slots[0]?.ledger.slots[0]).toMatchObject({ outcome: 'skipped', reason: 'the policy is paused' })
  })
})

describe('a policy that changes', () => {
  const noted = (more: object): Ledger => ({
    ...emptyLedger('v'),
    policies: { daily: { accounted: '2026-11-20T03:00:00.000Z', open: null, slots: [], ...more } },
  })
  const world = parseWorld('main:default/web1 running')

  test('has missed nothing under a schedule that it didn’t have', () => {
    const { actions, slots } = planFor({ daily: { schedule: '@hourly' } }, world, {
      ledger: noted({ when: '0 3 * * * UTC', accounted: '2026-11-22T03:00:00.000Z' }),
      now: '2026-11-22T10:00:30Z',
    })
    expect(actions).toMatchObject([{ name: 'daily-20261122T1000Z' }])
    expect(slots[0]?.ledger.slots).toEqual([])
  })

  test('was paused until now: what passed meanwhile was skipped', () => {
    const { actions, slots } = planFor(DAILY, world, {
      ledger: noted({ paused: true }),
      now: '2026-11-22T03:01:00Z',
    })
    expect(actions).toEqual([])
    expect(slots[0]?.ledger.slots.map(({ outcome, count }) => [outcome, count])).toEqual([
      ['skipped', undefined],
      ['skipped', undefined],
    ])
    expect(slots[0]?.ledger.paused).toBeUndefined()
  })
})

describe('a pause in chat', () => {
  const HOURLY = { daily: { schedule: '@hourly' } }
  const world = parseWorld('main:default/web1 running')
  const look = (now: string, { at, until }: { at: string; until: string | null }, noted: object) => {
    const pauses = { daily: { by: 'ann', at: iso(at), until: until === null ? null : iso(until) } }
    const config = effectiveConfig({ config: configOf(HOURLY), pauses }, new Date(now))
    const daily = { accounted: iso('2026-11-22T06:00Z'), open: null, slots: [], ...noted }
    const { actions, slots } = decide({
      coverages: coverInstances(config, world.remotes),
      ...{ world, now: new Date(now), installation: INSTALLATION },
      ledger: { ...emptyLedger('v'), policies: { daily } },
    })
    const told = (slots[0]?.ledger.slots ?? []).map(
      ({ slot, through = slot, outcome }) => `${slot.slice(11, 16)}-${through.slice(11, 16)} ${outcome}`,
    )
    return { told, names: actions.flatMap((action) => (action.kind === 'snapshot' ? [action.name] : [])) }
  }

  test('that ends in the minute of a slot lets that slot be served', () => {
    const pause = { at: '2026-11-22T06:30Z', until: '2026-11-22T10:00Z' }
    expect(look('2026-11-22T10:00:00Z', pause, { paused: true })).toEqual({
      told: ['07:00-09:00 skipped'],
      names: ['daily-20261122T1000Z'],
    })
  })

  test('that ended before this look skips only what lay in it', () => {
    const pause = { at: '2026-11-22T06:30Z', until: '2026-11-22T08:10Z' }
    expect(look('2026-11-22T11:00:00Z', pause, { paused: true })).toEqual({
      told: ['09:00-10:00 missed', '07:00-08:00 skipped'],
      names: ['daily-20261122T1100Z'],
    })
  })

  test('that no look has found skips what lay in it, and nothing before or after it', () => {
    const pause = { at: '2026-11-22T07:30Z', until: '2026-11-22T08:10Z' }
    expect(look('2026-11-22T10:00:00Z', pause, {}).told).toEqual([
      '09:00-09:00 missed',
      '08:00-08:00 skipped',
      '07:00-07:00 missed',
    ])
    expect(look('2026-11-22T10:00:00Z', { ...pause, until: null }, {})).toEqual({
      told: ['10:00-10:00 skipped', '08:00-09:00 skipped', '07:00-07:00 missed'],
      names: [],
    })
  })

  test('that is long over says nothing of later slots', () => {
    const pause = { at: '2026-11-21T06:30Z', until: '2026-11-21T08:10Z' }
    expect(look('2026-11-22T08:00:00Z', pause, {})).toEqual({
      told: ['07:00-07:00 missed'],
      names: ['daily-20261122T0800Z'],
    })
  })

  test('of which nobody knows when it ended may have ended in this minute', () => {
    const { actions, slots } = planFor(HOURLY, world, {
      ledger: {
        ...emptyLedger('v'),
        policies: { daily: { accounted: iso('2026-11-22T06:00Z'), open: null, slots: [], paused: true } },
      },
      now: '2026-11-22T08:00:30Z',
    })
    expect(slots[0]?.ledger.slots).toMatchObject([{ outcome: 'skipped', slot: iso('2026-11-22T07:00Z') }])
    expect(actions).toMatchObject([{ name: 'daily-20261122T0800Z' }])
  })
})

describe('without a ledger', () => {
  test('a slot whose snapshot was seen is looked at again, and taken only where it lacks, under the moment’s name', () => {
    const world = parseWorld(`
      main:default/db1 running
      main:default/web1 running
        daily-20261122T0300Z
    `)
    const { actions, slots } = planFor(DAILY, world, { now: '2026-11-22T10:00:00Z' })
    expect(actions).toMatchObject([
      { kind: 'snapshot', name: 'daily-20261122T1000Z', ref: { instance: 'db1' } },
    ])
    expect(slots[0]?.served).toEqual(['main/default/web1'])
  })

  test('a snapshot that somebody asked for between slots is no slot of the schedule', () => {
    const world = parseWorld(`
      main:default/db1 running
        daily-20261122T0300Z
      main:default/web1 running
        daily-20261122T0300Z
        daily-20261122T0417Z
    `)
    expect(planFor(DAILY, world, { now: '2026-11-22T10:00:00Z', explain: false }).actions).toEqual([])
  })
})

describe('nothing expires', () => {
  const old = `
        daily-20261118T0300Z
        daily-20261119T0300Z
        daily-20261120T0300Z
        daily-20261121T0300Z`
  test('that is held, and a hold takes no place', () => {
    const world = parseWorld(`
      main:default/web1 running user.stapes.hold.daily-20261119T0300Z=audit ${old}
    `)
    const { actions } = planFor(DAILY, world)
    expect(actions.flatMap((action) => (action.kind === 'expire' ? [action.snapshot] : []))).toEqual([
      'daily-20261118T0300Z',
    ])
  })

  test('that is held, not even by Incus: its own expiry is lifted', () => {
    const world = parseWorld(`
      main:default/web1 running user.stapes.hold.daily-20261119T0300Z=audit ${old}
    `)
    const { actions } = planFor({ daily: { ...DAILY.daily, expiry: '30d' } }, world)
    expect(actions).toContainEqual(
      expect.objectContaining({ kind: 'hold', snapshot: 'daily-20261119T0300Z' }),
    )
    const steps = subjectJobs(actions).flatMap(({ job }) => job.steps.map((step) => step.do))
    expect(steps).toEqual(['take', 'set-expiry', 'expire'])
  })

  test('of an instance whose override can’t be understood', () => {
    const world = parseWorld(`
      main:default/web1 running user.stapes.keep.daily=lots ${old}
    `)
    const plan = planFor(DAILY, world)
    expect(plan.actions.map(({ kind }) => kind)).toEqual(['snapshot'])
    expect(show(plan)).toContain('but nothing expires now: main/default/web1 user.stapes.keep.daily')
  })

  test('under an empty keep', () => {
    const world = parseWorld(`main:default/web1 running ${old}`)
    const { actions } = planFor({ daily: { schedule: '0 3 * * *' } }, world)
    expect(actions.map(({ kind }) => kind)).toEqual(['snapshot'])
  })

  test('of a policy that is gone from the document', () => {
    const world = parseWorld(`main:default/web1 running ${old}`)
    const { actions } = planFor({ weekly: { schedule: '0 3 * * *', keep: { last: 1 } } }, world)
    expect(actions.map(({ kind }) => kind)).toEqual(['snapshot'])
  })
})

describe('what somebody asks for', () => {
  test('is taken now, named by this minute, and only where asked', () => {
    const world = parseWorld(`
      main:default/db1 running
      main:default/web1 running
    `)
    const request: BackupRequest = {
      do: 'snapshot',
      policies: ['daily'],
      instances: ['web*'],
      reason: 'asked for',
    }
    const { actions, requested } = planFor(DAILY, world, { request, now: '2026-11-22T10:17:42Z' })
    expect(actions).toMatchObject([
      { name: 'manual-20261122T1017Z', ref: { instance: 'web1' }, reason: 'asked for' },
    ])
    expect(requested).toBe(true)
  })
})

describe('a snapshot whose creation nobody saw the end of', () => {
  const unseen = (slot: string): Ledger => {
    const attempts = {
      'main/default/web1': { count: 1, reason: 'silence', retryAt: slot, unseen: true as const },
    }
    const open = { slot: at(slot).toISOString(), attempts }
    return { ...emptyLedger('v'), policies: { daily: { accounted: open.slot, open, slots: [] } } }
  }

  test('is taken again under the next minute’s name, for it may be whole: it goes only once that one is there', () => {
    const world = parseWorld(`
      main:default/web1 running
        daily-20261122T0300Z
    `)
    const plan = planFor(DAILY, world, { ledger: unseen('2026-11-22T03:00:00.000Z') })
    expect(plan.actions).toMatchObject([{ kind: 'snapshot', name: 'daily-20261122T0301Z', again: false }])
    const steps = subjectJobs(plan.actions).flatMap(({ job }) => job.steps.map((step) => step.do))
    expect(steps).toEqual(['take'])
    const { ledger } = plan.slots[0] ?? {}
    if (ledger === undefined) throw new Error('no slot')
    const next = (more: string) =>
      planFor(DAILY, parseWorld(`${more}\n daily-20261122T0300Z\n daily-20261122T0301Z`), {
        ledger: { ...emptyLedger('v'), policies: { daily: { ...ledger, open: null } } },
      }).actions
    expect(next('main:default/web1 running')).toMatchObject([
      { kind: 'expire', snapshot: 'daily-20261122T0300Z' },
    ])
    expect(next('main:default/web1 running user.stapes.hold.daily-20261122T0300Z=mine')).toEqual([])
  })

  test('counts as failed and goes when its slot is over', () => {
    const world = parseWorld(`
      main:default/web1 running
        daily-20261121T0300Z
    `)
    const { actions, slots } = planFor(DAILY, world, { ledger: unseen('2026-11-21T03:00:00.000Z') })
    expect(actions).toMatchObject([
      { kind: 'snapshot', name: 'daily-20261122T0300Z' },
      { kind: 'expire', snapshot: 'daily-20261121T0300Z' },
    ])
    expect(slots[0]?.ledger.slots[0]).toMatchObject({ outcome: 'failed', served: 0 })
  })
})
