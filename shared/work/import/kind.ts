/** Imports: an export becomes a new instance. */
import * as z from 'zod/mini'
import { subjectKey } from '../../incus/subject.ts'
import { workKey } from '../../ledger/work.ts'
import type { Kind } from '../kind.ts'
import type { ImportAction, ImportRequest } from './action.ts'
import { importEssence } from './digest.ts'
import { IMPORT, type ImportWork, importSchema } from './entry.ts'
import { importLine } from './lines.ts'
import { addLook, lookJobs } from './look.ts'
import { importWords } from './progress.ts'
import { recordImports } from './record.ts'
import { requestImport } from './request.ts'
import { planImports } from './schedule.ts'
import { importJob } from './steps.ts'
import { RETRY } from './tries.ts'

export const importing: Kind<ImportAction, ImportRequest, ImportWork> = {
  name: IMPORT,
  verbs: {
    import: {
      subject: ({ to }) => subjectKey(to),
      reads: ({ of }) => subjectKey(of),
      line: importLine,
      essence: importEssence,
      begins: ({ to }) => workKey(IMPORT, subjectKey(to)),
    },
  },
  look: { jobs: lookJobs, add: addLook },
  schedule: { stage: 'in progress', plan: planImports },
  requests: { import: requestImport },
  send: {
    prepare: (actions) => ({ jobs: actions.map(importJob), outcomes: [], notes: [] }),
  },
  record: recordImports,
  long: {
    noun: { one: 'import', several: 'imports' },
    schema: importSchema,
    retry: RETRY,
    days: 7,
    shown: {
      of: z.string().check(z.describe('The instance whose export it is')),
      store: z.string(),
      name: z.string().check(z.describe('Of the export, in its store')),
    },
    words: importWords,
  },
}
