/** What can be backed up: an instance, or a custom volume or a bucket of a storage pool. */

/**
 * Where an instance lives; project and name say nothing without the remote. For a custom volume, `instance` is its name
 * as a subject, `pool:volume` (see `volumeIn`), so that whatever works on subjects takes both. For a bucket it is
 * `pool::bucket` (see `bucketIn`): no volume that stapes takes begins with a colon.
 */
export type InstanceRef = { remote: string; project: string; instance: string }

/** A custom volume; its name is only unique in its pool. */
type VolumeRef = { remote: string; project: string; pool: string; volume: string }

export type Subject = InstanceRef | VolumeRef

/**
 * `remote/project/instance`, or `remote/project/pool:volume`: both are paths of three parts, which globs and grants take
 * alike. No instance's name holds a colon. A pool's may, if a program has made it (the command line takes what stands
 * before one for a remote), and then it is written `%3A`, so that no two subjects have one key.
 */
export const subjectKey = (subject: Subject): string =>
  `${subject.remote}/${subject.project}/${'volume' in subject ? volumeName(subject.pool, subject.volume) : subject.instance}`

/** What a custom volume is called as a subject. */
export const volumeName = (pool: string, volume: string): string => `${escaped(pool)}:${volume}`

/** The custom volume that such a name stands for; null: it is an instance's. */
export function volumeIn(name: string): { pool: string; volume: string } | null {
  const colon = name.indexOf(':')
  return colon < 0 || name.charAt(colon + 1) === ':'
    ? null
    : { pool: unescaped(name.slice(0, colon)), volume: name.slice(colon + 1) }
}

/** What a bucket is called as a subject. */
export const bucketName = (pool: string, bucket: string): string => `${escaped(pool)}::${bucket}`

/** The bucket that such a name stands for; null: it is an instance's, or a volume's. */
export function bucketIn(name: string): { pool: string; bucket: string } | null {
  const colon = name.indexOf(':')
  return colon < 0 || name.charAt(colon + 1) !== ':'
    ? null
    : { pool: unescaped(name.slice(0, colon)), bucket: name.slice(colon + 2) }
}

/** What it is, in words. */
export const nounOf = ({ instance }: Pick<InstanceRef, 'instance'>): 'instance' | 'volume' | 'bucket' =>
  volumeIn(instance) !== null ? 'volume' : bucketIn(instance) !== null ? 'bucket' : 'instance'

const escaped = (pool: string): string => pool.replaceAll('%', '%25').replaceAll(':', '%3A')
const unescaped = (pool: string): string => pool.replaceAll('%3A', ':').replaceAll('%25', '%')

/** A subject by its key; null for what is no such key. */
export function parseSubject(key: string): Subject | null {
  const parts = key.split('/')
  const [remote = '', project = '', name = ''] = parts
  if (parts.length !== 3 || remote === '' || project === '' || name === '') return null
  const named = volumeIn(name)
  if (named === null) return { remote, project, instance: name }
  return named.pool === '' || named.volume === '' ? null : { remote, project, ...named }
}

/** The three parts of a key, as globs over paths take them. */
export function pathOf(key: string): [remote: string, project: string, name: string] {
  const [remote = '', project = '', name = ''] = key.split('/')
  return [remote, project, name]
}

/** By the key of an instance or a custom volume; of anything else nothing is found. */
export function instanceOf(key: string): InstanceRef {
  const [remote, project, instance] = pathOf(key)
  return { remote, project, instance }
}

export const remoteOf = (key: string): string => pathOf(key)[0]

/** Each once. What has no slash is no key: a store, or nothing. */
export const remotesIn = (keys: readonly (string | null)[]): string[] => [
  ...new Set(keys.flatMap((key) => (key?.includes('/') === true ? [remoteOf(key)] : []))),
]

/** A project's name may have a colon, and so has a volume's. Only from where a word begins: else a long one is read for each of its letters. */
const KEYS = /(?<![^\s/:>,;"])[^\s/:>,;"]+\/[^\s/>,;"]+\/[^\s/:>,;"]+(::?[^\s/:>,;"]+)?/g

/** Keys of instances, volumes and buckets that a text names; it may name what only looks like one, such as a path. */
export const keysIn = (text: string): string[] => text.match(KEYS) ?? []

export const replaceKeys = (text: string, by: string): string => text.replace(KEYS, by)
