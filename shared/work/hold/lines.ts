/** How a hold reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { HoldAction, MarkAction } from './action.ts'

export const holdLine = ({ ref, snapshot, reason }: HoldAction): Line => ({
  about: subjectKey(ref),
  sign: '=',
  what: snapshot,
  reason,
})

export const markLine = ({ ref, snapshot, reason }: MarkAction): Line => ({
  about: subjectKey(ref),
  sign: '#',
  what: snapshot,
  reason,
})
