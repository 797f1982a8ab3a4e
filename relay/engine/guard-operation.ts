/** What runs on an instance or a volume just now. */
import type { OperationRecord } from '../../shared/incus/inventory.ts'
import { type Match, request } from '../../shared/incus/routes.ts'
import { type InstanceRef, subjectKey, volumeIn } from '../../shared/incus/subject.ts'
import { copiesUnnamed } from '../../shared/plan/operations.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { parseOperations } from './parse-operations.ts'
import { subjectNameIn } from './subject-requests.ts'
import type { Upstream } from './upstream.ts'

async function operationsOn(
  upstream: Upstream,
  { remote, project, instance }: InstanceRef,
): Promise<Result<OperationRecord[], CallError>> {
  const list = await call(upstream, remote, request('listOperations', {}, { recursion: '1', project }))
  if (!list.ok) return list
  const operations = parseOperations(list.value.envelope.metadata)
  return operations === null
    ? err(badReply(remote, list.value.status, 'its operations have another form than expected'))
    : ok(operations.filter((one) => one.instances.includes(instance)))
}

/** In Incus's words, or null. */
export async function operationOn(
  upstream: Upstream,
  remote: string,
  match: Match,
): Promise<Result<string | null, CallError>> {
  const ref = { remote, project: match.query.project ?? 'default', instance: subjectNameIn(match) }
  const mine = await operationsOn(upstream, ref)
  return mine.ok ? ok(mine.value[0]?.description ?? null) : mine
}

/**
 * What may write to a volume, in Incus's words; null: nothing. An operation that makes one from another of the same
 * server doesn't name it.
 */
export async function copyingInto(
  upstream: Upstream,
  { remote, project, instance }: InstanceRef,
): Promise<Result<string | null, CallError>> {
  const wanted = request('listOperations', {}, { recursion: '1', 'all-projects': 'true' })
  const list = await call(upstream, remote, wanted)
  if (!list.ok) return list
  const operations = parseOperations(list.value.envelope.metadata)
  if (operations === null)
    return err(badReply(remote, list.value.status, 'its operations have another form than expected'))
  const found = operations.find(
    (one) => (one.project === project && one.instances.includes(instance)) || copiesUnnamed(one),
  )
  return ok(found?.description ?? null)
}

/** Incus would delete a volume while it is made, and then remove by its name what was made since. */
export async function writingTo(
  ref: InstanceRef,
  { upstream }: { upstream: Upstream },
): Promise<CallError | null> {
  if (volumeIn(ref.instance) === null) return null
  const what = await copyingInto(upstream, ref)
  if (!what.ok) return what.error
  return what.value === null
    ? null
    : {
        code: 'locked',
        message: `Incus may still be making ${subjectKey(ref)} (${what.value}); try again when that has ended`,
      }
}

/** Incus's words for what neither holds up a copy of the instance nor leaves it fewer snapshots (6.0.4, 7.0.2). */
const HARMLESS = ['Updating snapshot', 'Executing command', 'Showing console']

/**
 * What may fail a copy that begins now, or leave its source fewer snapshots than are listed, in Incus's words; or
 * null. A second copy waits for the first one and fails then, and so does one that begins during a snapshot.
 */
export async function hindranceOn(
  upstream: Upstream,
  instance: InstanceRef,
): Promise<Result<string | null, CallError>> {
  const mine = await operationsOn(upstream, instance)
  if (!mine.ok) return mine
  return ok(mine.value.find(({ description }) => !HARMLESS.includes(description))?.description ?? null)
}
