import { describe, expect, test } from 'vitest'
import { emptyLedger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import { linesOf } from '../../../../shared/plan/lines.ts'
import type { Plan } from '../../../../shared/plan/plan.ts'
import { record } from '../../../../shared/plan/record.ts'
import type { World } from '../../../../shared/plan/world.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { JobReport } from '../../../../shared/relay/protocol.ts'
import type { Action, BackupRequest } from '../../../../shared/work/kinds.ts'
import type { RestoreWork } from '../../../../shared/work/restore/entry.ts'
import { restoreJob } from '../../../../shared/work/restore/steps.ts'
import { restoresAs, restoresOf } from '../../../long-work.ts'
import { INSTALLATION, parseWorld } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = '2026-11-22T10:20:00.000Z'
const KEY = 'main/default/web1'
const SNAPSHOT = 'daily-20261121T0300Z'
const SAFETY = 'before-restore-20261122T1017Z'
const JOB = `restore ${KEY}:${SAFETY}#0`

const entry: RestoreWork = {
  state: 'started',
  snapshot: SNAPSHOT,
  safety: SAFETY,
  running: true,
  holds: { 'user.stapes.hold.x': 'auditor' },
  job: JOB,
  attempts: 0,
  at: '2026-11-22T10:17:00.000Z',
}

/** An instance with its marks; `,` stands for a space. */
const web = (words: string, snapshots = SAFETY): World =>
  parseWorld(`main:default/web1 ${words}\n  ${SNAPSHOT}\n  ${snapshots}`)

const MARKED = `user.stapes.restoring=${SNAPSHOT},${SAFETY},running`
const TAKING = `${MARKED},taking`
const DONE = `user.stapes.restored=${SAFETY}`

function planFor(
  world: World,
  noted: Partial<RestoreWork> | null = {},
  jobs: JobReport[] = [],
): Plan<Action> {
  const restores = noted === null ? {} : { [KEY]: { ...entry, ...noted } }
  const policies = { daily: { accounted: NOW, since: NOW, open: null, slots: [] } }
  return decide({
    installation: INSTALLATION,
    coverages: coverInstances(configOf({ daily: { schedule: '0 3 * * *' } }), world.remotes),
    world: { ...world, jobs },
    ledger: { ...emptyLedger('v'), policies, work: restoresAs(restores) },
    now: new Date(NOW),
  })
}

const failed = (step: number, message = 'the pool broke'): JobReport => ({
  id: JOB,
  state: 'failed',
  step,
  since: NOW,
  error: { code: 'incus', status: 500, message },
})

describe('an unfinished restore', () => {
  const cases: [name: string, world: World, action: object][] = [
    [
      'whose mark says that data may be partly restored goes on with them',
      web(`stopped ${MARKED}`),
      { restored: false, safety: { name: SAFETY, taken: true }, partial: null },
    ],
    [
      'whose safety snapshot may be partial takes another, by another name',
      web(`running ${TAKING}`),
      { safety: { name: 'before-restore-20261122T1020Z', taken: false }, partial: SAFETY },
    ],
    [
      'that came to no mark begins anew, by the same name',
      web('running', 'by-hand @2026-11-20T00:00Z'),
      { safety: { name: SAFETY, taken: false }, partial: null },
    ],
    [
      'whose config is the snapshot’s already only sets its marks again',
      web('stopped'),
      { restored: true, holds: entry.holds },
    ],
  ]
  test.each(cases)('%s', (_name, world, action) => {
    const plan = planFor(world)
    const { actions } = plan
    expect(actions).toMatchObject([
      { kind: 'restore', snapshot: SNAPSHOT, job: expect.stringMatching(/#1$/), ...action },
    ])
    expect(restoresOf(plan)[KEY]).toMatchObject({ state: 'started', attempts: 1 })
  })

  test('puts the snapshot’s own expiry off again', () => {
    const soon = { expiresAt: '2026-11-22T11:00:00.000Z' }
    expect(planFor(web(`stopped ${MARKED}`), soon).actions).toMatchObject([
      { expiresAt: '2026-11-23T10:20:00.000Z' },
    ])
  })

  test('waits longer after each try, and gives up after five, saying what is left', () => {
    const again = planFor(web(`stopped ${MARKED}`), { attempts: 2 }, [failed(2)])
    expect(again.actions).toEqual([])
    expect(restoresOf(again)[KEY]).toMatchObject({ attempts: 3, retryAt: '2026-11-22T10:22:00.000Z' })
    const last = planFor(web(`stopped ${MARKED}`), { attempts: 4 }, [failed(2)])
    expect(restoresOf(last)[KEY]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining(`the previous state is in ${SAFETY}`),
    })
  })

  test('that can never succeed isn’t tried again', () => {
    const plan = planFor(web('running', 'by-hand @2026-11-20T00:00Z'), {}, [
      failed(1, "Project doesn't allow for snapshot creation"),
    ])
    expect(restoresOf(plan)[KEY]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('nothing was changed'),
    })
  })

  test('whose config is the snapshot’s sets its marks first, however permanent the error or late the try', () => {
    const gone = failed(3, 'Failed start validation for device "d": Storage volume not found')
    const late = { attempts: 4, retryAt: '2026-11-22T11:00:00.000Z' }
    const plan = planFor(web('stopped'), late, [gone])
    expect(plan.actions).toMatchObject([{ kind: 'restore', restored: true, holds: entry.holds }])
    expect(plan.actions[0]).toMatchObject({
      reason: expect.stringMatching(/^its disk stays as it is, .*; try 6: /),
    })
    expect(linesOf(plan).map(({ sign }) => sign)).toEqual(['#'])
    expect(restoresOf(plan)[KEY]).toMatchObject({ state: 'started', attempts: 5, marking: 5 })
    const again = planFor(web('stopped'), { attempts: 5, marking: 5 }, [failed(0)])
    expect(restoresOf(again)[KEY]).toMatchObject({ state: 'started', attempts: 6 })
  })

  test('that was refused before anything was changed takes its mark away, unless an earlier try may have changed it', () => {
    const refusal = failed(4, 'Snapshot "x" cannot be restored due to subsequent snapshot(s). Set …')
    const first = planFor(web(`stopped ${MARKED}`), {}, [refusal])
    expect(first.actions).toMatchObject([{ kind: 'undo', start: true }])
    const ended = planFor(web('running'), restoresOf(first)[KEY], [refusal])
    expect(restoresOf(ended)[KEY]).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/nothing was changed: .*incus copy/),
    })
    const later = planFor(web(`stopped ${MARKED}`), { attempts: 1, touched: true }, [refusal])
    expect(restoresOf(later)[KEY]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('its data may be partly old and partly new'),
    })
  })

  test('that Incus was always too busy for is given up without a change', () => {
    const busy = failed(
      4,
      'Failed to create instance restore operation: Instance is busy running a "migrate" operation',
    )
    const again = planFor(web(`running ${MARKED}`), { attempts: 3 }, [busy])
    expect(restoresOf(again)[KEY]).toMatchObject({ attempts: 4, reason: expect.stringContaining('busy') })
    expect(restoresOf(again)[KEY]?.touched).toBeUndefined()
    const last = planFor(web(`running ${MARKED}`), { attempts: 4 }, [busy])
    expect(last.actions).toMatchObject([{ kind: 'undo', start: false }])
    expect(restoresOf(planFor(web(`stopped ${MARKED}`), { attempts: 3 }, [failed(4)]))[KEY]?.touched).toBe(
      true,
    )
  })

  test('waits while its instance is not listed, for a day: a listing may have lost its row', () => {
    const nowhere = parseWorld('main empty')
    const waiting = planFor(nowhere)
    expect(waiting.actions).toEqual([])
    expect(restoresOf(waiting)[KEY]).toMatchObject({ ...entry, state: 'started' })
    expect(waiting.notes).toContainEqual(
      expect.objectContaining({
        kind: 'wait',
        reason: expect.stringContaining('does not list the instance'),
      }),
    )
    const old = { at: '2026-11-21T10:19:00.000Z' }
    expect(restoresOf(planFor(nowhere, old))[KEY]).toMatchObject({
      state: 'failed',
      reason: 'the instance is gone',
    })
    const job = { ...failed(0), state: 'running' as const }
    expect(restoresOf(planFor(nowhere, old, [job]))[KEY]?.state).toBe('running')
  })

  test('lifts Incus’s own expiry from all that is held first', () => {
    const world = web(`stopped ${MARKED} user.stapes.hold.${SNAPSHOT}=x user.stapes.hold.by-hand=y`)
    const [action] = planFor(world).actions
    if (action?.kind !== 'restore') throw new Error('no restore')
    expect(restoreJob(action).job.steps).toMatchObject([{ do: 'restore', held: [SNAPSHOT] }])
  })

  test('whose instance doesn’t run starts it three times, then says so', () => {
    const stopped = web(`stopped ${DONE}`)
    expect(planFor(stopped).actions).toMatchObject([{ kind: 'start', ref: { instance: 'web1' } }])
    const plan = planFor(stopped, { starts: 3, retryAt: NOW })
    expect(plan.actions).toEqual([])
    expect(restoresOf(plan)[KEY]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('incus start web1'),
    })
  })

  test.each([
    ['ran', 'running', true],
    ['did not run', 'stopped', false],
  ])('is done when its instance is as it was: it %s', (_name, status, running) => {
    const plan = planFor(web(`${status} ${DONE}`), { running })
    expect(plan.actions).toEqual([])
    expect(restoresOf(plan)[KEY]?.state).toBe('done')
  })

  test('that somebody undid by hand, from its whole safety snapshot, stays undone', () => {
    const plan = planFor(web(`running ${TAKING}`), { whole: true, attempts: 1, retryAt: NOW })
    expect(plan.actions).toEqual([])
    expect(restoresOf(plan)[KEY]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('somebody'),
    })
  })
})

describe('without the ledger', () => {
  test('the mark alone tells to go on, and which holds there are', () => {
    const plan = planFor(web(`stopped ${MARKED} user.stapes.hold.y=me`), null)
    expect(plan.actions).toMatchObject([
      { kind: 'restore', safety: { taken: true }, running: true, holds: { 'user.stapes.hold.y': 'me' } },
    ])
  })

  test('a mark that is a day old is only told of, and nothing is done but that the previous state stays', () => {
    const old = 'before-restore-20261120T1017Z'
    const plan = planFor(web(`stopped user.stapes.restoring=${SNAPSHOT},${old},running`, old), null)
    expect(
      plan.actions.map(({ kind, ...action }) => [kind, 'snapshot' in action && action.snapshot]),
    ).toEqual([['hold', old]])
    expect(plan.notes).toMatchObject([
      { kind: 'problem', reason: expect.stringContaining('remove the key user.stapes.restoring') },
    ])
  })

  test.each([
    ['one that never began', web(`running ${TAKING}`)],
    [
      'what an older restore has left in a snapshot',
      web(`running ${MARKED}`, `${SAFETY}\n  before-restore-20261122T1019Z`),
    ],
  ])('nothing comes of %s', (_name, world) => {
    expect(planFor(world, null)).toMatchObject({ actions: [], work: {} })
  })

  test('a job that has ended tells what to set again', () => {
    const memo = { snapshot: SNAPSHOT, safety: SAFETY, running: true, holds: entry.holds }
    const plan = planFor(web('stopped'), null, [{ ...failed(3), memo }])
    expect(plan.actions).toMatchObject([{ kind: 'restore', restored: true, holds: entry.holds }])
  })
})

test('one that ended is forgotten after a day, and not asked about again', () => {
  const done = { state: 'done' as const, at: '2026-11-21T10:19:00.000Z' }
  expect(planFor(web(`stopped ${DONE}`), done)).toMatchObject({
    actions: [],
    work: { [`restore ${KEY}`]: null },
  })
})

describe('one that was given up halfway', () => {
  const older = 'before-restore-20261101T0000Z'
  const given = { state: 'failed' as const, at: '2026-11-08T10:20:00.000Z', reason: 'the pool broke' }
  const held = (plan: Plan<Action>) =>
    plan.actions.flatMap((action) => (action.kind === 'hold' ? [[action.snapshot, action.expiresAt]] : []))
  const until = '2027-02-20T10:20:00.000Z'

  test('keeps all that may be the only previous state, each day anew', () => {
    const world = web(`stopped ${MARKED}`, `${older}\n  ${SAFETY}`)
    const first = planFor(world, given)
    expect(held(first)).toEqual([
      [older, until],
      [SAFETY, until],
    ])
    expect(restoresOf(first)[KEY]).toMatchObject({ ...given, keptAt: NOW })
    expect(held(planFor(world, { ...given, keptAt: '2026-11-21T10:21:00.000Z' }))).toEqual([])
    expect(held(planFor(world, { ...given, keptAt: '2026-11-21T10:20:00.000Z' }))).toHaveLength(2)
  })

  test('keeps it at the next run, where that was refused', () => {
    const before = { ...emptyLedger('v'), work: restoresAs({ [KEY]: { ...entry, ...given } }) }
    const plan = planFor(web(`stopped ${MARKED}`), given)
    const keptAt = (refused: boolean) => {
      const outcomes = plan.actions.map((action) =>
        refused
          ? { action, state: 'refused' as const, error: { code: 'incus' as const, message: 'down' } }
          : { action, state: 'done' as const },
      )
      const of = { plan, outcomes, run: null, config: 'v', now: new Date(NOW) }
      return restoresOf(record(before, of).ledger)[KEY]?.keptAt
    }
    expect([keptAt(true), keptAt(false)]).toEqual([undefined, NOW])
  })

  test('lets it end where a person has removed the mark, or the data is in order', () => {
    expect(planFor(web('stopped'), given).actions).toEqual([])
    expect(planFor(web(`stopped ${MARKED} ${DONE}`), given).actions).toEqual([])
  })
})

describe('a further try', () => {
  const world = web(`stopped ${MARKED}`)
  const entryAfter = (code: 'locked' | 'bad-request') => {
    const before = { ...emptyLedger('v'), work: restoresAs({ [KEY]: { ...entry, attempts: 1 } }) }
    const plan = planFor(world, { attempts: 1, retryAt: '2026-11-22T10:19:00.000Z', reason: 'busy' })
    const [action] = plan.actions
    if (action === undefined) throw new Error('it should try again')
    const error = { code, message: 'job "copy" holds the lock' } as const
    return restoresOf(
      record(before, {
        plan,
        outcomes: [{ action, state: 'refused', error }],
        ...{ run: null, config: 'v', now: new Date(NOW) },
      }).ledger,
    )[KEY]
  }

  test('that meets another job is put off by a minute, with the reason, and not counted', () => {
    expect(entryAfter('locked')).toMatchObject({
      attempts: 1,
      reason: expect.stringContaining('holds the lock'),
      retryAt: '2026-11-22T10:21:00.000Z',
    })
  })

  test('that is refused is counted', () => {
    expect(entryAfter('bad-request')?.attempts).toBe(2)
  })
})

test('what is left of a restore is told before what can’t be looked at, of which there may be much', () => {
  const { notes } = planFor(parseWorld('main unreachable'), { at: NOW })
  expect(notes.map(({ about }) => about)).toEqual([KEY, 'remote:main'])
})

test('busy are only instances that something known is at work on', () => {
  const request: BackupRequest = { do: 'restore', instance: 'web1', snapshot: SNAPSHOT, reason: 'asked for' }
  const refusal = (at: string) =>
    decide({
      installation: INSTALLATION,
      coverages: coverInstances(configOf({ daily: { schedule: '0 3 * * *' } }), web('running').remotes),
      world: web('running'),
      ledger: {
        ...emptyLedger('v'),
        policies: { daily: { accounted: NOW, since: '2026-11-20T00:00:00.000Z', open: null, slots: [] } },
        work: { [`later ${KEY}`]: { state: 'running', attempts: 0, at } },
      },
      now: new Date(NOW),
      request,
    }).refusal
  expect(refusal('2026-11-22T09:00:00.000Z')).toMatchObject({ code: 'busy' })
  expect(refusal('2026-11-20T09:00:00.000Z')).toBeNull()
})
