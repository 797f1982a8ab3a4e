/** A copy in a plan's digest, with what it removes on the target. */
import type { CopyAction } from './action.ts'

export const copyEssence = ({ key, startOver, unverified, mirrored }: CopyAction): string =>
  ['copy', key, ...(startOver ? ['over'] : []), ...unverified, ...mirrored].join(' ')
