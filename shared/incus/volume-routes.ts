/** The calls about custom volumes, and where those are. */
import { field, onlyKeys, type Route } from './route.ts'

/** A volume's description goes along: Incus empties it where a change doesn't repeat it. */
const onlyOwnMarks = (body: unknown): string | null => {
  const wrong = onlyKeys(body, ['config', 'description'])
  if (wrong !== null) return wrong
  const stranger = Object.keys(field(body, 'config') ?? {}).find(
    (key) => !/^user\.stapes\.(hold|undo)\./.test(key) && !/^snapshots(\.|$)/.test(key),
  )
  return stranger === undefined ? null : `config key "${stranger}" is not a mark of stapes on a volume`
}

export const volumeRoutes = {
  listPools: { method: 'GET', path: '/1.0/storage-pools', query: [] },
  markVolume: {
    method: 'PATCH',
    path: '/1.0/storage-pools/{pool}/volumes/custom/{volume}',
    query: ['project'],
    refuse: onlyOwnMarks,
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
