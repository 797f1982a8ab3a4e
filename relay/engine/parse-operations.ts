/** `GET /1.0/operations?recursion=1&all-projects=true`: an object by state, `{}` when there are none. */
import type { OperationRecord } from '../../shared/incus/inventory.ts'
import { bucketName, volumeName } from '../../shared/incus/subject.ts'
import { safeText } from '../../shared/safe-text.ts'
import { MOST } from './bounds.ts'
import { isObject, parseOperation, text } from './envelope.ts'

/**
 * Those that have not ended; null when the metadata is no list of operations, or one of them can't be read: it
 * isn't known what that one works on.
 */
export function parseOperations(metadata: unknown): OperationRecord[] | null {
  if (!isObject(metadata)) return null
  const records: OperationRecord[] = []
  let listed = 0
  for (const group of Object.values(metadata)) {
    if (!Array.isArray(group)) return null
    listed += group.length
    if (listed > MOST.operations) return null
    for (const entry of group) {
      const operation = parseOperation(entry)
      if (operation === null || !isObject(entry)) return null
      if (operation.statusCode >= 200) continue
      const read = describeOperation(operation.id, entry, operation.progress)
      if (read === null) return null
      records.push(read)
    }
  }
  return records
}

/** Characters of a URL, and URLs of one operation. */
const LONGEST_URL = 4000
const MOST_URLS = 1000

/** `entry`: an operation as Incus describes it. */
export function describeOperation(
  id: string,
  entry: Record<string, unknown>,
  progress?: string,
): OperationRecord | null {
  const resources = isObject(entry.resources) ? entry.resources : {}
  const instances = urls(resources.instances)
  const snapshots = urls(resources.instances_snapshots)
  const volumes = urls(resources.storage_volumes)
  const ofVolumes = urls(resources.storage_volume_snapshots)
  const buckets = urls(resources.storage_buckets)
  if (instances === null || snapshots === null || volumes === null || ofVolumes === null || buckets === null)
    return null
  const custom = volumes.flatMap((url) => volumeOf(segments(url)) ?? [])
  const operation = {
    id,
    description: safeText(text(entry.description)),
    project: projectOf(instances[0] ?? snapshots[0] ?? volumes[0] ?? ofVolumes[0] ?? buckets[0] ?? ''),
    instances: [
      ...instances.map((url) => segments(url)[2] ?? ''),
      ...custom,
      ...buckets.flatMap((url) => bucketOf(segments(url)) ?? []),
    ],
    snapshots: [
      ...snapshots.map((url) => `${segments(url)[2] ?? ''}/${segments(url)[4] ?? ''}`),
      ...ofVolumes.flatMap((url) => snapshotOf(segments(url)) ?? []),
    ],
  }
  return progress === undefined ? operation : { ...operation, progress }
}

/** `1.0/storage-pools/p/volumes/custom/v`; null: a volume of another type, which is an instance's. */
const volumeOf = ([, , pool = '', , type, volume = '']: string[]): string | null =>
  type === 'custom' && pool !== '' && volume !== '' ? volumeName(pool, volume) : null

/** `1.0/storage-pools/p/buckets/b`; of one that is imported 7.0.2 says `…/buckets/bucket/b`. */
function bucketOf([, , pool = '', , first = '', second]: string[]): string | null {
  const bucket = first === 'bucket' && second !== undefined ? second : first
  return pool !== '' && bucket !== '' ? bucketName(pool, bucket) : null
}

function snapshotOf(parts: string[]): string | null {
  const volume = volumeOf(parts)
  return volume === null ? null : `${volume}/${parts[7] ?? ''}`
}

function urls(value: unknown): string[] | null {
  if (!Array.isArray(value)) return []
  const found = value.filter((url) => typeof url === 'string')
  return found.length > MOST_URLS || found.some((url) => url.length > LONGEST_URL) ? null : found
}

/** `/1.0/instances/i1/snapshots/s1?project=p` to its segments, which are encoded in operations. */
const segments = (url: string): string[] => (url.split('?')[0] ?? '').split('/').slice(1).map(decode)

const projectOf = (url: string): string => decode(/[?&]project=([^&]*)/.exec(url)?.[1] ?? 'default')

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    return raw
  }
}
