/**
 * Restores in place that have not ended: what they came to, and what is left to do. They are known from
 * the ledger, from the relay's jobs, and from the mark on the instance, so that any of these may be lost.
 */
import { instanceKey } from '../incus/inventory.ts'
import type { Ledger, RestoreLedger } from '../ledger/ledger.ts'
import { RESTORED, RESTORING } from '../policy/marks.ts'
import { minutesFrom } from '../schedule/moment.ts'
import type { Note, RestoreAction, StartAction, UndoAction } from './plan.ts'
import { familyOf } from './restore-job.ts'
import { type Next, nextStep } from './restore-judge.ts'
import { isEnded, type Known, knownRestore, refOf } from './restore-known.ts'
import {
  broken,
  GIVEN_UP,
  isDue,
  MEMORYLESS,
  notStarted,
  STARTS,
  type Stage,
  UNTOUCHED,
} from './restore-tries.ts'
import { heldOn, lostHolds, restoringOn, safetyExpiry, safetyName, wholeSafeties, wordsOf } from './safety.ts'
import type { World } from './world.ts'

export type Restores = {
  actions: (RestoreAction | StartAction | UndoAction)[]
  notes: Note[]
  /** By instance key: all that is to be noted from now on. */
  ledgers: Record<string, RestoreLedger>
  wake: string[]
  /** Instances that nothing else is done to, by key, each with the reason. */
  withheld: Map<string, string>
  /** Snapshots whose hold went with the config that a restore replaced, by instance key: they are held all the same. */
  held: Map<string, ReadonlySet<string>>
}

export function lookAfter(world: World, ledger: Ledger, now: Date): Restores {
  const restores: Restores = {
    actions: [],
    notes: [],
    ledgers: {},
    wake: [],
    withheld: new Map(),
    held: new Map(),
  }
  for (const key of keysOf(world, ledger)) {
    if (world.safeties?.get(key) === null) restores.withheld.set(key, UNREAD)
    const known = knownRestore(key, world, ledger, now)
    if (known === null) noteStray(key, world, restores)
    else if (isEnded(known.entry)) keepEnded(known, now, restores)
    else goOn(known, nextStep(known, world, now), now, restores)
    const lost = known === null ? [] : lostHolds(known.record, restores.ledgers[key])
    if (lost.length > 0) restores.held.set(key, new Set(lost))
  }
  return restores
}

const UNREAD = 'a restore of it was cut off, and the snapshot that was taken before it could not be read'

const PREFIX = familyOf('')

function keysOf({ remotes, jobs, safeties }: World, ledger: Ledger): Set<string> {
  const keys = new Set([...Object.keys(ledger.restores ?? {}), ...(safeties?.keys() ?? [])])
  for (const { id } of jobs) if (id.startsWith(PREFIX)) keys.add(id.slice(PREFIX.length, id.lastIndexOf(':')))
  for (const [remote, reply] of Object.entries(remotes))
    for (const { project, name, config } of reply.ok ? reply.inventory.instances : [])
      if ((config[RESTORING] ?? '') !== '') keys.add(instanceKey({ remote, project, instance: name }))
  return keys
}

/** Nothing was changed yet when it was forgotten: it isn't begun by itself. */
function noteStray(key: string, world: World, { notes }: Restores): void {
  const record = world.find(refOf(key))
  const mark = record === undefined ? null : restoringOn(record)
  if (record === undefined || mark === null || wholeSafeties(record).includes(mark.safety)) return
  const reason = `a restore to ${mark.snapshot} never began: ask again if it is still wanted`
  notes.push({ kind: 'skip', about: key, reason })
}

const DAY = 86_400_000

function keepEnded({ key, entry, mark, record }: Known, now: Date, restores: Restores): void {
  const stands = entry.state === 'failed' && mark?.taken === true && mark.safety === entry.safety
  const unmarked = entry.state === 'failed' && lostHolds(record, entry).length > 0
  const old = now.getTime() - new Date(entry.at).getTime() >= DAY
  if (stands || unmarked || !old) restores.ledgers[key] = entry
  if (unmarked) restores.notes.push({ kind: 'problem', about: key, reason: entry.reason ?? '' })
  if (!stands) return
  const hint = `once it is as it should be, remove the key ${RESTORING} from it`
  restores.withheld.set(key, `its restore to ${entry.snapshot} failed`)
  restores.notes.push({ kind: 'problem', about: key, reason: `${entry.reason ?? ''}; ${hint}` })
}

function goOn(known: Known, next: Next, now: Date, restores: Restores): void {
  const { key, entry } = known
  if (next.do === 'done') {
    const { retryAt: _, reason, ...rest } = entry
    const anew = entry.stateful === true && entry.marking !== undefined ? MEMORYLESS(reason) : null
    const said = anew === null ? {} : { reason: anew }
    restores.ledgers[key] = { ...rest, ...said, state: 'done', at: now.toISOString() }
    const told = `it was restored to ${entry.snapshot}${anew === null ? '' : `: ${anew}`}`
    restores.notes.push({ kind: 'keep', about: key, reason: told })
    return
  }
  restores.withheld.set(key, `it is being restored to ${entry.snapshot}`)
  restores.wake.push(minutesFrom(now, 1))
  if (next.do === 'fail') giveUp(key, entry, next.reason, now, restores)
  else if (next.do === 'start') startAgain(known, now, restores)
  else if (next.do === 'undo') undo(known, next, now, restores)
  else if (next.do === 'try') tryAgain(known, next, now, restores)
  else {
    restores.ledgers[key] = watched(known, now)
    restores.notes.push(waiting(key, entry, next.reason))
  }
}

const waiting = (key: string, { snapshot }: RestoreLedger, reason: string): Note => ({
  kind: 'wait',
  about: key,
  reason: `it is being restored to ${snapshot}: ${reason}`,
})

const watched = ({ entry, report }: Known, now: Date): RestoreLedger =>
  report?.state !== 'running' || (entry.state === 'running' && entry.job === report.id)
    ? entry
    : { ...entry, state: 'running', job: report.id, at: now.toISOString() }

function giveUp(key: string, entry: RestoreLedger, reason: string, now: Date, restores: Restores): void {
  const { retryAt: _, ...rest } = entry
  restores.ledgers[key] = { ...rest, state: 'failed', reason, at: now.toISOString() }
  restores.notes.push({ kind: 'problem', about: key, reason })
}

function startAgain({ key, ref, entry }: Known, now: Date, restores: Restores): void {
  const { starts = 0 } = entry
  if (!isDue(entry, now)) {
    restores.ledgers[key] = entry
    restores.notes.push(waiting(key, entry, `it is started again at ${entry.retryAt}`))
  } else if (starts >= STARTS) giveUp(key, entry, notStarted(ref.instance, entry), now, restores)
  else {
    restores.ledgers[key] = started(entry, now)
    const what = entry.refused === true ? 'was not restored' : 'was restored'
    restores.actions.push({ kind: 'start', ref, reason: `it ${what} to ${entry.snapshot}, and ran before` })
  }
}

/** Tried as often as a start, for it has one in it. */
function undo(
  { key, ref, record }: Known,
  { entry: before, why }: Extract<Next, { do: 'undo' }>,
  now: Date,
  restores: Restores,
): void {
  const { snapshot, running, starts = 0 } = before
  const reason = before.refused === true ? before.reason : UNTOUCHED(snapshot, why)
  const entry: RestoreLedger = { ...before, refused: true, ...(reason === undefined ? {} : { reason }) }
  if (!isDue(entry, now)) {
    restores.ledgers[key] = entry
    restores.notes.push(waiting(key, entry, `its mark is removed at ${entry.retryAt}`))
  } else if (starts >= STARTS) giveUp(key, entry, notStarted(ref.instance, entry), now, restores)
  else {
    restores.ledgers[key] = started(entry, now)
    const start = running && record?.status === 'Stopped'
    const safeties = [before.safety, ...wordsOf(before.holds[RESTORED])]
    restores.actions.push({ kind: 'undo', ref, safeties, start, reason: reason ?? '' })
  }
}

function started(entry: RestoreLedger, now: Date): RestoreLedger {
  const starts = (entry.starts ?? 0) + 1
  return { ...entry, state: 'running', starts, retryAt: minutesFrom(now, starts) }
}

function tryAgain(
  known: Known,
  { entry: before, stage, why, hopeless }: Extract<Next, { do: 'try' }>,
  now: Date,
  restores: Restores,
): void {
  const { key } = known
  const unseen = 'nobody saw how it ended: relay or Incus were restarted'
  if (stage.from === 'marks' && before.marking === undefined) {
    // Whatever came of the rest: until they are set, nothing holds what was held.
    const attempts = before.attempts + 1
    const entry = { ...before, attempts, marking: attempts, reason: why ?? unseen }
    begin(actionOf(known, entry, stage, now), known, entry, restores)
    return
  }
  const entry = before.retryAt === undefined ? broken(before, why ?? unseen, hopeless, now) : before
  if (entry.state === 'failed') giveUp(key, entry, GIVEN_UP[stage.from](entry), now, restores)
  else if (isDue(entry, now)) begin(actionOf(known, entry, stage, now), known, entry, restores)
  else {
    restores.ledgers[key] = entry
    restores.notes.push(waiting(key, entry, `tried again at ${entry.retryAt}: ${entry.reason ?? ''}`))
  }
}

function begin(action: RestoreAction, { key }: Known, entry: RestoreLedger, restores: Restores): void {
  const { retryAt: _, ...rest } = entry
  restores.ledgers[key] = { ...rest, state: 'started', job: action.job, safety: action.safety.name }
  restores.actions.push(action)
}

/** Also where it was no restore of this instance at all: a copy that took over has the source's safety snapshots. */
const UNCHANGED = 'its disk stays as it is, only its marks and holds are set again; '

/**
 * A safety snapshot that may be partial goes, and the next one has a name of its own: a try at the same time
 * that comes later finds that name taken, and removes nothing whole.
 */
function actionOf({ key, ref, record }: Known, entry: RestoreLedger, stage: Stage, now: Date): RestoreAction {
  const { snapshot, running, stateful = false, holds, attempts, reason, expiresAt } = entry
  const soonest = new Date(now.getTime() + DAY).toISOString()
  const half = stage.from === 'safety' ? stage.half : null
  const there = record?.snapshots?.some(([name]) => name === entry.safety) === true
  const name =
    stage.from === 'safety' && there && record !== undefined ? safetyName(record, now) : entry.safety
  return {
    kind: 'restore',
    ref,
    snapshot,
    safety: { name, expiresAt: safetyExpiry(now, now), taken: stage.from !== 'safety' },
    // What may stay frozen was noted when it was asked for, and is looked at when it has ended.
    standstill: null,
    half,
    restored: stage.from === 'marks',
    running,
    stateful,
    holds,
    held: record === undefined ? [] : heldOn(record),
    expiresAt: expiresAt === undefined ? null : ([expiresAt, soonest].sort().at(-1) ?? null),
    job: `${familyOf(key)}:${name}#${attempts}`,
    reason: `${stage.from === 'marks' ? UNCHANGED : ''}try ${attempts + 1}: ${reason ?? ''}`,
  }
}
