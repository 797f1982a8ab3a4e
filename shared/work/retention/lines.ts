/** How an expiry reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { ExpireAction } from './action.ts'

export const expireLine = ({ ref, snapshot, reason }: ExpireAction): Line => ({
  about: subjectKey(ref),
  sign: '-',
  what: snapshot,
  reason,
})
