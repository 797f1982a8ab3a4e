/** Files of a snapshot that are restored into their instance; the state before is kept. */
import * as z from 'zod/mini'
import { subjectKey } from '../../incus/subject.ts'
import { workKey } from '../../ledger/work.ts'
import type { Kind } from '../kind.ts'
import type { PutAction, PutRequest } from './action.ts'
import { putEssence } from './digest.ts'
import { PUT, type PutWork, putSchema } from './entry.ts'
import { putLine, putLines } from './lines.ts'
import { putWords } from './progress.ts'
import { recordPuts } from './record.ts'
import { requestPut } from './request.ts'
import { planPuts } from './schedule.ts'
import { putJob } from './steps.ts'
import { RETRY } from './tries.ts'

export const put: Kind<PutAction, PutRequest, PutWork> = {
  name: PUT,
  verbs: {
    put: {
      subject: ({ ref }) => subjectKey(ref),
      line: putLine,
      lines: putLines,
      essence: putEssence,
      destroys: () => true,
      begins: ({ ref }) => workKey(PUT, subjectKey(ref)),
      freezes: ({ standstill, safety }) => (standstill === null ? null : `its snapshot ${safety.name}`),
    },
  },
  tallies: [{ sign: '<', name: 'files', will: 'restores', did: 'began to restore', one: 'path' }],
  schedule: { stage: 'in progress', plan: planPuts },
  requests: { put: requestPut },
  send: {
    prepare: (actions) => ({ jobs: actions.map(putJob), outcomes: [], notes: [] }),
  },
  record: recordPuts,
  long: {
    noun: { one: 'put', several: 'puts' },
    schema: putSchema,
    retry: RETRY,
    days: 1,
    shown: {
      from: z.string().check(z.describe('The instance, or its copy, whose snapshot it is')),
      snapshot: z.string(),
      path: z.string(),
      safety: z.string().check(z.describe('The snapshot of the previous state')),
    },
    words: putWords,
  },
}
