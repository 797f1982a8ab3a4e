/** `GET /1.0/operations?recursion=1&all-projects=true`: an object by state, `{}` when there are none. */
import type { OperationRecord } from '../../shared/incus/inventory.ts'
import { isObject, parseOperation, text } from './envelope.ts'

/** Those that have not ended; null when the metadata is no list of operations. */
export function parseOperations(metadata: unknown): OperationRecord[] | null {
  if (!isObject(metadata)) return null
  const records: OperationRecord[] = []
  for (const group of Object.values(metadata)) {
    if (!Array.isArray(group)) return null
    for (const entry of group) {
      const operation = parseOperation(entry)
      if (operation === null || !isObject(entry)) return null
      if (operation.statusCode < 200) records.push(record(operation.id, entry, operation.progress))
    }
  }
  return records
}

function record(id: string, entry: Record<string, unknown>, progress?: string): OperationRecord {
  const resources = isObject(entry.resources) ? entry.resources : {}
  const instances = urls(resources.instances)
  const snapshots = urls(resources.instances_snapshots)
  const operation = {
    id,
    description: text(entry.description),
    project: projectOf(instances[0] ?? snapshots[0] ?? ''),
    instances: instances.map((url) => segments(url)[2] ?? ''),
    snapshots: snapshots.map((url) => `${segments(url)[2] ?? ''}/${segments(url)[4] ?? ''}`),
  }
  return progress === undefined ? operation : { ...operation, progress }
}

const urls = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((url) => typeof url === 'string') : []

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
