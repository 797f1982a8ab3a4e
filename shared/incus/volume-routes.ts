/** The calls about custom volumes, and where those are. */
import { field, onlyKeys, type Route } from './route.ts'

/** Those that a volume may have: of holds and removals, and of copies. */
const MARK = /^user\.stapes\.((hold|undo)\..|(replica-of(\.server|\.uuid)?|verified|copying|owner)$)/

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

export const volumeRoutes = {
  listPools: { method: 'GET', path: '/1.0/storage-pools', query: [] },
  markVolume: {
    method: 'PATCH',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}',
    query: ['project'],
    refuse: onlyOwnMarks,
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
    refuse: (body) =>
      field(field(body, 'source'), 'type') === 'migration'
        ? withSnapshots(field(body, 'source'))
        : 'only source.type "migration" is used by stapes',
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
