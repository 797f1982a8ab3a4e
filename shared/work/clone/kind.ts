/** New instances that are made from snapshots: beside their original, or in place of one that was lost. */
import * as z from 'zod/mini'
import { subjectKey } from '../../incus/subject.ts'
import { workKey } from '../../ledger/work.ts'
import type { Kind } from '../kind.ts'
import type {
  BringBackRequest,
  CloneAction,
  CloneRequest,
  FinishAction,
  MoveRequest,
  RemoveAction,
} from './action.ts'
import { cloneEssence } from './digest.ts'
import { CLONE, type CloneWork, cloneSchema } from './entry.ts'
import { cloneLine, finishLine, removeLine } from './lines.ts'
import { addLook, lookJobs } from './look.ts'
import { requestMove } from './move.ts'
import { cloneWords } from './progress.ts'
import { recordClones } from './record.ts'
import { requestBringBack, requestClone } from './request.ts'
import { planClones } from './schedule.ts'
import { cloneJob, finishSteps, removeSteps } from './steps.ts'
import { RETRY } from './tries.ts'

export const clone: Kind<
  CloneAction | FinishAction | RemoveAction,
  CloneRequest | BringBackRequest | MoveRequest,
  CloneWork
> = {
  name: CLONE,
  verbs: {
    clone: {
      subject: ({ to }) => subjectKey(to),
      reads: ({ of }) => of,
      line: cloneLine,
      essence: cloneEssence,
      begins: ({ to }) => workKey(CLONE, subjectKey(to)),
    },
    'finish-clone': { subject: ({ ref }) => subjectKey(ref), line: finishLine, steps: finishSteps },
    'remove-clone': { subject: ({ ref }) => subjectKey(ref), line: removeLine, steps: removeSteps },
  },
  tallies: [
    { sign: '*', will: 'makes', did: 'began to make', one: 'new instance' },
    { sign: '^', name: 'whole', will: 'finishes', did: 'finished', one: 'new instance' },
    { sign: '-', name: 'half made', will: 'removes', did: 'removed', one: 'half-made instance' },
  ],
  look: { jobs: lookJobs, add: addLook },
  schedule: { stage: 'in progress', plan: planClones },
  requests: { clone: requestClone, 'bring-back': requestBringBack, move: requestMove },
  send: {
    prepare: (actions) => ({
      jobs: actions.flatMap((action) => (action.kind === 'clone' ? [cloneJob(action)] : [])),
      outcomes: [],
      notes: [],
    }),
  },
  record: recordClones,
  long: {
    noun: { one: 'clone', several: 'clones' },
    schema: cloneSchema,
    retry: RETRY,
    days: 1,
    shown: {
      from: z.string().check(z.describe('The instance, or its copy, whose snapshot it is made from')),
      snapshot: z.string(),
    },
    words: cloneWords,
  },
}
