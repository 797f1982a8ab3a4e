/** A copy in a plan's digest, with what it removes on the target, or may remove later. */
import type { CopyAction, PermitAction } from './action.ts'

export const copyEssence = ({ key, startOver, unverified, mirrored }: CopyAction): string =>
  ['copy', key, ...(startOver ? ['over'] : []), ...unverified, ...mirrored].join(' ')

export const permitEssence = ({ key, snapshots }: PermitAction): string =>
  ['permit', key, ...snapshots.map(([name, createdAt]) => `${name}@${createdAt}`)].join(' ')
