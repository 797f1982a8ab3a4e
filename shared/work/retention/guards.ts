/** What keeps snapshots from being removed, besides retention itself. */
import type { Guards } from '../../plan/finding.ts'
import type { Covered } from '../../policy/cover.ts'

/** Why nothing of the instance may be removed now; null: it may. */
export const stopOf = ({ key, blocked }: Covered, guards: Guards): string | null =>
  blocked ??
  guards.busy.get(key) ??
  guards.blocked.get(key) ??
  (guards.failing.has(key) ? 'its new snapshot has not been taken yet' : null)

/** Without work that starts in this run, because it starts after the removals. */
export const withoutStarting = (guards: Guards): Guards => ({
  ...guards,
  blocked: new Map([...guards.blocked].filter(([key]) => !guards.starting.has(key))),
})
