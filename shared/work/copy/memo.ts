/** What travels with a transfer's job, so that its success can be verified after the ledger was lost. */
import type { CopyAction } from './action.ts'
import type { CopyMemo } from './entry.ts'

/** What a success of its job can verify. */
export const memoOf = ({ through, extended, stale, standstill }: CopyAction): CopyMemo => ({
  through,
  extended,
  ...(stale.length === 0 ? {} : { stale }),
  ...(standstill === null ? {} : { freezes: true }),
})

export const memoField = ({ memo }: { memo?: unknown }): { memo?: CopyMemo } =>
  memo === undefined ? {} : { memo: parseMemo(memo) }

/** With a foreign memo nothing can be verified. */
export function parseMemo(memo: unknown): CopyMemo {
  const { through, extended, stale } = (typeof memo === 'object' && memo !== null ? memo : {}) as Record<
    string,
    unknown
  >
  return {
    through: typeof through === 'number' ? through : 0,
    extended: typeof extended === 'object' && extended !== null ? (extended as Record<string, string>) : {},
    ...(Array.isArray(stale) ? { stale: stale.filter((name) => typeof name === 'string') } : {}),
  }
}
