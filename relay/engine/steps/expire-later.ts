/** Removals that can be undone: Incus executes them later, and the instance says what the snapshot had before. */
import { expiresAtOf } from '../../../shared/incus/source.ts'
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { parseUndo, renderUndo, UNDO, type Undoable } from '../../../shared/policy/marks.ts'
import type { CallError, Job } from '../../../shared/relay/protocol.ts'
import type { ExpireLaterStep, UndoStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { whileRestored } from '../locks.ts'
import { isReplica } from '../removal.ts'
import { isSource, notSource, refused } from '../rules.ts'
import type { Sighting } from '../sightings.ts'
import { expiryCall, markCall } from './requests.ts'
import { againstExpiryOf, readExpiries } from './snapshots.ts'
import type { PlanStep, StepIo } from './step-io.ts'

const DAY = 86_400_000
/** How Incus answers while another operation has the instance. */
const BUSY = 500

export const planExpireLater: PlanStep<ExpireLaterStep> = async ({ ref, snapshot, expiresAt }, io, job) => {
  const what = `remove ${snapshot} of ${subjectKey(ref)}`
  const seen = await standing(ref, what, io, job)
  if (!seen.ok) return seen.error.status === 404 ? ok({ calls: [] }) : seen
  const rows = await readExpiries(ref, io)
  if (!rows.ok) return rows
  const row = rows.value.find(({ name }) => name === snapshot)
  if (row === undefined) return ok({ calls: [] })
  const end = new Date(expiresAt)
  const shown = expiresAtOf(row.expiresAt)
  const name = `${UNDO}${snapshot}`
  const noted = seen.value.own.includes(name) ? parseUndo(own(seen.value.config, name) ?? '') : null
  // Asked for again, what was its own stays so, and the date may be another.
  const old = noted !== null && shown !== null && isSameSecond(noted.end, shown.getTime()) ? noted : null
  if (shown !== null && isAsGood(shown.getTime(), end.getTime(), { old, now: io.clock.now() }))
    return ok({ calls: [] })
  const why = againstExpiryOf(ref, seen.value, { snapshot, end, by: job, rows: rows.value }, io)
  if (!why.ok) return why
  if (why.value !== null) return err(refused(what, why.value))
  const key = subjectKey(ref)
  // A copy may have postponed it: that is not its own. Nor is what it postponed, where that was a removal's.
  const present = io.journal.postponed(key, snapshot, shown?.getTime() ?? null) ?? shown?.getTime() ?? null
  const before = noted === null ? present : laterOf(noted.before, present)
  const gone = staleIn(seen.value, new Set(rows.value.map(({ name }) => name)))
  const pair = (seen.value.snapshots ?? []).find(([name]) => name === snapshot)
  return ok({
    // Cut off in between, it stays.
    calls: [
      markCall(ref, { ...gone, [name]: renderUndo({ end: end.getTime(), before }) }),
      expiryCall(ref, snapshot, end.toISOString(), row.expiresAt),
    ],
    done() {
      if (pair !== undefined) io.journal.noteExpired(key, pair, end.getTime())
      io.sightings.forget(ref)
    },
  })
}

export const planUndo: PlanStep<UndoStep> = async ({ ref, snapshot }, io, job) => {
  const what = `take back the removal of ${snapshot} of ${subjectKey(ref)}`
  const seen = await standing(ref, what, io, job)
  if (!seen.ok) return seen
  const name = `${UNDO}${snapshot}`
  const mark = seen.value.own.includes(name) ? parseUndo(own(seen.value.config, name) ?? '') : null
  if (mark === null) return err(refused(what, 'nobody has removed it in a way that can be undone'))
  const rows = await readExpiries(ref, io)
  if (!rows.ok) return rows
  const row = rows.value.find((one) => one.name === snapshot)
  if (row === undefined) return err(refused(what, 'it is gone'))
  const key = subjectKey(ref)
  const shown = expiresAtOf(row.expiresAt)
  const end = laterEnd(mark, snapshot, shown, { key, io })
  const pair = (seen.value.snapshots ?? []).find(([one]) => one === snapshot)
  const gone = staleIn(seen.value, new Set(rows.value.map((one) => one.name)))
  return ok({
    calls: [
      ...(end === 'as it is'
        ? []
        : [expiryCall(ref, snapshot, end === null ? null : new Date(end).toISOString(), row.expiresAt)]),
      // Incus refuses it while the instance is copied. The snapshot stays all the same; asked for again, the mark goes.
      { ...markCall(ref, { ...gone, [name]: '' }), tolerate: [BUSY] },
    ],
    done() {
      if (pair !== undefined)
        io.journal.noteEnd(key, pair, mark.before === null ? null : Math.ceil(mark.before / 1000))
      if (end !== 'as it is' || shown === null) io.sightings.lasts(ref, snapshot)
      io.sightings.forget(ref)
    },
  })
}

/** Whether what Incus shows needs no change. */
function isAsGood(shown: number, end: number, { old, now }: { old: Undoable | null; now: number }): boolean {
  if (old === null) return shown <= end
  // What is due goes within a minute. A slot at that very moment must not make it wait once more.
  return shown <= now || isSameSecond(shown, end)
}

/** Incus keeps no more of a date everywhere. */
const isSameSecond = (one: number, other: number): boolean =>
  Math.floor(one / 1000) === Math.floor(other / 1000)

/** As it was before, and never earlier than it is: whoever may edit the instance can write such a mark. */
function laterEnd(
  { before }: Undoable,
  snapshot: string,
  shown: Date | null,
  { key, io }: { key: string; io: StepIo },
): number | null | 'as it is' {
  if (shown === null) return 'as it is'
  if (before === null) return null
  const least = Math.max(before, io.clock.now() + DAY)
  // A copy postponed it, and would set the removal's date again: unless it finds another one.
  if (io.journal.postponed(key, snapshot, shown.getTime()) !== null)
    return Math.max(least, shown.getTime() + 1000)
  return least <= shown.getTime() ? 'as it is' : least
}

/** Null: never. */
const laterOf = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : Math.max(one, other)

/** Marks of snapshots that are gone. */
const staleIn = ({ own: keys }: Sighting, listed: ReadonlySet<string>): Record<string, ''> =>
  Object.fromEntries(
    keys.filter((key) => key.startsWith(UNDO) && !listed.has(key.slice(UNDO.length))).map((key) => [key, '']),
  )

/** A source's instance that isn't being restored, as it is now. */
export async function standing(
  ref: InstanceRef,
  what: string,
  io: StepIo,
  job: Job,
): Promise<Result<Sighting, CallError>> {
  if (!isSource(io.remotes, ref.remote)) return err(refused(what, notSource(ref.remote)))
  const busy = whileRestored(ref, job.id, io.locks)
  if (busy !== null) return err(busy)
  const seen = await io.sightings.read(ref)
  if (!seen.ok) return seen
  return isReplica(ref, seen.value, io) ? err(refused(what, 'it is a copy')) : seen
}
