/** A connection to the files of an instance or a custom volume. */
import type { InstanceRef } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { brokenBy } from '../call.ts'
import type { StepIo } from '../steps/step-io.ts'
import { filesRequest } from '../subject-requests.ts'
import { openSftp, type Sftp } from './sftp.ts'

export async function connect(
  ref: InstanceRef,
  io: Pick<StepIo, 'connect'>,
): Promise<Result<Sftp, CallError>> {
  const channel = await io.connect(ref.remote, filesRequest(ref))
  if (!channel.ok) return channel
  try {
    return ok(await openSftp(channel.value))
  } catch (cause) {
    channel.value.destroy()
    return err(brokenBy(cause))
  }
}
