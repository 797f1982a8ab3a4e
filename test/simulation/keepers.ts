/** A second, plain count of retention's rules in UTC, to hold the product's against. */
import type { Keep } from '../../shared/retention/keep.ts'

const LENGTHS = { last: 24, hourly: 13, daily: 10, monthly: 7, yearly: 4 } as const
type Rule = keyof typeof LENGTHS

/** The slots (ISO 8601, newest first) that a keep of counts keeps; all, when it has no rule. */
export function keepers(keep: Keep, slots: readonly string[]): Set<string> {
  const rules = Object.keys(keep).map((rule) => {
    if (!(rule in LENGTHS)) throw new Error(`no plain count for ${rule}`)
    return rule as Rule
  })
  if (rules.length === 0) return new Set(slots)
  return new Set(rules.flatMap((rule) => counted(slots, LENGTHS[rule], keep[rule] ?? 0)))
}

/** The newest of each period, and the oldest of all as long as there is room. */
function counted(slots: readonly string[], length: number, limit: number): string[] {
  const periods = new Map<string, string>()
  for (const slot of slots) {
    const period = slot.slice(0, length)
    if (!periods.has(period)) periods.set(period, slot)
  }
  const firsts = [...periods.values()].slice(0, limit)
  const oldest = slots.at(-1)
  return firsts.length < limit && oldest !== undefined ? [...firsts, oldest] : firsts
}
