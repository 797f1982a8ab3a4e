/** Whether something has files that its server gives: a container has, and a custom volume on newer servers. */
import { request } from '../../../shared/incus/routes.ts'
import { type InstanceRef, volumeIn } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { ok, type Result } from '../../../shared/result.ts'
import { call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import type { StepIo } from '../steps/step-io.ts'

/** `subject`: as Incus shows it. Null: its files can be read and written. */
export async function againstKind(
  { remote, instance }: InstanceRef,
  subject: unknown,
  { upstream }: Pick<StepIo, 'upstream'>,
): Promise<Result<string | null, CallError>> {
  const { type, content_type: content } = isObject(subject) ? subject : {}
  if (volumeIn(instance) === null) return ok(type === 'virtual-machine' ? MACHINE : null)
  if (content !== 'filesystem')
    return ok(`it is a ${text(content)} volume, whose files only the instance that uses it can read: ${ANEW}`)
  const server = await call(upstream, remote, request('getServer'))
  if (!server.ok) return server
  const { metadata } = server.value.envelope
  const extensions = isObject(metadata) ? metadata.api_extensions : null
  return ok(Array.isArray(extensions) && extensions.includes('custom_volume_sftp') ? null : OLD)
}

const MACHINE =
  'it is a virtual machine, whose files only its own agent gives: clone the snapshot, and start that'
const ANEW = 'clone the snapshot, and attach that volume to an instance of yours'
const OLD = `its Incus gives no files of custom volumes (6.0.5, 6.13 and later do): ${ANEW}`
