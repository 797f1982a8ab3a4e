/** Thaws instances that stay frozen because our work was cut off. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { ThawAction } from './action.ts'
import { thawLine } from './lines.ts'
import { recordThaws } from './record.ts'
import { planThaws } from './schedule.ts'
import { thawSteps } from './steps.ts'

export const thaw: Kind<ThawAction, never> = {
  name: 'thaw',
  verbs: {
    thaw: {
      subject: ({ ref }) => subjectKey(ref),
      line: thawLine,
      steps: thawSteps,
      // An instance that a copy froze stays frozen otherwise.
      locks: () => true,
      listed: 'thawed',
    },
  },
  tallies: [{ sign: '^', name: 'thaw', will: 'thaws', did: 'thawed', one: 'instance' }],
  schedule: { stage: 'ready', plan: planThaws },
  record: recordThaws,
}
