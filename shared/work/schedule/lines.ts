/** How a change of Incus's own schedule reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { ScheduleAction } from './action.ts'

export const scheduleLine = ({ ref, config, was, reason }: ScheduleAction): Line => ({
  about: subjectKey(ref),
  sign: '#',
  counts: 'schedule',
  what: Object.entries(config)
    .map(([key, value]) => (value === '' ? `${key} unset` : `${key}=${value}`))
    .join(', '),
  reason: `${was === '' ? 'Incus takes none of it by itself until now' : `until now Incus takes them by "${was}"`}; ${reason}`,
})
