/** The calls about buckets. None reads the secret of a key: the answers of Incus have it, so none asks for keys but by name. */
import { field, onlyKeys, type Route } from './route.ts'

/** That it is being made, and since when it is there. Incus empties a description that a change doesn't repeat. */
const MARK = /^user\.stapes\.(restoring-as|known-since)$/

function onlyOwnMarks(body: unknown): string | null {
  const stranger = Object.keys(field(body, 'config') ?? {}).find((key) => !MARK.test(key))
  return stranger === undefined
    ? onlyKeys(body, ['config', 'description'])
    : `config key "${stranger}" is not a mark of stapes on a bucket`
}

/** Under a name that no other export has. Incus removes it by itself then. */
function onlyTemporary(body: unknown): string | null {
  const isNamed = /^stapes-export-[0-9a-f]{24}$/.test(String(field(body, 'name')))
  return isNamed && typeof field(body, 'expires_at') === 'string'
    ? onlyKeys(body, ['name', 'expires_at', 'compression_algorithm'])
    : 'backups of buckets are made by stapes only for exports, and with an end'
}

export const bucketRoutes = {
  listBuckets: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/buckets',
    query: ['recursion', 'all-projects', 'project'],
  },
  getBucket: { method: 'GET', path: '/1.0/storage-pools/{pool}/buckets/{bucket}', query: ['project'] },
  /** Names alone. */
  listBucketKeys: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/buckets/{bucket}/keys',
    query: ['project'],
  },
  markBucket: {
    method: 'PATCH',
    path: '/1.0/storage-pools/{pool}/buckets/{bucket}',
    query: ['project'],
    refuse: onlyOwnMarks,
  },
  /** A file that is sent. */
  receiveBucket: {
    method: 'POST',
    path: '/1.0/storage-pools/{pool}/buckets',
    query: ['project'],
    refuse: () => 'buckets are made by stapes only of the files of exports',
  },
  /** Of one that an import has left half made. */
  deleteBucket: { method: 'DELETE', path: '/1.0/storage-pools/{pool}/buckets/{bucket}', query: ['project'] },
  createBucketBackup: {
    method: 'POST',
    path: '/1.0/storage-pools/{pool}/buckets/{bucket}/backups',
    query: ['project'],
    refuse: onlyTemporary,
  },
  exportBucketBackup: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/buckets/{bucket}/backups/{backup}/export',
    query: ['project'],
  },
  deleteBucketBackup: {
    method: 'DELETE',
    path: '/1.0/storage-pools/{pool}/buckets/{bucket}/backups/{backup}',
    query: ['project'],
  },
} as const satisfies Record<string, Route>
