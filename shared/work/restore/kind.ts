/** Restores in place: an instance is restored to one of its snapshots, and the state before is kept. */
import * as z from 'zod/mini'
import { subjectKey } from '../../incus/subject.ts'
import { workKey } from '../../ledger/work.ts'
import type { Kind } from '../kind.ts'
import type { RestoreAction, RestoreRequest, StartAction, UndoAction } from './action.ts'
import { restoreEssence } from './digest.ts'
import { RESTORE, type RestoreWork, restoreSchema } from './entry.ts'
import { restoreLine, restoreLines, startLine, undoLine } from './lines.ts'
import { addLook, lookJobs } from './look.ts'
import { restoreWords } from './progress.ts'
import { recordRestores } from './record.ts'
import { requestRestore } from './request.ts'
import { planRestores } from './schedule.ts'
import { restoreJob, startSteps, undoSteps } from './steps.ts'
import { RETRY } from './tries.ts'

export const restore: Kind<RestoreAction | StartAction | UndoAction, RestoreRequest, RestoreWork> = {
  name: RESTORE,
  verbs: {
    restore: {
      subject: ({ ref }) => subjectKey(ref),
      line: restoreLine,
      lines: restoreLines,
      essence: restoreEssence,
      destroys: () => true,
      begins: ({ ref }) => workKey(RESTORE, subjectKey(ref)),
      stops: ({ ref, users }) => users.map((instance) => subjectKey({ ...ref, instance })),
      // The steps after the safety snapshot start it again, if they are reached.
      freezes: ({ standstill, safety }) => (standstill === null ? null : `its snapshot ${safety.name}`),
    },
    start: {
      subject: ({ ref }) => subjectKey(ref),
      line: startLine,
      steps: startSteps,
    },
    undo: { subject: ({ ref }) => subjectKey(ref), line: undoLine, steps: undoSteps },
  },
  tallies: [
    { sign: '<', will: 'restores', did: 'began to restore', one: 'instance' },
    { sign: '#', name: 'marks', will: 'finishes', did: 'began to finish', one: 'restore' },
    { sign: '^', will: 'starts', did: 'started', one: 'instance' },
    { sign: '^', name: 'refused', will: 'ends', did: 'ended', one: 'refused restore' },
  ],
  look: { jobs: lookJobs, add: addLook },
  schedule: { stage: 'in progress', plan: planRestores },
  requests: { restore: requestRestore },
  send: {
    prepare: (actions) => ({
      jobs: actions.flatMap((action) => (action.kind === 'restore' ? [restoreJob(action)] : [])),
      outcomes: [],
      notes: [],
    }),
  },
  record: recordRestores,
  long: {
    noun: { one: 'restore', several: 'restores' },
    schema: restoreSchema,
    retry: RETRY,
    shown: {
      snapshot: z.string(),
      safety: z.string().check(z.describe('The snapshot of the previous state')),
    },
    words: restoreWords,
  },
}
