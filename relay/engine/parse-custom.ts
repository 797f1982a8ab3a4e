/** The rows of a pool's custom volumes to records; their snapshots come later, see parse-volumes.ts. */
import type { Identity, InstanceRecord } from '../../shared/incus/inventory.ts'
import { isProjectName, isVolumeName } from '../../shared/incus/names.ts'
import { volumeUuid } from '../../shared/incus/source.ts'
import { subjectKey, volumeName } from '../../shared/incus/subject.ts'
import { withoutOwnCopy } from '../../shared/policy/marks.ts'
import { safeText } from '../../shared/safe-text.ts'
import { MOST } from './bounds.ts'
import { isObject, text } from './envelope.ts'
import type { Journal } from './journal.ts'
import { withMade } from './making.ts'
import { scheduleOf } from './parse-instances.ts'
import { parseSeconds } from './parse-volumes.ts'
import { refuseKeys, userKeys, wantedBy, withhold } from './user-keys.ts'

type Custom = { records: InstanceRecord[]; unusable: string[] }

/** So many are counted of a pool, which may list any number. */
const MOST_MISNAMED = 1000

/** `server`: the remote's identity, null where it isn't known. */
type At = { remote: string; server: string | null; made?: Journal['made'] }

/** Only of these projects. Null: it is no list of volumes. */
export function parseCustom(
  metadata: unknown,
  { pool, ...at }: { pool: string } & At,
  projects: ReadonlySet<string>,
): Custom | null {
  if (!Array.isArray(metadata)) return null
  const found = new Map<string, InstanceRecord>()
  const unusable: string[] = []
  for (const row of metadata) {
    if (!isObject(row)) return null
    const [name, project] = [text(row.name), text(row.project)]
    if (name === '' || project === '') return null
    if (name.includes('/') || !projects.has(project)) continue
    if (!isProjectName(project) || !isVolumeName(name)) {
      if (unusable.length < MOST_MISNAMED) unusable.push(misnamed(project, pool, name))
      continue
    }
    const { remote, made = () => null } = at
    const listed = recordOf(row, { ...at, project, pool, name })
    const record = withMade(listed, { remote, since: parseSeconds(row.created_at), made })
    const key = `${project}/${name}`
    // On a cluster, each member may have one of that name, and requests don't say which.
    if (found.has(key))
      withhold(record, 'its pool lists it twice, as where several cluster members have one of that name')
    found.set(key, record)
  }
  return found.size > MOST.instances ? null : { records: [...found.values()], unusable }
}

const misnamed = (project: string, pool: string, volume: string): string =>
  `a custom volume called "${safeText(volume, 100)}" in the pool "${pool}" and the project "${safeText(project, 100)}" is left out: stapes takes names of letters, digits and ". _ - + = @ :", up to 100 characters`

/** A volume's row, in a listing or by itself. */
export function recordOf(
  row: Record<string, unknown>,
  { remote, server, project, pool, name }: { project: string; pool: string; name: string } & At,
): InstanceRecord {
  const key = subjectKey({ remote, project, pool, volume: name })
  const keys = withoutOwnCopy({ key, server }, userKeys(row.config, wantedBy([])))
  const identity = identityOf(row.created_at)
  const problem = refuseKeys(keys)
  const scheduled = scheduleOf(row.config)
  const unsnapped = unsnappedOf(row)
  const record: InstanceRecord = {
    ...{ project, name: volumeName(pool, name), type: 'volume', status: '' },
    location: safeText(text(row.location), WORD),
    ...{ pool, config: keys, own: Object.keys(keys), snapshots: null },
    ...(unsnapped === null ? {} : { unsnapped }),
    ...(scheduled === null ? {} : { scheduled }),
    ...(identity === null ? {} : { identity }),
  }
  if (!isObject(row.config)) withhold(record, 'its pool lists it without its config')
  else if (problem !== null) withhold(record, problem)
  return record
}

function identityOf(created: unknown): Identity | null {
  const since = parseSeconds(created)
  return since === null ? null : { uuid: volumeUuid(text(created)), since }
}

/** Characters of a cluster member's name. */
const WORD = 100

/** Incus refuses snapshots of these (6.0.4, 7.0.2). */
function unsnappedOf({ content_type: content, config }: Record<string, unknown>): string | null {
  if (content === 'iso') return 'an ISO image, of which Incus takes no snapshots'
  return isObject(config) && config.dependent === 'true'
    ? "a dependent volume, which is in its instance's own snapshots"
    : null
}
