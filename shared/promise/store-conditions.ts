/** Stores that can't be read: what they have is unknown, though the newest export is young enough as far as is known. */
import { own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { ALL, type Condition, ofInstance, warning } from './condition.ts'
import { type Fact, type Facts, inStore } from './facts.ts'

/** Milliseconds since it was read last. It is looked into each day. */
const LONG = 25 * 3_600_000

export function unread(policies: readonly Policy[], facts: Facts | null, now: Date): Condition[] {
  const stores = new Map<string, [key: string, seen: string][]>()
  for (const { name, paused, export: wish } of policies) {
    if (paused || wish == null) continue
    for (const [key, fact] of Object.entries(own(facts?.subjects ?? {}, name) ?? {})) {
      const seen = unreadSince(fact, wish.to)
      if (seen !== null && now.getTime() - Date.parse(seen) >= LONG)
        stores.set(wish.to, [...(stores.get(wish.to) ?? []), [key, seen]])
    }
  }
  return [...stores].map(([store, all]) => {
    const [since = ''] = all.map(([, seen]) => seen).sort()
    const text = `what store ${store} has could not be read since ${since}, so whether the exports in it are still there is not known: is it mounted, and does the relay reach it?`
    return warning(`store ${store}`, text, ALL, { since, each: [...new Set(all.map(([key]) => key))] })
  })
}

/** What the last look at all of an instance's exports has shown that is none: one that lost its file, or a file without its manifest. */
export function strays(policies: readonly Policy[], facts: Facts | null): Condition[] {
  const found = policies.flatMap(({ name, paused, export: wish }): [string, Condition][] => {
    if (paused || wish == null) return []
    return Object.entries(own(facts?.subjects ?? {}, name) ?? {}).flatMap(([key, fact]) => {
      const { exportStrays, exportSorted = null } = inStore(fact, wish.to)
      if (exportStrays === undefined) return []
      const id = `stray ${wish.to} ${key}`
      const text = `${key}: in store ${wish.to}, ${exportStrays}`
      return [[id, warning(id, text, ofInstance(key), { since: exportSorted })]]
    })
  })
  return [...new Map(found).values()]
}

/** When it was read last, where it could not be since. */
const unreadSince = ({ store, exportSeen, exportUnread }: Fact, to: string): string | null =>
  store === to && exportSeen !== undefined && exportUnread !== undefined && exportUnread > exportSeen
    ? exportSeen
    : null
