/**
 * The requests about an instance and its snapshots, or the same about a custom volume or a bucket, and their answers in one form:
 * Incus has routes of their own for volumes, and answers of another form on them.
 */
import { type IncusRequest, type Match, request } from '../../shared/incus/routes.ts'
import { NEVER } from '../../shared/incus/source.ts'
import { bucketIn, bucketName, type InstanceRef, volumeIn, volumeName } from '../../shared/incus/subject.ts'
import { isObject, text } from './envelope.ts'

type Place = Pick<InstanceRef, 'project' | 'instance'>

/** The instance, the volume or the bucket itself. */
export function subjectRequest({ project, instance }: Place): IncusRequest {
  const bucket = bucketIn(instance)
  if (bucket !== null) return request('getBucket', bucket, { project })
  const volume = volumeIn(instance)
  return volume === null
    ? request('getInstance', { instance }, { project })
    : request('getVolume', { ...volume, type: 'custom' }, { project })
}

/** A connection to its files. */
export function filesRequest({ project, instance }: Place): IncusRequest {
  const volume = volumeIn(instance)
  return volume === null
    ? request('openFiles', { instance }, { project })
    : request('openVolumeFiles', volume, { project })
}

/** Its own list of its snapshots; `rowsOf` reads the answer. */
export function listRequest({ project, instance }: Place): IncusRequest {
  const volume = volumeIn(instance)
  return volume === null
    ? request('listSnapshots', { instance }, { project, recursion: '1' })
    : request('listVolumeSnapshots', { ...volume, type: 'custom' }, { project, recursion: '1' })
}

/** A volume's rows have the volume before the snapshot's name, and null for no expiry. What is no list stays as it is. */
export function rowsOf({ instance }: Pick<InstanceRef, 'instance'>, metadata: unknown): unknown {
  const volume = volumeIn(instance)
  if (volume === null || !Array.isArray(metadata)) return metadata
  const prefix = `${volume.volume}/`
  return metadata.map((row: unknown) => {
    if (!isObject(row)) return row
    const name = text(row.name)
    // Another's name is none that can be used: with its slash it is refused where it is read.
    return {
      ...row,
      name: name.startsWith(prefix) ? name.slice(prefix.length) : name,
      expires_at: row.expires_at ?? NEVER,
    }
  })
}

export function createRequest(
  { project, instance }: Place,
  body: { name: string; stateful: boolean; expires_at: string },
): IncusRequest {
  const volume = volumeIn(instance)
  if (volume === null) return request('createSnapshot', { instance }, { project }, body)
  const { name, expires_at } = body
  return request('createVolumeSnapshot', volume, { project }, { name, expires_at })
}

/** One of its snapshots. */
export function snapshotRequest({ project, instance }: Place, snapshot: string): IncusRequest {
  const volume = volumeIn(instance)
  return volume === null
    ? request('getSnapshot', { instance, snapshot }, { project })
    : request('getVolumeSnapshot', { ...volume, snapshot }, { project })
}

export function deleteRequest({ project, instance }: Place, snapshot: string): IncusRequest {
  const volume = volumeIn(instance)
  return volume === null
    ? request('deleteSnapshot', { instance, snapshot }, { project })
    : request('deleteVolumeSnapshot', { ...volume, snapshot }, { project })
}

export function expiryRequest(
  { project, instance }: Place,
  snapshot: string,
  expiresAt: string,
): IncusRequest {
  const volume = volumeIn(instance)
  const body = { expires_at: expiresAt }
  return volume === null
    ? request('patchSnapshot', { instance, snapshot }, { project }, body)
    : request('patchVolumeSnapshot', { ...volume, snapshot }, { project }, body)
}

export function renameRequest({ project, instance }: Place, snapshot: string, name: string): IncusRequest {
  const volume = volumeIn(instance)
  return volume === null
    ? request('sendSnapshot', { instance, snapshot }, { project }, { name })
    : request('renameVolumeSnapshot', { ...volume, snapshot }, { project }, { name })
}

/** Of a volume's snapshot; an instance's has none. */
export const describeRequest = (
  project: string,
  volume: { pool: string; volume: string },
  snapshot: string,
  description: string,
): IncusRequest => request('patchVolumeSnapshot', { ...volume, snapshot }, { project }, { description })

export function markRequest({ project, instance }: Place, config: Record<string, string>): IncusRequest {
  const bucket = bucketIn(instance)
  if (bucket !== null) return request('markBucket', bucket, { project }, { config })
  const volume = volumeIn(instance)
  return volume === null
    ? request('markInstance', { instance }, { project }, { config })
    : request('markVolume', volume, { project }, { config })
}

/** Of a volume. */
export function restoreVolumeRequest({ project, instance }: Place, snapshot: string): IncusRequest {
  const { pool = '', volume = '' } = volumeIn(instance) ?? {}
  return request('restoreVolume', { pool, volume }, { project }, { restore: snapshot })
}

/** With its data. Incus refuses neither one that a transfer writes to nor one that a stopped instance has. */
export function deleteSubjectRequest({ project, instance }: Place): IncusRequest {
  const bucket = bucketIn(instance)
  if (bucket !== null) return request('deleteBucket', bucket, { project })
  const volume = volumeIn(instance)
  return volume === null
    ? request('deleteInstance', { instance }, { project })
    : request('deleteVolume', volume, { project })
}

/** A backup of it as it is, without snapshots, for an export. */
export function backupRequest(
  { project, instance }: Place,
  body: { name: string; expires_at: string; optimized_storage: boolean; compression_algorithm: 'none' },
): IncusRequest {
  const volume = volumeIn(instance)
  return volume === null
    ? request('createBackup', { instance }, { project }, { ...body, instance_only: true })
    : request('createVolumeBackup', volume, { project }, { ...body, volume_only: true })
}

/** The file of that backup. */
export function backupFileRequest({ project, instance }: Place, backup: string): IncusRequest {
  const volume = volumeIn(instance)
  return volume === null
    ? request('exportBackup', { instance, backup }, { project })
    : request('exportVolumeBackup', { ...volume, backup }, { project })
}

/** What it takes in its pool, among others. */
export function stateRequest({ project, instance }: Place): IncusRequest {
  const volume = volumeIn(instance)
  return volume === null
    ? request('getInstanceState', { instance }, { project })
    : request('getVolumeState', volume, { project })
}

/** Incus empties the description of a volume, of a snapshot of one, or of a bucket, where a change doesn't repeat it. */
export const forgetsDescription = ({ name }: Match): boolean =>
  name === 'markVolume' || name === 'patchVolumeSnapshot' || name === 'markBucket'

/** What a request is about, as a subject is called; empty: about none. */
export function subjectNameIn({ parameters }: Match): string {
  const { instance = '', pool, volume, bucket } = parameters
  if (pool !== undefined && bucket !== undefined) return bucketName(pool, bucket)
  return pool === undefined || volume === undefined ? instance : volumeName(pool, volume)
}

export const deletesSubject = ({ name }: Match): boolean =>
  name === 'deleteInstance' || name === 'deleteVolume' || name === 'deleteBucket'

export const marksSubject = ({ name }: Match): boolean => name === 'markInstance' || name === 'markVolume'

export const restoresSubject = ({ name }: Match): boolean =>
  name === 'restoreInstance' || name === 'restoreVolume'

export const createsSnapshot = ({ name }: Match): boolean =>
  name === 'createSnapshot' || name === 'createVolumeSnapshot'

export const deletesSnapshot = ({ name }: Match): boolean =>
  name === 'deleteSnapshot' || name === 'deleteVolumeSnapshot'
