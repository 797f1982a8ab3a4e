/** The ledger entry of a copy that needs nothing, set right by what was just seen. */
import { isIn } from '../../incus/pairs.ts'
import type { CopyWork } from './entry.ts'
import { leastSeen } from './judge.ts'
import type { CopyContext, Judged } from './judged.ts'
import { knownVerified, parseVerified, renderVerified } from './marks.ts'
import { isVerified, unfinishedOn } from './transfer.ts'

/**
 * Null: it says so already, or what was seen proves nothing. A failure may be over before the next transfer: the
 * target was away, or the relay was killed after the mark was written. That transfer may be weeks ahead, and the
 * entry may be lost altogether. Written only where it changes, because a tick looks each minute.
 */
export function currentEntry(
  { replica, seen, verified, common }: Judged,
  known: CopyWork | undefined,
  { world, now }: Pick<CopyContext, 'world' | 'now'>,
): CopyWork | null {
  // After an unverified transfer the copy has more than is known of it.
  if (seen.state !== 'there' || common === null || !isVerified(unfinishedOn(seen.record))) return null
  const noted = parseVerified(known?.verified)
  const { least } = leastSeen(replica, world)
  const isRight =
    known?.state === 'verified' &&
    known.newest === common[0] &&
    (least === undefined || known.least === least) &&
    verified.every((pair) => isIn(noted, pair))
  if (isRight) return null
  const { reason: _, retryAt: __, remote: ___, operation: ____, ...kept } = known ?? {}
  return {
    ...kept,
    state: 'verified',
    attempts: 0,
    newest: common[0],
    // All that is known, as the listing may lack some of it for the moment.
    verified: renderVerified(knownVerified(seen.record, known)),
    ...(least === undefined ? {} : { least }),
    // When that began isn't known.
    at: known?.state === 'verified' ? known.at : now.toISOString(),
  }
}
