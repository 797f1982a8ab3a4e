/** Which instances a plan changes: sources, never the copies that follow them. */
import { instanceKey } from '../incus/inventory.ts'
import type { Plan } from './plan.ts'

export const touchedBy = ({ actions }: Plan): string[] => [
  ...new Set(actions.map((action) => instanceKey('ref' in action ? action.ref : action.source))),
]
