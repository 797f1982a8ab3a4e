/** `GET /1.0/instances?recursion=1&all-projects=true` to what stapes needs of it; snapshots come later. */
import type { Identity, InstanceRecord, OwnSchedule } from '../../shared/incus/inventory.ts'
import { isInstanceName, isPoolName, isProjectName, isToken } from '../../shared/incus/names.ts'
import { subjectKey } from '../../shared/incus/subject.ts'
import { PROTECTION, withoutOwnCopy } from '../../shared/policy/marks.ts'
import { safeText } from '../../shared/safe-text.ts'
import { MOST } from './bounds.ts'
import { isObject, text } from './envelope.ts'
import type { Journal } from './journal.ts'
import { withMade } from './making.ts'
import { parseSeconds } from './parse-volumes.ts'
import { refuseKeys, userKeys, wantedBy, withhold, withinBudget } from './user-keys.ts'

/** `unusable`: what is left out because nothing can be called by such a name, in words. */
type Instances = { records: InstanceRecord[]; unusable: string[] }

/**
 * Null when the metadata is no list of instances: a partial list is worse than none. `selectedBy`: the keys that
 * are passed on besides those of stapes. `server`: its identity, null where it isn't known. `made`: what is known of those
 * that the relay made.
 */
export function parseInstances(
  metadata: unknown,
  at: { remote: string; server: string | null; made?: Journal['made'] },
  selectedBy: readonly string[],
): Instances | null {
  if (!Array.isArray(metadata) || metadata.length > MOST.instances) return null
  const isWanted = wantedBy(selectedBy)
  const found = new Map<string, InstanceRecord>()
  const unusable: string[] = []
  for (const instance of metadata) {
    if (!isObject(instance)) return null
    const [name, project] = [text(instance.name), text(instance.project)]
    const parsed = parseInstance(instance, { ...at, name, project }, isWanted)
    if (parsed === null) return null
    const { remote, made = () => null } = at
    const record = withMade(parsed, { remote, since: parseSeconds(instance.created_at), made })
    const key = `${project}/${name}`
    if (!isProjectName(project) || !isInstanceName(name)) unusable.push(misnamed(project, name))
    else {
      // Which of the two is meant can't be told.
      if (found.has(key)) withhold(record, 'its server lists it twice')
      found.set(key, record)
    }
  }
  const records = [...found.values()]
  withinBudget(records)
  return { records, unusable }
}

const misnamed = (project: string, name: string): string =>
  `an instance called "${safeText(name, 100)}" in the project "${safeText(project, 100)}" is left out: Incus makes no such names; look at it there with "incus list --all-projects"`

function parseInstance(
  instance: Record<string, unknown>,
  { remote, server, name, project }: { remote: string; server: string | null; name: string; project: string },
  isWanted: (key: string) => boolean,
): InstanceRecord | null {
  const { type } = instance
  if (name === '' || project === '' || (type !== 'container' && type !== 'virtual-machine')) return null
  const keys = userKeys(instance.expanded_config, isWanted)
  const problem = refuseKeys(keys)
  const config = withoutOwnCopy({ key: subjectKey({ remote, project, instance: name }), server }, keys)
  const standing = isObject(instance.config) ? instance.config : {}
  // A member that can't be reached: `config`, `devices` and `profiles` are null, the expanded ones missing.
  const isKnown =
    isObject(instance.config) && isObject(instance.expanded_config) && isObject(instance.expanded_devices)
  const identity = identityOf(standing, instance.created_at)
  const pool = rootPool(instance.expanded_devices)
  const volumes = volumesOf(instance.expanded_devices)
  const scheduled = scheduleOf(instance.expanded_config, instance.last_used_at)
  const record: InstanceRecord = {
    project,
    name,
    type,
    status: safeText(text(instance.status), WORD),
    location: safeText(text(instance.location), WORD),
    pool: isPoolName(pool) ? pool : '',
    config,
    own: Object.keys(config).filter((key) => Object.hasOwn(standing, key)),
    snapshots: null,
    ...(identity === null ? {} : { identity }),
    ...(isKnown ? {} : { offline: true }),
    ...(pool === '' || isPoolName(pool)
      ? {}
      : { problem: `its pool is called "${safeText(pool, WORD)}", which is no name of a pool` }),
    ...(keepsMemory(instance.expanded_config) ? { memory: true } : {}),
    ...(isProtected(instance.expanded_config) ? { protected: true } : {}),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(scheduled === null ? {} : { scheduled }),
  }
  if (problem !== null) withhold(record, problem)
  return record
}

/** Characters of a status or of a cluster member's name. */
const WORD = 100

function identityOf(config: Record<string, unknown>, created: unknown): Identity | null {
  const uuid = text(config['volatile.uuid'])
  const since = parseSeconds(created)
  return !isToken(uuid) || since === null ? null : { uuid, since }
}

const isProtected = (config: unknown): boolean => isObject(config) && text(config[PROTECTION]) === 'true'

const keepsMemory = (config: unknown): boolean =>
  isObject(config) && text(config['migration.stateful']) === 'true'

/** Characters of a schedule: one that is cut can't be read. */
const LONGEST_SCHEDULE = 1000

/** Null: Incus takes none by itself. It knows `@never`, too. `lastUsed`: when it was started last, as Incus says it. */
export function scheduleOf(config: unknown, lastUsed?: unknown): OwnSchedule | null {
  if (!isObject(config)) return null
  const schedule = safeText(text(config['snapshots.schedule']).trim(), LONGEST_SCHEDULE)
  if (schedule === '' || schedule.toLowerCase() === '@never') return null
  const pattern = safeText(text(config['snapshots.pattern']), LONGEST_SCHEDULE)
  const started = parseSeconds(lastUsed) ?? 0
  return {
    schedule,
    expiry: safeText(text(config['snapshots.expiry']).trim(), WORD),
    ...(pattern === '' ? {} : { pattern }),
    ...(/^(true|1|yes|on)$/i.test(text(config['snapshots.schedule.stopped'])) ? { stopped: true } : {}),
    // Of one that never ran Incus says 1970.
    ...(started <= 0 ? {} : { started }),
  }
}

/** Empty when there is no root disk. */
function rootPool(devices: unknown): string {
  if (!isObject(devices)) return ''
  for (const device of Object.values(devices)) {
    if (isObject(device) && device.type === 'disk' && device.path === '/') return text(device.pool)
  }
  return ''
}

/** Of one instance, so many are named. */
const VOLUMES = 100

/** A disk with a pool is a volume of it; another one is a folder or a device of the host. */
const volumesOf = (devices: unknown): string[] =>
  Object.values(isObject(devices) ? devices : {})
    .flatMap((device) =>
      isObject(device) && device.type === 'disk' && device.path !== '/' && text(device.pool) !== ''
        ? [safeText(`${text(device.pool)}/${text(device.source)}`, 2 * WORD)]
        : [],
    )
    .sort()
    .slice(0, VOLUMES)
