/** The buckets of a remote, as records apart from its instances: a listing for each pool. */
import type { InstanceRecord } from '../../shared/incus/inventory.ts'
import { isBucketName, isProjectName } from '../../shared/incus/names.ts'
import { request } from '../../shared/incus/routes.ts'
import { bucketName } from '../../shared/incus/subject.ts'
import { SINCE } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { safeText } from '../../shared/safe-text.ts'
import { MOST } from './bounds.ts'
import { eachOf } from './each.ts'
import { isObject, text } from './envelope.ts'
import type { Journal } from './journal.ts'
import { withMade } from './making.ts'
import { parseSeconds } from './parse-volumes.ts'
import type { Read } from './snapshots.ts'
import { refuseKeys, userKeys, wantedBy } from './user-keys.ts'
import { parsePools } from './volumes.ts'

/** `bucketless`: why some aren't known, in words. `unusable`: what is left out for its name. */
type Buckets = { records: InstanceRecord[]; bucketless: string[]; unusable: string[] }

type At = { remote: string; made: Journal['made'] }

/** Pools at once. */
const AT_ONCE = 8

/** `projects`: those that the relay may see. A listing over all projects may have the buckets of others, too. */
export async function readBuckets(read: Read, at: At, projects: readonly string[]): Promise<Buckets> {
  const found: Buckets = { records: [], bucketless: [], unusable: [] }
  const pools = await read(request('listPools'), parsePools)
  if (!pools.ok)
    return { ...found, bucketless: [`its storage pools can't be listed: ${pools.error.message}`] }
  const seen = new Set(projects)
  await eachOf(pools.value, AT_ONCE, async (pool) => {
    const listed = await read(
      request('listBuckets', { pool }, { recursion: '1', 'all-projects': 'true' }),
      (metadata) => parseBuckets(metadata, { ...at, pool }, seen),
    )
    if (listed.ok) {
      found.records.push(...listed.value.records)
      found.unusable.push(...listed.value.unusable)
    } else if (!hasNone(listed.error))
      found.bucketless.push(`the buckets of its pool "${pool}" can't be listed: ${listed.error.message}`)
  })
  return found.records.length > MOST.instances
    ? { ...found, records: [], bucketless: [`it has more than ${MOST.instances} buckets`] }
    : found
}

/** Incus's word of a driver that can't have any. */
export const hasNone = ({ code, message }: CallError): boolean =>
  code === 'incus' && /does not support buckets/.test(message)

/** Null: it is no list of buckets. */
function parseBuckets(
  metadata: unknown,
  { remote, made, pool }: At & { pool: string },
  projects: ReadonlySet<string>,
): Pick<Buckets, 'records' | 'unusable'> | null {
  if (!Array.isArray(metadata)) return null
  const records: InstanceRecord[] = []
  const unusable: string[] = []
  for (const row of metadata) {
    if (!isObject(row)) return null
    const [name, project] = [text(row.name), text(row.project)]
    if (name === '' || project === '') return null
    if (!projects.has(project)) continue
    if (!isProjectName(project) || !isBucketName(name)) {
      unusable.push(
        `a bucket called "${safeText(name, 100)}" in the pool "${pool}" is left out: no Incus that stapes knows takes such a name`,
      )
      continue
    }
    const record = recordOf(row, pool, { project, name })
    records.push(withMade(record, { remote, since: record.identity?.since ?? null, made }))
  }
  return { records, unusable }
}

/** Incus has no date of it: since when it is known to be there, its own mark says. */
function recordOf(
  row: Record<string, unknown>,
  pool: string,
  { project, name }: { project: string; name: string },
): InstanceRecord {
  const keys = userKeys(row.config, wantedBy([]))
  const problem = refuseKeys(keys)
  const [since, unready] = [parseSeconds(keys[SINCE]), unreadyOf(row)]
  const record: InstanceRecord = {
    ...{ project, name: bucketName(pool, name), type: 'bucket', status: '' },
    location: safeText(text(row.location), WORD),
    ...{ pool, config: keys, own: Object.keys(keys), snapshots: [] },
    ...(unready === null ? {} : { unready }),
    ...(since === null ? {} : { identity: { uuid: '', since } }),
  }
  return problem === null ? record : { ...record, config: {}, own: [], snapshots: null, problem }
}

/** Characters of a cluster member's name. */
const WORD = 100

export function unreadyOf({ location, s3_url: url }: Record<string, unknown>): string | null {
  const member = text(location)
  if (member !== '' && member !== 'none')
    return 'it is a bucket of one member of a cluster, of which stapes makes no exports yet'
  return text(url) === '' ? NO_ADDRESS : null
}

export const NO_ADDRESS =
  'its server has no address for buckets, by which alone Incus reads and writes them: incus config set core.storage_buckets_address=:8555'
