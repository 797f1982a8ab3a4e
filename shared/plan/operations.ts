/** Operations that run on an instance. */
import type { OperationRecord } from '../incus/inventory.ts'
import { pathOf } from '../incus/subject.ts'
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
