/**
 * Refuses a refresh if the copy's own list has snapshots that the inventory didn't list in its pool: they
 * were just made, or are on record without a volume, as after a power cut. The refresh would delete the first
 * kind, and its mark would count both as its own. Snapshots of an earlier unverified transfer are no reason
 * to refuse, nor is a removal that was cut off: the try fails, and what is left is removed (`shared/work/copy/torn.ts`).
 */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { type Expiring, pairOf } from '../../../shared/incus/source.ts'
import { nounOf } from '../../../shared/incus/subject.ts'
import { snapshotCommand } from '../../../shared/shell.ts'
import type { CopyAction } from '../../../shared/work/copy/action.ts'
import { isCutOff } from '../../../shared/work/copy/cut-off.ts'
import { isLeftover } from '../../../shared/work/copy/transfer.ts'

/** Why no refresh may begin, with what to do. */
export function refuseUnlisted(
  {
    target,
    startOver,
    listed,
    unfinished,
    verified,
  }: Pick<CopyAction, 'target' | 'startOver' | 'listed' | 'unfinished' | 'verified'>,
  onSource: readonly Expiring[],
  onTarget: readonly Expiring[],
): string | null {
  if (startOver) return null
  const snapshots = onSource.map(pairOf)
  const known = new Set(listed)
  const isNoReason = (pair: SnapshotPair): boolean =>
    (unfinished !== null && isLeftover(unfinished, pair, snapshots)) ||
    isCutOff(pair, { verified, unfinished, snapshots })
  const unlisted = onTarget.filter((one) => !known.has(one.name) && !isNoReason(pairOf(one)))
  if (unlisted.length === 0) return null
  const names = unlisted.map(({ name }) => name).join(', ')
  return `the copy on ${target.remote} has snapshots that its pool did not list and that no unverified transfer brought: ${names}. If somebody made them just now, copy each to a separate ${nounOf(target)}. If this message stays, a power cut left them without a volume, and no refresh can succeed. Check whether their data is still needed, then run "${snapshotCommand(target, 'delete')} <name>" there for each: it reports an error, but removes the snapshot`
}
