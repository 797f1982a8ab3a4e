/** Why an instance in a policy's reach isn't covered, and the words for it. */
import type { Origin } from './overrides.ts'
import { describeOrigin } from './provenance.ts'

export type SkipReason =
  | { kind: 'not-running'; status: string }
  | { kind: 'excluded'; glob: string }
  | { kind: 'excluded-by-key'; origin: Origin }
  | { kind: 'paused-by-key'; origin: Origin }
  | { kind: 'other-policies'; policies: string[]; origin: Origin }
  | { kind: 'replica'; of: string }
  | { kind: 'offline-replica'; of: string }
  | { kind: 'unsnapped'; why: string }

const PAUSED = 'paused by '

/** By the words for it. */
export const isPausedBy = (reason: string): boolean => reason.startsWith(PAUSED)

export function describeSkip(reason: SkipReason): string {
  switch (reason.kind) {
    case 'not-running':
      return `not running (${reason.status}), and the policy covers only running instances`
    case 'excluded':
      return `excluded by the policy's "${reason.glob}"`
    case 'excluded-by-key':
      return `excluded by ${describeOrigin(reason.origin)}`
    case 'paused-by-key':
      return `${PAUSED}${describeOrigin(reason.origin)}`
    case 'other-policies': {
      const names = reason.policies.length === 0 ? 'no policy' : `only ${reason.policies.join(' and ')}`
      return `covered by ${names}, as ${describeOrigin(reason.origin)} says`
    }
    case 'replica':
      return `a copy that stapes made, of ${reason.of}`
    case 'unsnapped':
      return reason.why
    case 'offline-replica':
      return `its keys can’t be read now; by its place, it is the copy of ${reason.of}`
  }
}
