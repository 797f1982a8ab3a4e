/** Checks: an export is read again to its end, and compared with what its manifest says. */
import * as z from 'zod/mini'
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { CheckAction, CheckRequest } from './action.ts'
import { planDueChecks } from './by-policy.ts'
import { CHECK, type CheckWork, checkKey, checkSchema } from './entry.ts'
import { checkLine } from './lines.ts'
import { checkWords } from './progress.ts'
import { recordChecks } from './record.ts'
import { requestCheck } from './request.ts'
import { planChecks } from './schedule.ts'
import { checkJob } from './steps.ts'
import { RETRY } from './tries.ts'

export const check: Kind<CheckAction, CheckRequest, CheckWork> = {
  name: CHECK,
  verbs: {
    check: {
      subject: ({ ref }) => subjectKey(ref),
      line: checkLine,
      begins: ({ ref, store }) => checkKey(subjectKey(ref), store),
    },
  },
  tallies: [{ sign: '»', name: 'check', will: 'starts', did: 'started', one: 'check' }],
  schedule: [
    { stage: 'in progress', plan: planChecks },
    { stage: 'send', plan: planDueChecks },
  ],
  requests: { check: requestCheck },
  send: {
    prepare: (actions) => ({ jobs: actions.map(checkJob), outcomes: [], notes: [] }),
  },
  record: recordChecks,
  long: {
    noun: { one: 'check', several: 'checks' },
    schema: checkSchema,
    placed: ({ store }) => store,
    retry: RETRY,
    days: 7,
    shown: { store: z.string(), name: z.optional(z.string()) },
    words: checkWords,
  },
}
