/** Where policies reach: the remotes that they name, and where a copy goes. */
import type { InstanceRef } from '../incus/subject.ts'
import type { Copy, Policy } from './policy.ts'

/** Each once. */
export const remotesOf = (policies: readonly Policy[]): string[] => [
  ...new Set(
    policies.flatMap(({ select, copy }) => [...select.remotes, ...(copy === null ? [] : [copy.remote])]),
  ),
]

export const targetOf = (
  source: InstanceRef,
  { remote, project }: Pick<Copy, 'remote' | 'project'>,
): InstanceRef => ({
  ...source,
  remote,
  project: project ?? source.project,
})
