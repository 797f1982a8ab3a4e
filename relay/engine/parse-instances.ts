/** `GET /1.0/instances?recursion=1&all-projects=true` to what stapes needs of it; snapshots come later. */
import type { Identity, InstanceRecord } from '../../shared/incus/inventory.ts'
import { PROTECTION } from '../../shared/policy/marks.ts'
import { isObject, text } from './envelope.ts'
import { parseSeconds } from './parse-volumes.ts'
import { refuseKeys, userKeys, wantedBy, withhold, withinBudget } from './user-keys.ts'

/**
 * Null when the metadata is no list of instances: a partial list is worse than none. `selectedBy`: the keys that
 * are passed on besides those of stapes.
 */
export function parseInstances(metadata: unknown, selectedBy: readonly string[]): InstanceRecord[] | null {
  if (!Array.isArray(metadata)) return null
  const isWanted = wantedBy(selectedBy)
  const records: InstanceRecord[] = []
  for (const instance of metadata) {
    const record = parseInstance(instance, isWanted)
    if (record === null) return null
    records.push(record)
  }
  withinBudget(records)
  return records
}

function parseInstance(instance: unknown, isWanted: (key: string) => boolean): InstanceRecord | null {
  if (!isObject(instance)) return null
  const { type } = instance
  const [name, project] = [text(instance.name), text(instance.project)]
  if (name === '' || project === '' || (type !== 'container' && type !== 'virtual-machine')) return null
  const config = userKeys(instance.expanded_config, isWanted)
  const problem = refuseKeys(config)
  const standing = isObject(instance.config) ? instance.config : {}
  // A member that can't be reached: `config`, `devices` and `profiles` are null, the expanded ones missing.
  const isKnown =
    isObject(instance.config) && isObject(instance.expanded_config) && isObject(instance.expanded_devices)
  const identity = identityOf(standing, instance.created_at)
  const record: InstanceRecord = {
    project,
    name,
    type,
    status: text(instance.status),
    location: text(instance.location),
    pool: rootPool(instance.expanded_devices),
    config,
    own: Object.keys(config).filter((key) => Object.hasOwn(standing, key)),
    snapshots: null,
    ...(identity === null ? {} : { identity }),
    ...(isKnown ? {} : { offline: true }),
    ...(keepsMemory(instance.expanded_config) ? { memory: true } : {}),
    ...(isProtected(instance.expanded_config) ? { protected: true } : {}),
  }
  if (problem !== null) withhold(record, problem)
  return record
}

function identityOf(config: Record<string, unknown>, created: unknown): Identity | null {
  const uuid = text(config['volatile.uuid'])
  const since = parseSeconds(created)
  return uuid === '' || since === null ? null : { uuid, since }
}

const isProtected = (config: unknown): boolean => isObject(config) && text(config[PROTECTION]) === 'true'

const keepsMemory = (config: unknown): boolean =>
  isObject(config) && text(config['migration.stateful']) === 'true'

/** Empty when there is no root disk. */
function rootPool(devices: unknown): string {
  if (!isObject(devices)) return ''
  for (const device of Object.values(devices)) {
    if (isObject(device) && device.type === 'disk' && device.path === '/') return text(device.pool)
  }
  return ''
}
