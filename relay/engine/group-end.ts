/** Ends a group that was cut off, or that is only a part: what stands still runs again first, then its snapshots go. */
import { expiresAtOf } from '../../shared/incus/source.ts'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { PAUSING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { call } from './call.ts'
import { runCalls } from './call-list.ts'
import { isObject, text } from './envelope.ts'
import { ENDING, type Group } from './groups.ts'
import { operationOn } from './guard-operation.ts'
import { pauseMark } from './pause-mark.ts'
import { resume } from './pausing.ts'
import { againstRemoval } from './removal.ts'
import { refused } from './rules.ts'
import { listOf, removeCall } from './steps/requests.ts'
import type { StepIo } from './steps/step-io.ts'
import { rowsOf } from './subject-requests.ts'

/** Milliseconds that the server's clock may be behind. */
const LEEWAY = 60_000
/** Milliseconds within which Incus begins what it is asked for, its clock included. */
const BEGUN = 300_000

/** Null: nothing is left of it. The first error; nothing goes while it isn't known of all of it whose it is. */
export async function endGroup(group: Group, io: StepIo): Promise<CallError | null> {
  const resumed = await Promise.all(group.paused.map((ref) => resume(ref, io)))
  const removed: (CallError | null)[] = []
  try {
    const parts = await partsOf(group, io)
    if (!parts.ok) removed.push(parts.error)
    else for (const ref of parts.value) removed.push(await removePart(ref, group, io))
  } finally {
    io.busy.end(ENDING)
  }
  const still = resumed.find((result) => !result.ok)
  return still?.ok === false ? still.error : (removed.find((error) => error !== null) ?? null)
}

/** Those that have what was made since it began. One that another group made says that the others may be of that, too. */
async function partsOf(group: Group, io: StepIo): Promise<Result<InstanceRef[], CallError>> {
  const parts: InstanceRef[] = []
  for (const ref of group.mine ?? group.members) {
    const row = await readPart(ref, group, io)
    if (!row.ok) return row
    if (row.value === null) continue
    const why = whyStrange(ref, row.value, group, io)
    if (why !== null) return err(refused(`remove ${group.snapshot} of ${subjectKey(ref)}`, why))
    parts.push(ref)
  }
  return ok(parts)
}

type Row = { created: number; config: unknown }

/** Null: there is none, or one that was there before. */
async function readPart(
  ref: InstanceRef,
  { snapshot, since }: Group,
  io: StepIo,
): Promise<Result<Row | null, CallError>> {
  const list = await call(io.upstream, ref.remote, listOf(ref))
  if (!list.ok) return list.error.status === 404 ? ok(null) : list
  const rows = rowsOf(ref, list.value.envelope.metadata)
  if (!Array.isArray(rows))
    return err({ code: 'bad-reply', message: `${subjectKey(ref)}: no list of snapshots` })
  const row = rows.find((one: unknown) => isObject(one) && one.name === snapshot)
  if (!isObject(row)) return ok(null)
  const created = expiresAtOf(text(row.created_at))?.getTime() ?? 0
  return ok(created < since - LEEWAY ? null : { created, config: row.config })
}

/** By what the server says of it, somebody else may have made it; null: no sign of that. */
function whyStrange(
  ref: InstanceRef,
  { created, config }: Row,
  { snapshot, paused, since, asked, hook }: Group,
  { seal }: StepIo,
): string | null {
  const mark = isObject(config) ? text(config[PAUSING]) : ''
  const isPaused = paused.some((one) => subjectKey(one) === subjectKey(ref))
  const isOthers = isPaused && mark !== '' && mark !== pauseMark(ref, since, seal, hook)
  if (!isOthers && (asked === undefined || created <= asked + BEGUN)) return null
  return `somebody else may have made it, so nothing named ${snapshot} is removed: delete what nobody needs, and rename the rest`
}

async function removePart(ref: InstanceRef, { snapshot }: Group, io: StepIo): Promise<CallError | null> {
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
