/** What keeps snapshots besides retention itself. */
import type { Guards } from '../../plan/finding.ts'
import type { Covered } from '../../policy/cover.ts'

/** Why nothing of the instance may be removed now; null: nothing keeps it. */
export const stopOf = ({ key, blocked }: Covered, guards: Guards): string | null =>
  blocked ??
  guards.busy.get(key) ??
  guards.blocked.get(key) ??
  (guards.failing.has(key) ? 'its new snapshot has not been taken yet' : null)

/** Work that starts in this run begins after what is removed in it. */
export const withoutStarting = (guards: Guards): Guards => ({
  ...guards,
  blocked: new Map([...guards.blocked].filter(([key]) => !guards.starting.has(key))),
})
