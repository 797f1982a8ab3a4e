/** A removal in a plan's digest: whether it can be undone, and not until when, which depends on the clock. */
import { subjectKey } from '../../incus/subject.ts'
import type { ExpireAction } from './action.ts'

export const expireEssence = ({ ref, snapshot, end, reason }: ExpireAction): string =>
  [subjectKey(ref), '-', snapshot, ...(end === undefined ? [] : ['later']), reason].join(' ')
