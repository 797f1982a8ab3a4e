/**
 * The marks of removals that can be undone, across a restore in place: the snapshot's config has those of its time, and
 * lacks what was removed since. Those that are in force are set again, and all others go.
 */
import { type Expiring, expiresAtOf } from '../../../shared/incus/source.ts'
import { subjectKey } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { parseUndo, UNDO } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { RestoreStep } from '../../../shared/relay/steps.ts'
import { ok, type Result } from '../../../shared/result.ts'
import type { Sighting } from '../sightings.ts'
import { readExpiries } from './snapshots.ts'
import type { StepIo } from './step-io.ts'

/** By key; an empty one is unset. */
export async function removalsAfter(
  { ref, snapshot, holds }: RestoreStep,
  { own: keys, config }: Sighting,
  io: StepIo,
): Promise<Result<Record<string, string>, CallError>> {
  const there = Object.fromEntries(keys.map((key) => [key, own(config, key) ?? '']))
  const rows = await readExpiries(ref, io)
  if (!rows.ok) return rows
  const restored = rows.value.find(({ name }) => name === snapshot)?.config ?? {}
  const known = [restored, there, holds].flatMap((marks) =>
    Object.entries(marks).filter(([key]) => key.startsWith(UNDO)),
  )
  const byName = new Map(rows.value.map((row) => [row.name, row]))
  const inForce = known.filter(([key, mark]) => {
    const row = byName.get(key.slice(UNDO.length))
    return row !== undefined && isInForce(mark, row, subjectKey(ref), io)
  })
  return ok({ ...Object.fromEntries(known.map(([key]) => [key, ''])), ...Object.fromEntries(inForce) })
}

/** Incus shows its end, or the one that a copy has set in its place. */
function isInForce(
  mark: string,
  { name, expiresAt }: Expiring,
  key: string,
  { journal }: Pick<StepIo, 'journal'>,
): boolean {
  const end = parseUndo(mark)?.end
  const shown = expiresAtOf(expiresAt)?.getTime() ?? null
  const present = journal.postponed(key, name, shown) ?? shown
  return end !== undefined && present !== null && Math.floor(end / 1000) === Math.floor(present / 1000)
}
