/** The relay shuts an instance down only for the restore of a custom volume that it uses: the volume's own mark names it. */
import { request } from '../../shared/incus/routes.ts'
import { type InstanceRef, volumeName } from '../../shared/incus/subject.ts'
import { RESTORING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { ok, type Result } from '../../shared/result.ts'
import { parseRestoring } from '../../shared/work/restore/mark.ts'
import { call } from './call.ts'
import { isObject, text } from './envelope.ts'
import type { Seal } from './seal.ts'
import type { Upstream } from './upstream.ts'
import { whyLasting } from './volume-users.ts'

export const isStop = (body: unknown): boolean => isObject(body) && body.action === 'stop'

/** `instance`: as Incus shows it. Null: it may be stopped. */
export async function againstStop(
  { upstream, seal }: { upstream: Upstream; seal: Seal },
  { remote, project, instance: name }: InstanceRef,
  instance: Record<string, unknown>,
): Promise<Result<string | null, CallError>> {
  const lasting = whyLasting(instance)
  if (lasting !== null) return ok(lasting)
  const devices = isObject(instance.expanded_devices) ? Object.values(instance.expanded_devices) : []
  for (const device of devices) {
    if (!isObject(device) || device.type !== 'disk' || device.path === '/' || text(device.pool) === '')
      continue
    const [pool, volume = ''] = [text(device.pool), text(device.source).split('/')[0]]
    if (volume === '') continue
    const seen = await call(
      upstream,
      remote,
      request('getVolume', { pool, volume, type: 'custom' }, { project }),
    )
    if (!seen.ok && seen.error.status !== 404) return seen
    const { config } = seen.ok && isObject(seen.value.envelope.metadata) ? seen.value.envelope.metadata : {}
    const mark = isObject(config) ? text(config[RESTORING]) : ''
    const ref = { remote, project, instance: volumeName(pool, volume) }
    const restoring = seal.isOn(ref, mark) ? parseRestoring(mark) : null
    if (restoring?.taken === true && restoring.users.includes(name)) return ok(null)
  }
  return ok('no volume that it uses is being restored')
}
