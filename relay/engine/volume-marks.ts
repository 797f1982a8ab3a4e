/** The restores of the custom volumes that an instance uses, by their own sealed marks. */
import { request } from '../../shared/incus/routes.ts'
import { type InstanceRef, subjectKey, volumeName } from '../../shared/incus/subject.ts'
import { own } from '../../shared/own.ts'
import { RESTORED, RESTORING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { ok, type Result } from '../../shared/result.ts'
import { parseRestoring, type Restoring, wordsOf } from '../../shared/work/restore/mark.ts'
import { call } from './call.ts'
import { isObject, text } from './envelope.ts'
import type { Locks } from './locks.ts'
import type { Seal } from './seal.ts'
import type { Upstream } from './upstream.ts'

type Io = { upstream: Upstream; seal: Seal }

/** Those that it uses, in its own project or in the one whose volumes that one uses. `instance`: as Incus shows it. */
export function volumesOf(
  { remote, project }: InstanceRef,
  instance: Record<string, unknown>,
): { ref: InstanceRef; pool: string; volume: string }[] {
  const devices = isObject(instance.expanded_devices) ? Object.values(instance.expanded_devices) : []
  return devices.flatMap((device) => {
    if (!isObject(device) || device.type !== 'disk' || device.path === '/' || text(device.pool) === '')
      return []
    const [pool, volume = ''] = [text(device.pool), text(device.source).split('/')[0]]
    return volume === ''
      ? []
      : [{ ref: { remote, project, instance: volumeName(pool, volume) }, pool, volume }]
  })
}

/** The relay's own mark on a volume, and whether its data is whole by it. Null: there is none. */
export async function readRestoring(
  { ref, pool, volume }: { ref: InstanceRef; pool: string; volume: string },
  { upstream, seal }: Io,
): Promise<Result<{ mark: Restoring; isWhole: boolean } | null, CallError>> {
  const { remote, project } = ref
  const wanted = request('getVolume', { pool, volume, type: 'custom' }, { project })
  const seen = await call(upstream, remote, wanted)
  if (!seen.ok) return seen.error.status === 404 ? ok(null) : seen
  const { config } = isObject(seen.value.envelope.metadata) ? seen.value.envelope.metadata : {}
  const textOf = (key: string): string => (isObject(config) ? text(own(config, key)) : '')
  const mark = seal.isOn(ref, textOf(RESTORING)) ? parseRestoring(textOf(RESTORING)) : null
  if (mark === null) return ok(null)
  return ok({ mark, isWhole: !mark.writing || wordsOf(textOf(RESTORED)).includes(mark.safety) })
}

/**
 * Why it must not be started, in words: a volume that it uses is being restored, or was left partly old and partly new. Null: it
 * may. `restored`: the volume that it is started for, if any.
 */
export async function againstStart(
  user: InstanceRef,
  instance: Record<string, unknown>,
  restored: InstanceRef | null,
  io: Io & { locks: Locks },
): Promise<Result<string | null, CallError>> {
  for (const one of volumesOf(user, instance)) {
    if (one.ref.instance === restored?.instance) continue
    const key = subjectKey(one.ref)
    const why = `${subjectKey(user)} uses ${key}, whose restore has not ended`
    if (io.locks.holder(key)?.startsWith('restore ') === true) return ok(why)
    const seen = await readRestoring(one, io)
    if (!seen.ok) return seen
    if (seen.value?.isWhole === false) return ok(why)
  }
  return ok(null)
}
