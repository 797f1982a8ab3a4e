/** The calls about custom volumes, and where those are. */
import { field, onlyKeys, type Route } from './route.ts'

/** Those that a volume may have: of holds and removals, of copies, and of restores. */
const MARK =
  /^user\.stapes\.((hold|undo)\..|(replica-of(\.server|\.uuid)?|verified|copying|owner|restoring(-as)?|restored|putting)$)/

/** A volume's description goes along: Incus empties it where a change doesn't repeat it. */
const onlyOwnMarks = (body: unknown): string | null => {
  const wrong = onlyKeys(body, ['config', 'description'])
  if (wrong !== null) return wrong
  const stranger = Object.keys(field(body, 'config') ?? {}).find(
    (key) => !MARK.test(key) && !/^snapshots(\.|$)/.test(key),
  )
  return stranger === undefined ? null : `config key "${stranger}" is not a mark of stapes on a volume`
}

/** With `volume_only` a refresh removes all snapshots of the copy, whichever side says so. */
const withSnapshots = (body: unknown): string | null =>
  field(body, 'volume_only') === false ? null : 'only volume_only: false is used by stapes'

/** Of a snapshot, marked as a new volume that isn't finished, or for an export or files and named so. */
function onlyMarked(body: unknown): string | null {
  const [source, config] = [field(body, 'source'), field(body, 'config')]
  const isNew = typeof field(config, 'user.stapes.restoring-as') === 'string'
  const isTemporary =
    typeof field(config, 'user.stapes.exporting') === 'string' &&
    /^stapes-(export|files)-[0-9a-f]{24}$/.test(String(field(body, 'name')))
  const isSnapshot = /^[^/]+\/[^/]+$/.test(String(field(source, 'name')))
  return (isNew || isTemporary) && isSnapshot
    ? onlyKeys(source, ['type', 'name', 'pool', 'project'])
    : 'source.type "copy" is used by stapes only for exports, files and marked volumes, of snapshots'
}

export const volumeRoutes = {
  listPools: { method: 'GET', path: '/1.0/storage-pools', query: [] },
  markVolume: {
    method: 'PATCH',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}',
    query: ['project'],
    refuse: onlyOwnMarks,
  },
  /** Incus answers once it is done, and shows no operation. */
  restoreVolume: {
    method: 'PUT',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}',
    query: ['project'],
    refuse: (body) =>
      typeof field(body, 'restore') === 'string'
        ? onlyKeys(body, ['restore'])
        : 'only restore is used by stapes',
  },
  deleteVolume: {
    method: 'DELETE',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}',
    query: ['project'],
  },
  sendVolume: {
    method: 'POST',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}',
    query: ['project'],
    refuse: (body) =>
      field(body, 'migration') === true
        ? (withSnapshots(body) ?? onlyKeys(body, ['name', 'migration', 'volume_only', 'target']))
        : 'only migration: true is used by stapes',
  },
  receiveVolume: {
    method: 'POST',
    path: '/1.0/storage-pools/{pool}/volumes/custom',
    query: ['project'],
    refuse: (body) => {
      const type = field(field(body, 'source'), 'type')
      if (type === 'migration') return withSnapshots(field(body, 'source'))
      return type === 'copy' ? onlyMarked(body) : 'only source.type "migration" is used by stapes'
    },
  },
  getVolumeState: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/state',
    query: ['project'],
  },
  createVolumeBackup: {
    method: 'POST',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/backups',
    query: ['project'],
    refuse: (body) =>
      onlyKeys(body, ['name', 'expires_at', 'volume_only', 'optimized_storage', 'compression_algorithm']),
  },
  exportVolumeBackup: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/backups/{backup}/export',
    query: ['project'],
  },
  /** With an upgrade to SFTP (`custom_volume_sftp`). */
  openVolumeFiles: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/sftp',
    query: ['project'],
  },
  createVolumeSnapshot: {
    method: 'POST',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/snapshots',
    query: ['project'],
    refuse: (body) => onlyKeys(body, ['name', 'expires_at']),
  },
  getVolumeSnapshot: {
    method: 'GET',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/snapshots/{snapshot}',
    query: ['project'],
  },
  renameVolumeSnapshot: {
    method: 'POST',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/snapshots/{snapshot}',
    query: ['project'],
    refuse: (body) => onlyKeys(body, ['name']),
  },
  patchVolumeSnapshot: {
    method: 'PATCH',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/snapshots/{snapshot}',
    query: ['project'],
    refuse: (body) => onlyKeys(body, ['expires_at', 'description']),
  },
  deleteVolumeSnapshot: {
    method: 'DELETE',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}/snapshots/{snapshot}',
    query: ['project'],
  },
} as const satisfies Record<string, Route>
