/** Operations that run on an instance. */
import type { OperationRecord } from '../incus/inventory.ts'
import { pathOf, volumeIn } from '../incus/subject.ts'
import type { World } from './world.ts'

/** Somebody's open shell or console doesn't keep Incus from restoring. */
const SESSIONS = ['Executing command', 'Showing console']

/** The description of one that runs on an instance, or null. */
export function operationOn(
  world: World,
  key: string,
  operations: readonly OperationRecord[],
): string | null {
  const [, project, instance] = pathOf(key)
  const mine = operations.find(
    (one) =>
      one.project === project && one.instances.includes(instance) && !SESSIONS.includes(one.description),
  )
  if (mine !== undefined) return mine.description
  return [...world.incomplete].some((one) => one.startsWith(`${key}/`))
    ? 'a snapshot of it is being made'
    : null
}

/** Of a copy of a volume on its own server Incus doesn't say which one it makes, so it may be any. */
export const copiesUnnamed = ({ instances, description }: OperationRecord): boolean =>
  instances.length === 0 && description === 'Copying storage volume'

/** The description of one that may still write to a new volume, or null. */
export function copyingInto(key: string, operations: readonly OperationRecord[]): string | null {
  const [, , instance] = pathOf(key)
  return volumeIn(instance) === null ? null : (operations.find(copiesUnnamed)?.description ?? null)
}
