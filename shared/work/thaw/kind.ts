/** Thaws what our own work froze and was cut off from. */
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
      // What a copy froze stays frozen.
      locks: () => true,
      listed: 'thawed',
    },
  },
  tallies: [{ sign: '^', will: 'starts', did: 'started', one: 'instance' }],
  schedule: { stage: 'ready', plan: planThaws },
  record: recordThaws,
}
