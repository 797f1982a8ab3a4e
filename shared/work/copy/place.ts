/** The target of a copy, checked before anything is tried: the cluster member, and the project's limits. */
import type { RemoteInventory } from '../../incus/inventory.ts'
import { blocksTargeting, refuseRoom } from '../../incus/project-rules.ts'
import { own } from '../../own.ts'
import type { World } from '../../plan/world.ts'
import { LONGEST_NAME } from '../../relay/protocol.ts'
import type { CopyAction } from './action.ts'
import type { Start } from './start.ts'

/** `planned`: copies that the same run starts before. */
export function withPlace(start: Start, world: World, planned: readonly CopyAction[]): Start {
  if (start.state !== 'start') return start
  const { action } = start
  const cluster = action.type === 'volume' ? clusterAmong(action, world) : null
  if (cluster !== null) return { state: 'refused', reason: notOnClusters(cluster) }
  if (action.job.length > LONGEST_JOB) return { state: 'refused', reason: TOO_LONG }
  const reply = own(world.remotes, action.target.remote)
  if (reply?.ok !== true) return start
  const reason = refusePlace(action, reply.inventory, planned)
  if (reason !== null) return { state: 'refused', reason }
  return { state: 'start', action: { ...action, member: memberFor(action, reply.inventory) } }
}

/** Characters: the relay would refuse the whole call. Names of instances are never so long. */
const LONGEST_JOB = LONGEST_NAME - 20
const TOO_LONG =
  'the names of its project, pool and volume are together too long for a copy: rename the volume'

const clusterAmong = ({ source, target }: CopyAction, { remotes }: World): string | null =>
  [source.remote, target.remote].find((remote) => {
    const reply = own(remotes, remote)
    return reply?.ok === true && reply.inventory.server.clustered
  }) ?? null

/** Each member may have a volume of that name, and what a refresh does then was never tried. */
const notOnClusters = (remote: string): string =>
  `${remote} is a cluster, and stapes copies custom volumes only between servers that are none. If this one needs no copy, set user.stapes.copy=false on it`

function refusePlace(
  { first, startOver, target, type, member }: CopyAction,
  { server, projectRules, instances }: RemoteInventory,
  planned: readonly CopyAction[],
): string | null {
  if (!first) return null
  if (type === 'volume' || type === 'bucket') return null
  if (member !== null && !server.clustered)
    return `${target.remote} is not a cluster, so the copy can't be placed on ${member}: remove "copy.target" from the policy`
  // One that is started over replaces itself.
  if (startOver) return null
  const there = { container: 0, 'virtual-machine': 0 }
  for (const record of instances)
    if (record.type !== 'volume' && record.type !== 'bucket' && record.project === target.project)
      there[record.type] += 1
  for (const action of planned)
    if (
      action.first &&
      !action.startOver &&
      action.type !== 'volume' &&
      action.type !== 'bucket' &&
      isSamePlace(action, target)
    )
      there[action.type] += 1
  return refuseRoom(target.project, own(projectRules, target.project), there, type)
}

const isSamePlace = ({ target }: CopyAction, { remote, project }: CopyAction['target']): boolean =>
  target.remote === remote && target.project === project

/**
 * Up to 6.0.4 and 6.11 a refresh has to name the member that the copy is on. Later ones find it themselves,
 * which is all that a certificate may do that is restricted to a project without targeting.
 */
const memberFor = ({ first, member, target }: CopyAction, { server, projectRules }: RemoteInventory) =>
  !first && findsMember(server.version) && blocksTargeting(own(projectRules, target.project)) ? null : member

function findsMember(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major !== 6) return major > 6
  return minor === 0 ? patch >= 5 : minor >= 12
}
