/** Exports: a snapshot as a file outside of Incus, in a store of the relay. */
import * as z from 'zod/mini'
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { ExportAction, ExportRequest } from './action.ts'
import { planDue } from './by-policy.ts'
import { exportEssence } from './digest.ts'
import { EXPORT, type ExportWork, exportKey, exportSchema } from './entry.ts'
import { exportLine } from './lines.ts'
import { addLook, lookJobs } from './look.ts'
import { exportWords } from './progress.ts'
import { recordExports } from './record.ts'
import { requestExport } from './request.ts'
import { planExports } from './schedule.ts'
import { exportJob } from './steps.ts'
import { RETRY } from './tries.ts'

export const exporting: Kind<ExportAction, ExportRequest, ExportWork> = {
  name: EXPORT,
  verbs: {
    export: {
      subject: ({ ref }) => subjectKey(ref),
      line: exportLine,
      essence: exportEssence,
      begins: ({ ref, store }) => exportKey(subjectKey(ref), store),
    },
  },
  tallies: [{ sign: '»', will: 'starts', did: 'started', one: 'export' }],
  look: { jobs: lookJobs, add: addLook },
  schedule: [
    { stage: 'in progress', plan: planExports },
    { stage: 'send', plan: planDue },
  ],
  requests: { export: requestExport },
  send: {
    prepare: (actions) => ({ jobs: actions.map(exportJob), outcomes: [], notes: [] }),
  },
  record: recordExports,
  long: {
    noun: { one: 'export', several: 'exports' },
    schema: exportSchema,
    placed: ({ store }) => store,
    retry: RETRY,
    days: 7,
    shown: {
      store: z.string(),
      snapshot: z.string(),
      name: z.string().check(z.describe('Of the export, in its store')),
      bytes: z.optional(z.number().check(z.describe('That the store holds'))),
    },
    words: exportWords,
  },
}
