/**
 * Which names and ids of a server can be used. They become keys, parts of paths and words of messages, so what
 * no Incus makes is refused where it enters. Lengths are in characters.
 */
import { bucketIn, volumeIn } from './subject.ts'

/** Separators of keys and paths, white space, and what can't be seen or encoded. */
const UNUSABLE = /[\s/\\>\p{Cc}\p{Cf}\p{Cs}]/u

const isUsable = (name: string, longest: number): boolean =>
  name !== '' && name.length <= longest && name !== '.' && name !== '..' && !UNUSABLE.test(name)

/** Incus takes a host name's characters, up to 63. Whoever is told to run a command pastes such a name. */
export const isInstanceName = (name: string): boolean => /^[A-Za-z0-9-]{1,63}$/.test(name)

/** With an instance's name, twice, and two remotes' it still fits into a job's id. */
export const isProjectName = (name: string): boolean => isUsable(name, 100)

export const isPoolName = (name: string): boolean => isUsable(name, 100)

/** Incus takes more; what is left out here would need quotes in a command, or is read as something else in a key. */
export const isVolumeName = (name: string): boolean =>
  /^[\w.=@:+-]{1,100}$/.test(name) && !/^(-|:|\.+$)/.test(name)

/** As Incus takes it (6.0.4, 7.0.2). */
export const isBucketName = (name: string): boolean => /^[a-z0-9.-]{3,63}$/.test(name) && !/^[.-]/.test(name)

/** Of a subject; of instances Incus judges itself. */
export function isSubjectName(name: string): boolean {
  const bucket = bucketIn(name)
  if (bucket !== null) return isPoolName(bucket.pool) && isBucketName(bucket.bucket)
  const volume = volumeIn(name)
  return volume === null || (isPoolName(volume.pool) && isVolumeName(volume.volume))
}

/** Nearly all of them. There are tens of thousands, so no length is counted by the pattern. */
const PLAIN = /^[\w.-]+$/

/**
 * Incus takes nearly anything here, also what its own routes can't address: such a snapshot is listed and left
 * alone. A file system's names end at 255 bytes.
 */
export const isSnapshotName = (name: string): boolean =>
  name.length <= 255 && (PLAIN.test(name) || (name !== '' && !/[/\p{Cs}]/u.test(name)))

/** UUIDs, as Incus makes them; no dots, which could climb in a path. */
export const isOperationId = (id: string): boolean => /^[\w-]{1,100}$/.test(id)

/** Fingerprints and UUIDs. */
export const isToken = (text: string): boolean => /^[\w:-]{1,128}$/.test(text)
