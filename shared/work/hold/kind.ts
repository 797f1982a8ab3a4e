/** Holds: a held snapshot isn't removed until it is released. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { HoldAction, MarkAction } from './action.ts'
import { holdLine, markLine } from './lines.ts'
import { type HoldRequest, requestHold, requestRelease } from './request.ts'
import { planHolds } from './schedule.ts'
import { simulateHold } from './simulate.ts'
import { holdSteps, markSteps } from './steps.ts'

export const hold: Kind<HoldAction | MarkAction, HoldRequest> = {
  name: 'hold',
  verbs: {
    hold: {
      subject: ({ ref }) => subjectKey(ref),
      line: holdLine,
      steps: holdSteps,
      simulate: simulateHold,
    },
    mark: { subject: ({ ref }) => subjectKey(ref), line: markLine, steps: markSteps },
  },
  tallies: [{ sign: '#', will: 'changes', did: 'changed', one: 'hold' }],
  schedule: { stage: 'remove', plan: planHolds },
  requests: { hold: requestHold, release: requestRelease },
}
