/** How a thaw reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { ThawAction } from './action.ts'

export const thawLine = ({ ref, reason }: ThawAction): Line => ({
  about: subjectKey(ref),
  sign: '^',
  counts: 'thaw',
  what: '',
  reason,
})
