/** Incus's own schedules: set, unset, and taken over by a policy. What they miss is watched in shared/own-schedule/. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { ScheduleAction, SetScheduleRequest, TakeOverRequest } from './action.ts'
import { scheduleLine } from './lines.ts'
import { requestSchedule } from './request.ts'
import { scheduleSteps } from './steps.ts'
import { requestTakeOver } from './take-over.ts'

export const schedule: Kind<ScheduleAction, SetScheduleRequest | TakeOverRequest> = {
  name: 'schedule',
  verbs: {
    schedule: { subject: ({ ref }) => subjectKey(ref), line: scheduleLine, steps: scheduleSteps },
  },
  tallies: [{ sign: '#', name: 'schedule', will: 'changes', did: 'changed', one: 'schedule' }],
  requests: { schedule: requestSchedule, 'take-over': requestTakeOver },
}
