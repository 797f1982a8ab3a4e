/** What a copy comes to in a digest: also what goes on the target. */
import type { CopyAction } from './action.ts'

export const copyEssence = ({ key, startOver, unverified, mirrored }: CopyAction): string =>
  ['copy', key, ...(startOver ? ['over'] : []), ...unverified, ...mirrored].join(' ')
