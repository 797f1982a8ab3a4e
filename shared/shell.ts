/** Words of a command that people are told to run: what a server names must not run anything else. */
import { bucketIn, type InstanceRef, volumeIn } from './incus/subject.ts'

/** As a POSIX shell takes it for one word. */
export const shellWord = (word: string): string =>
  /^[\w./+@%:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** A command of Incus about something in that project. */
export const incusCommand = (project: string, ...words: string[]): string =>
  [
    'incus',
    ...words.map(shellWord),
    ...(project === 'default' ? [] : ['--project', shellWord(project)]),
  ].join(' ')

/** A command of Incus about the snapshots of an instance or a custom volume: `list`, or `delete` with a name. */
export function snapshotCommand(
  { project, instance }: Pick<InstanceRef, 'project' | 'instance'>,
  verb: 'list' | 'delete',
  ...names: string[]
): string {
  const volume = volumeIn(instance)
  return volume === null
    ? incusCommand(project, 'snapshot', verb, instance, ...names)
    : incusCommand(project, 'storage', 'volume', 'snapshot', verb, volume.pool, volume.volume, ...names)
}

/** What keeps the data of an instance or a custom volume, and makes room for another of its name. */
export function keepAside({ project, instance }: Pick<InstanceRef, 'project' | 'instance'>): string {
  const volume = volumeIn(instance)
  if (volume === null) return incusCommand(project, 'rename', instance, `${instance}-kept`)
  const { pool, volume: name } = volume
  return incusCommand(project, 'storage', 'volume', 'rename', pool, name, `${name}-kept`)
}

/** What makes a separate instance or custom volume of a snapshot. */
export function copyCommand(
  { project, instance }: Pick<InstanceRef, 'project' | 'instance'>,
  snapshot: string,
): string {
  const volume = volumeIn(instance)
  if (volume === null) return incusCommand(project, 'copy', `${instance}/${snapshot}`, `${instance}-restored`)
  const place = `${volume.pool}/${volume.volume}`
  return incusCommand(project, 'storage', 'volume', 'copy', `${place}/${snapshot}`, `${place}-restored`)
}

/** What removes an instance, a custom volume or a bucket. */
export function deleteCommand({ project, instance }: Pick<InstanceRef, 'project' | 'instance'>): string {
  const bucket = bucketIn(instance)
  if (bucket !== null) return incusCommand(project, 'storage', 'bucket', 'delete', bucket.pool, bucket.bucket)
  const volume = volumeIn(instance)
  return volume === null
    ? incusCommand(project, 'delete', instance)
    : incusCommand(project, 'storage', 'volume', 'delete', volume.pool, volume.volume)
}

/** A command that changes the config of an instance or a custom volume; `rest` as a shell takes it. */
export function configCommand(ref: InstanceRef, verb: 'set' | 'unset', rest: string): string {
  const [volume, bucket] = [volumeIn(ref.instance), bucketIn(ref.instance)]
  if (volume === null && bucket === null) return `incus config ${verb} ${named(ref)} ${rest}`
  const [what, pool, name] =
    volume === null
      ? ['bucket', bucket?.pool ?? '', bucket?.bucket ?? '']
      : ['volume', volume.pool, volume.volume]
  const project = ref.project === 'default' ? '' : ` --project ${shellWord(ref.project)}`
  return `incus storage ${what} ${verb} ${shellWord(pool)} ${shellWord(name)}${project} ${rest}`
}

/** As commands of Incus name it. */
export const named = ({ project, instance }: InstanceRef): string =>
  project === 'default' ? instance : `${instance} --project ${shellWord(project)}`
