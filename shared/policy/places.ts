/** Where policies reach: the remotes that they name, and where a copy goes. */
import { type InstanceRef, volumeIn, volumeName } from '../incus/subject.ts'
import type { Copy, Policy } from './policy.ts'

/** Each once. */
export const remotesOf = (policies: readonly Policy[]): string[] => [
  ...new Set(
    policies.flatMap(({ select, copy }) => [...select.remotes, ...(copy === null ? [] : [copy.remote])]),
  ),
]

/** A volume's pool is part of its name: it is in the policy's pool, or in one that is called like its own. */
export function targetOf(
  source: InstanceRef,
  { remote, project, pool }: Pick<Copy, 'remote' | 'project' | 'pool'>,
): InstanceRef {
  const volume = volumeIn(source.instance)
  return {
    remote,
    project: project ?? source.project,
    instance: volume === null ? source.instance : volumeName(pool ?? volume.pool, volume.volume),
  }
}
