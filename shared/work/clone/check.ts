/** What the relay said of a new instance before it is begun. */
import type { Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'

export function refuseCheck({ world: { cloneCheck } }: { world: World }): Refusal | null {
  if (cloneCheck === undefined) return { code: 'unreadable', reason: 'it could not be checked: try again' }
  if ('error' in cloneCheck)
    return { code: 'unreadable', reason: `it could not be checked: ${cloneCheck.error}; try again` }
  return cloneCheck.refusal === null ? null : { code: 'forbidden', reason: cloneCheck.refusal }
}
