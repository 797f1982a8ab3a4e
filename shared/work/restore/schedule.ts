/**
 * Plans the next step of restores in place that have not ended. They are known from the ledger, the relay's
 * jobs and the mark on the instance, so that any of these may be lost.
 */

import { type InstanceRef, instanceOf, subjectKey, volumeIn } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { kindIn, subjectIn, workKey, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import { safetyExpiry } from '../../plan/safety.ts'
import type { World } from '../../plan/world.ts'
import { RESTORED, RESTORING } from '../../policy/marks.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { configCommand } from '../../shell.ts'
import { ended, failedTry, isDue, retryText, seenRunning } from '../life.ts'
import type { RestoreAction, StartAction, UndoAction } from './action.ts'
import { restoringBeside } from './beside.ts'
import { RESTORE, type RestoreWork } from './entry.ts'
import { type Next, nextStep } from './judge.ts'
import { keepSafeties } from './kept.ts'
import { isEnded, type Known, knownRestore } from './known.ts'
import { wordsOf } from './mark.ts'
import { heldOn, lostHolds, restoringOn, safetyName, wholeSafeties } from './safety.ts'
import { jobOf } from './steps.ts'
import { GIVEN_UP, memoryReason, notStarted, RETRY, STARTS, type Stage, unchangedReason } from './tries.ts'
import { endOf, isOver, isRestored, VOLUME_GIVEN_UP } from './volume.ts'

export const planRestores = ({ world, ledger, now }: PlanContext): Finding =>
  combine([...keysOf(world, ledger)].map((key) => findingOn(key, world, ledger, now)))

/** Snapshots whose hold was removed with the replaced config still count as held. */
function findingOn(key: string, world: World, ledger: Ledger, now: Date): Finding {
  const known = knownRestore(key, world, ledger, now)
  const found = known === null ? strayOn(key, world) : stepOn(known, world, ledger, now)
  const entry = (own(found.work, workKey(RESTORE, key)) ?? undefined) as RestoreWork | undefined
  const lost = known === null ? [] : lostHolds(known.record, entry)
  return combine([
    ...(world.safeties?.get(key) === null ? [{ busy: new Map([[key, UNREAD]]) }] : []),
    found,
    ...(lost.length === 0 ? [] : [{ held: new Map([[key, new Set(lost)]]) }]),
  ])
}

const UNREAD = 'a restore of it was interrupted, and its safety snapshot could not be read'

function keysOf({ remotes, jobs, safeties }: World, ledger: Ledger): Set<string> {
  const noted = [...Object.keys(ledger.work), ...jobs.flatMap(({ id }) => workOfJob(id) ?? [])]
  const keys = new Set([
    ...noted.filter((one) => kindIn(one) === RESTORE).map(subjectIn),
    ...(safeties?.keys() ?? []),
  ])
  for (const [remote, reply] of Object.entries(remotes))
    for (const { project, name, config } of reply.ok ? reply.inventory.instances : [])
      if ((config[RESTORING] ?? '') !== '') keys.add(subjectKey({ remote, project, instance: name }))
  return keys
}

/** A restore that never began, with a mark that was left: it isn't started again. */
function strayOn(key: string, world: World): Finding {
  const record = world.find(instanceOf(key))
  const mark = record === undefined ? null : restoringOn(record)
  if (record === undefined || mark === null || wholeSafeties(record).includes(mark.safety)) return {}
  const reason =
    record.unsealed === true
      ? `its ${RESTORING} names a restore to ${mark.snapshot} that this relay did not begin: request it if you want it, or remove the mark: ${configCommand(instanceOf(key), 'unset', RESTORING)}`
      : `a restore to ${mark.snapshot} never began: request it again if you still want it`
  return { notes: [{ kind: 'skip', about: key, reason }] }
}

const DAY = 86_400_000
/** Minutes. */
const AGAIN = 5

const noteOf = (kind: Note['kind'], about: string, reason: string): Finding => ({
  notes: [{ kind, about, reason }],
})

/** The new ledger entry; null: it is removed. */
const entryOf = (key: string, entry: RestoreWork | null): Finding => ({
  work: { [workKey(RESTORE, key)]: entry },
})

function stepOn(known: Known, world: World, ledger: Ledger, now: Date): Finding {
  const { key, ref, entry } = known
  if (isEnded(entry)) return keepEnded(known, world, now)
  const next = nextStep(known, world, now)
  if (next.do === 'done') return endWell(known, now)
  return combine([
    { busy: new Map([[key, `it is being restored to ${entry.snapshot}`], ...stoppedFor(ref, entry)]) },
    { wake: [minutesFrom(now, 1)] },
    goOn(known, next, restoringBeside(known, world, ledger, now), now),
  ])
}

/** Nothing else is done to what uses a volume meanwhile. */
const stoppedFor = (ref: InstanceRef, { users = [] }: RestoreWork): [string, string][] =>
  users.map((instance) => [
    subjectKey({ ...ref, instance }),
    `it is stopped while ${ref.instance} is restored`,
  ])

/** A failed one is kept as long as people have something to do about it. */
function keepEnded({ key, ref, entry, mark, record }: Known, world: World, now: Date): Finding {
  if (mark !== null && record !== undefined && isOver(ref, entry, mark, record, world))
    return combine([entryOf(key, entry), { actions: [endOf(ref, entry, mark)] }])
  const isMarked = mark?.taken === true || mark?.writing === true
  const stands = entry.state === 'failed' && isMarked && mark.safety === entry.safety
  const isInOrder = isRestored(record, entry) || entry.refused === true
  const kept = stands && !isInOrder ? keepSafeties(ref, entry, record, now) : { actions: [], entry }
  const unmarked = entry.state === 'failed' && lostHolds(record, entry).length > 0
  const old = now.getTime() - new Date(entry.at).getTime() >= DAY
  const hint =
    volumeIn(ref.instance) === null
      ? `once the instance is in order, remove the key ${RESTORING} from it`
      : isInOrder
        ? 'once that runs, this is over'
        : `once the volume is in order, remove its mark: ${configCommand(ref, 'unset', RESTORING)}`
  return combine([
    entryOf(key, stands || unmarked || !old ? kept.entry : null),
    { actions: kept.actions },
    ...(unmarked ? [noteOf('problem', key, entry.reason ?? '')] : []),
    ...(stands
      ? [
          isInOrder
            ? // By then what was stopped for it may run again.
              { wake: [minutesFrom(now, AGAIN)] }
            : { busy: new Map([[key, `its restore to ${entry.snapshot} failed`]]) },
          noteOf('problem', key, `${entry.reason ?? ''}; ${hint}`),
        ]
      : []),
  ])
}

function endWell({ key, entry }: Known, now: Date): Finding {
  const { reason, ...rest } = entry
  const anew = entry.stateful === true && entry.marking !== undefined ? memoryReason(reason) : null
  const how = anew === null ? '' : `: ${anew}`
  return combine([
    entryOf(key, ended({ ...rest, ...(anew === null ? {} : { reason: anew }) }, 'done', now)),
    noteOf('keep', key, `it was restored to ${entry.snapshot}${how}`),
  ])
}

/** `beside`: why nothing that was stopped can be started yet, in words; null: it can. */
function goOn(known: Known, next: Exclude<Next, { do: 'done' }>, beside: string | null, now: Date): Finding {
  switch (next.do) {
    case 'fail':
      return giveUp(known.key, known.entry, next.reason, now)
    case 'start':
      return startAgain(known, now)
    case 'undo':
      return undo(known, next, beside, now)
    case 'try':
      return tryAgain(known, next, beside, now)
    case 'wait':
      return waitWith(known.key, watched(known, now), next.reason)
  }
}

const waitWith = (key: string, entry: RestoreWork, reason: string): Finding =>
  combine([entryOf(key, entry), noteOf('wait', key, `it is being restored to ${entry.snapshot}: ${reason}`)])

const watched = ({ entry, report }: Known, now: Date): RestoreWork =>
  report?.state === 'running' ? seenRunning(entry, { id: report.id }, now) : entry

const giveUp = (key: string, entry: RestoreWork, reason: string, now: Date): Finding =>
  combine([entryOf(key, ended({ ...entry, reason }, 'failed', now)), noteOf('problem', key, reason)])

function startAgain({ key, ref, entry }: Known, now: Date): Finding {
  const { starts = 0 } = entry
  if (!isDue(entry, now)) return waitWith(key, entry, `it will be started again at ${entry.retryAt}`)
  if (starts >= STARTS) return giveUp(key, entry, notStarted(ref, entry), now)
  const what = entry.refused === true ? 'was not restored' : 'was restored'
  const reason = `it ${what} to ${entry.snapshot}, and was running before`
  const action: StartAction = { kind: 'start', ref, reason }
  return combine([entryOf(key, started(entry, now)), { actions: [action] }])
}

/** Tried as often as a start, because it includes one. */
function undo(
  { key, ref, record }: Known,
  { entry: before, why }: Extract<Next, { do: 'undo' }>,
  beside: string | null,
  now: Date,
): Finding {
  const { snapshot, running, starts = 0 } = before
  const reason = before.refused === true ? before.reason : unchangedReason(snapshot, why)
  const entry: RestoreWork = { ...before, refused: true, ...(reason === undefined ? {} : { reason }) }
  if (beside !== null) return waitWith(key, entry, beside)
  if (!isDue(entry, now)) return waitWith(key, entry, `its mark will be removed at ${entry.retryAt}`)
  if (starts >= STARTS) return giveUp(key, entry, notStarted(ref, entry), now)
  const start = running && record?.status === 'Stopped'
  const safeties = [before.safety, ...wordsOf(before.holds[RESTORED])]
  const action: UndoAction = { kind: 'undo', ref, safeties, start, reason: reason ?? '' }
  return combine([entryOf(key, started(entry, now)), { actions: [action] }])
}

function started(entry: RestoreWork, now: Date): RestoreWork {
  const starts = (entry.starts ?? 0) + 1
  return { ...entry, state: 'running', starts, retryAt: minutesFrom(now, starts) }
}

function tryAgain(
  known: Known,
  { entry: before, stage, why, permanent }: Extract<Next, { do: 'try' }>,
  beside: string | null,
  now: Date,
): Finding {
  const { key, ref } = known
  if (beside !== null && stage.from === 'marks') return waitWith(key, before, beside)
  const reason = why ?? 'it is not known how it ended: the relay or Incus was restarted'
  if (stage.from === 'marks' && before.marking === undefined) {
    // Whatever the outcome so far: until the marks are set, nothing protects held snapshots.
    const attempts = before.attempts + 1
    return begin(known, { ...before, attempts, marking: attempts, reason }, stage, now)
  }
  const failure = { state: 'failed', reason, permanent, now, since: before.marking ?? 0 } as const
  const entry = before.retryAt === undefined ? failedTry(before, failure, RETRY) : before
  if (entry.state === 'failed') return giveUp(key, entry, givenUpText(stage, entry, ref), now)
  if (isDue(entry, now)) return begin(known, entry, stage, now)
  return waitWith(key, entry, retryText(entry))
}

function givenUpText(stage: Stage, entry: RestoreWork, ref: InstanceRef): string {
  // Before another safety snapshot, an earlier try may have changed the disk.
  const from = stage.from === 'safety' && entry.diskOnly && entry.touched ? 'data' : stage.from
  return volumeIn(ref.instance) === null ? GIVEN_UP[from](entry) : VOLUME_GIVEN_UP[from](entry, ref)
}

function begin(known: Known, entry: RestoreWork, stage: Stage, now: Date): Finding {
  const action = actionOf(known, entry, stage, now)
  const { retryAt: _, ...rest } = entry
  const next: RestoreWork = { ...rest, state: 'started', job: action.job, safety: action.safety.name }
  return combine([entryOf(known.key, next), { actions: [action] }])
}

/** Also where it was no restore of this instance at all: a copy that took over has the source's safety snapshots. */
const UNCHANGED = 'its disk stays as it is, and only its marks and holds are set again; '

/** Of a volume. */
const STARTED = 'its data stays as it is, and only what was stopped for it is started again; '

/**
 * A safety snapshot that may be partial is removed, and the next one has another name. So a concurrent try that
 * comes later finds that name taken, and removes no complete one.
 */
function actionOf({ key, ref, record }: Known, entry: RestoreWork, stage: Stage, now: Date): RestoreAction {
  const { snapshot, running, stateful = false, diskOnly, holds, attempts, reason, expiresAt } = entry
  const soonest = new Date(now.getTime() + DAY).toISOString()
  const partial = stage.from === 'safety' ? stage.partial : null
  const there = record?.snapshots?.some(([name]) => name === entry.safety) === true
  const name =
    stage.from === 'safety' && there && record !== undefined ? safetyName(record, now) : entry.safety
  return {
    kind: 'restore',
    ref,
    snapshot,
    safety: { name, expiresAt: safetyExpiry(now, now), taken: stage.from !== 'safety' },
    // An instance that may stay frozen was noted at the request, and is checked when the restore has ended.
    standstill: null,
    partial,
    restored: stage.from === 'marks',
    running,
    stateful,
    ...(diskOnly ? { diskOnly } : {}),
    holds,
    held: record === undefined ? [] : heldOn(record),
    expiresAt: expiresAt === undefined ? null : ([expiresAt, soonest].sort().at(-1) ?? null),
    job: jobOf(key, name, attempts),
    users: entry.users ?? [],
    reason: `${stage.from === 'marks' ? (volumeIn(ref.instance) === null ? UNCHANGED : STARTED) : ''}try ${attempts + 1}: ${reason ?? ''}`,
  }
}
