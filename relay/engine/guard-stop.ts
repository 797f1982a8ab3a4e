/** The relay shuts an instance down only for the restore of a custom volume that it uses: the volume's own mark names it. */
import type { InstanceRef } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { ok, type Result } from '../../shared/result.ts'
import { isObject } from './envelope.ts'
import type { Seal } from './seal.ts'
import type { Upstream } from './upstream.ts'
import { readRestoring, volumesOf } from './volume-marks.ts'
import { whyLasting } from './volume-users.ts'

export const isStop = (body: unknown): boolean => isObject(body) && body.action === 'stop'

/** `instance`: as Incus shows it. Null: it may be stopped. */
export async function againstStop(
  io: { upstream: Upstream; seal: Seal },
  ref: InstanceRef,
  instance: Record<string, unknown>,
): Promise<Result<string | null, CallError>> {
  const lasting = whyLasting(instance)
  if (lasting !== null) return ok(lasting)
  for (const one of volumesOf(ref, instance)) {
    const seen = await readRestoring(one, io)
    if (!seen.ok) return seen
    const mark = seen.value?.mark
    if (mark?.taken === true && mark.users.includes(ref.instance)) return ok(null)
  }
  return ok('no volume that it uses is being restored')
}
