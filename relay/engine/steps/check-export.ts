/** Reads an export again. What isn't what was stored is remembered: it is no reason for another one to go. */
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import type { CheckExportStep } from '../../../shared/relay/export-steps.ts'
import { ok } from '../../../shared/result.ts'
import { CORRUPT, rowOf } from '../../../shared/work/export/manifest.ts'
import { silent } from '../call-list.ts'
import { unlessCancelled } from '../cancels.ts'
import { badKey } from '../export-removal.ts'
import type { PlanStep, StepIo } from './step-io.ts'

export const planCheckExport: PlanStep<CheckExportStep> = async (
  { ref, store, name },
  io,
  _job,
  watcher = silent,
) => {
  const checked = await io.exports.check(store, ref, name, unlessCancelled(watcher))
  const isBad = !checked.ok && checked.error.status === CORRUPT
  const read = checked.ok ? checked.value.name : isBad ? (name ?? (await newestIn(store, ref, io))) : null
  if (read !== null) io.journal.noteBad(badKey(store, subjectKey(ref), read), isBad)
  return checked.ok ? ok({ calls: [], reply: rowOf(store, checked.value) }) : checked
}

async function newestIn(store: string, ref: InstanceRef, { exports }: StepIo): Promise<string | null> {
  const listed = await exports.list(store, ref, null, true)
  return listed.ok ? (listed.value[0]?.name ?? null) : null
}
