import type { Step } from '../../relay/steps.ts'
import type { ScheduleAction } from './action.ts'

export const scheduleSteps = ({ ref, config, was }: ScheduleAction): Step[] => [
  { do: 'schedule', ref, config, was },
]
