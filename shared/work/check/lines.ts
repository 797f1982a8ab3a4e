/** How a check reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { CheckAction } from './action.ts'

export const checkLine = ({ ref, store, name, reason }: CheckAction): Line => ({
  about: subjectKey(ref),
  sign: '»',
  counts: 'check',
  what: store,
  reason: `${reason}: ${name ?? 'the newest export'} in ${store} is read again and compared with its manifest`,
})
