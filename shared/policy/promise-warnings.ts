/** Promises that a policy's own schedule can't keep. */
import { spanOf } from '../chat/age.ts'
import { own } from '../own.ts'
import { dueSlots } from '../schedule/slots.ts'
import type { Policy } from './policy.ts'

const DAY = 86_400_000
/** Any year: a schedule is much the same in each. */
const FROM = new Date('2026-01-01T00:00:00Z')
const SLOTS = 1000

/** The longest time between two slots; null: there are no two within a year. In milliseconds. */
function longestGap({ schedule, timezone }: Policy): number | null {
  const until = new Date(FROM.getTime() + 366 * DAY)
  const { slots } = dueSlots({ schedule, timezone, after: FROM, until, limit: SLOTS })
  const gaps = slots.slice(1).map((slot, at) => slot.getTime() - (slots[at]?.getTime() ?? 0))
  return gaps.length === 0 ? null : Math.max(...gaps)
}

export function promiseWarnings(policy: Policy): string[] {
  const { name, promise } = policy
  const gap = longestGap(policy)
  return (['snapshot', 'copy'] as const).flatMap((kind) => {
    const seconds = own(promise ?? {}, kind) ?? null
    if (seconds === null || gap === null || seconds * 1000 > gap) return []
    return [
      `policies.${name}.promise.${kind}: ${spanOf(seconds * 1000)} is not longer than the ${spanOf(gap)} that lie between two slots of its schedule, so it is broken again and again though nothing fails`,
    ]
  })
}
