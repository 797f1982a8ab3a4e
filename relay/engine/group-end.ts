/** Ends a group that was cut off, or that is only a part: what stands still runs again first, then its snapshots go. */
import { expiresAtOf } from '../../shared/incus/source.ts'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { call } from './call.ts'
import { runCalls } from './call-list.ts'
import { isObject, text } from './envelope.ts'
import { ENDING, type Group } from './groups.ts'
import { operationOn } from './guard-operation.ts'
import { resume } from './pausing.ts'
import { againstRemoval } from './removal.ts'
import { refused } from './rules.ts'
import { listOf, removeCall } from './steps/requests.ts'
import type { StepIo } from './steps/step-io.ts'
import { rowsOf } from './subject-requests.ts'

/** Milliseconds that the server's clock may be behind. */
const LEEWAY = 60_000

/** Null: nothing is left of it. The first error; all is tried. */
export async function endGroup(group: Group, io: StepIo): Promise<CallError | null> {
  const resumed = await Promise.all(group.paused.map((ref) => resume(ref, io)))
  const removed: (CallError | null)[] = []
  try {
    for (const ref of group.mine ?? group.members) removed.push(await removePart(ref, group, io))
  } finally {
    io.busy.end(ENDING)
  }
  const still = resumed.find((result) => !result.ok)
  return still?.ok === false ? still.error : (removed.find((error) => error !== null) ?? null)
}

/** Only what was made since it began. */
async function removePart(
  ref: InstanceRef,
  { snapshot, since }: Group,
  io: StepIo,
): Promise<CallError | null> {
  const list = await call(io.upstream, ref.remote, listOf(ref))
  if (!list.ok) return list.error.status === 404 ? null : list.error
  const rows = rowsOf(ref, list.value.envelope.metadata)
  if (!Array.isArray(rows)) return { code: 'bad-reply', message: `${subjectKey(ref)}: no list of snapshots` }
  const row = rows.find((one: unknown) => isObject(one) && one.name === snapshot)
  if (!isObject(row)) return null
  const created = expiresAtOf(text(row.created_at))?.getTime() ?? 0
  if (created < since - LEEWAY) return null
  const { remote, project, instance } = ref
  const running = await operationOn(io.upstream, remote, {
    name: 'getInstance',
    parameters: { instance },
    query: { project },
  })
  if (!running.ok) return running.error
  const what = `remove ${snapshot} of ${subjectKey(ref)}, which is only a part of a group`
  if (running.value !== null) return refused(what, `an operation runs on it: ${running.value}`)
  io.sightings.forget(ref)
  const why = await againstRemoval(ref, { snapshot, by: ENDING }, io)
  if (!why.ok) return why.error
  if (why.value !== null) return refused(what, why.value)
  const ran = await runCalls([removeCall(ref, snapshot)], io, { urgent: true })
  return ran.ok ? null : ran.error
}
