/** A connection to the files of an instance. */
import { request } from '../../../shared/incus/routes.ts'
import type { InstanceRef } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { brokenBy } from '../call.ts'
import { where } from '../steps/requests.ts'
import type { StepIo } from '../steps/step-io.ts'
import { openSftp, type Sftp } from './sftp.ts'

export async function connect(
  ref: InstanceRef,
  io: Pick<StepIo, 'connect'>,
): Promise<Result<Sftp, CallError>> {
  const { parameters, query } = where(ref)
  const channel = await io.connect(ref.remote, request('openFiles', parameters, query))
  if (!channel.ok) return channel
  try {
    return ok(await openSftp(channel.value))
  } catch (cause) {
    channel.value.destroy()
    return err(brokenBy(cause))
  }
}
