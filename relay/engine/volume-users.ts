/** The instances that use a custom volume, as they are just now: Incus restores it only while none of them runs. */
import { request } from '../../shared/incus/routes.ts'
import { type InstanceRef, subjectKey, volumeIn } from '../../shared/incus/subject.ts'
import { REPLICA_OF } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { isObject, text } from './envelope.ts'
import type { Upstream } from './upstream.ts'

/** `runs` null: it is neither running nor stopped. `lasting`: why it must not be stopped, in words; null: it may. */
export type User = {
  ref: InstanceRef
  status: string
  location: string
  isCopy: boolean
  runs: boolean | null
  lasting: string | null
}

/** `volume`: as Incus shows it. `unseen`: names of those that it says use it, and that the relay can't see. */
export async function readUsers(
  ref: InstanceRef,
  volume: unknown,
  { upstream }: { upstream: Upstream },
): Promise<Result<{ users: User[]; unseen: string[] }, CallError>> {
  const { pool = '', volume: name = '' } = volumeIn(ref.instance) ?? {}
  const { used_by: urls, project } = isObject(volume) ? volume : {}
  const list = await call(
    upstream,
    ref.remote,
    request('listInstances', {}, { recursion: '1', 'all-projects': 'true' }),
  )
  if (!list.ok) return list
  const rows: unknown = list.value.envelope.metadata
  if (!Array.isArray(rows) || !Array.isArray(urls))
    return err(badReply(ref.remote, list.value.status, `what uses ${subjectKey(ref)} can't be read`))
  const said = new Set(urls.flatMap((url: unknown) => instanceIn(text(url)) ?? []))
  const users = rows.flatMap((row: unknown): User[] => {
    if (!isObject(row)) return []
    const key = `${text(row.project)}/${text(row.name)}`
    const isSaid = said.delete(key)
    const isHere = text(row.project) === text(project) && has(row.expanded_devices, pool, name)
    return isSaid || isHere ? [userOf(row, ref.remote)] : []
  })
  return ok({ users, unseen: [...said] })
}

/** `project/name`; null: it is no instance's URL. */
function instanceIn(url: string): string | null {
  const [, name, project = 'default'] = /^\/1\.0\/instances\/([^/?]+)(?:\?project=([^&]+))?$/.exec(url) ?? []
  return name === undefined ? null : `${decodeURIComponent(project)}/${decodeURIComponent(name)}`
}

/** Also a folder of it. */
const has = (devices: unknown, pool: string, volume: string): boolean =>
  Object.values(isObject(devices) ? devices : {}).some(
    (device) =>
      isObject(device) &&
      device.type === 'disk' &&
      device.pool === pool &&
      text(device.source).split('/')[0] === volume,
  )

function userOf(row: Record<string, unknown>, remote: string): User {
  const status = text(row.status)
  return {
    ref: { remote, project: text(row.project), instance: text(row.name) },
    ...{ status, location: text(row.location) },
    isCopy: isObject(row.config) && text(row.config[REPLICA_OF]) !== '',
    runs: RUNS.includes(status) ? true : status === 'Stopped' ? false : null,
    lasting: whyLasting(row),
  }
}

/** Of an instance as Incus shows it: why it would not be there, or not run, after it was stopped. */
export function whyLasting({ ephemeral, expanded_config: config }: Record<string, unknown>): string | null {
  if (ephemeral !== false) return 'it is ephemeral, so Incus deletes it when it stops'
  return isObject(config) && text(config['security.protection.start']) === 'true'
    ? 'its security.protection.start keeps it from being started again'
    : null
}

const RUNS = ['Running', 'Ready']
