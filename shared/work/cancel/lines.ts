/** How a cancellation reads. */
import { subjectKey } from '../../incus/subject.ts'
import { keyIn, kindIn } from '../../ledger/work.ts'
import type { Line } from '../../plan/line.ts'
import type { CancelAction } from './action.ts'

export const cancelLine = ({ ref, work, reason }: CancelAction): Line => ({
  about: subjectKey(ref),
  sign: '×',
  what: `${kindIn(work)} ${keyIn(work)}`,
  reason: `${reason}: it goes no further, also where Incus doesn’t stop what runs just now; nothing that is whole goes, and nothing is tried again by itself before the next slot`,
})
