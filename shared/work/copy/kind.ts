/** Copies on a backup server, each verified before it counts. */
import * as z from 'zod/mini'
import { subjectKey } from '../../incus/subject.ts'
import { workKey } from '../../ledger/work.ts'
import type { Kind } from '../kind.ts'
import type { CopyAction, PermitAction, VerifyAction } from './action.ts'
import { copyEssence, permitEssence } from './digest.ts'
import { COPY, type CopyWork, copySchema } from './entry.ts'
import { guardCopies } from './guard.ts'
import {
  copyLine,
  copyLines,
  ON_COPY,
  permitLine,
  permitLines,
  verifyLine,
  verifyLines,
  WHOLE,
} from './lines.ts'
import { copyWords } from './progress.ts'
import { prepareCopies, readJobs } from './reads.ts'
import { recordCopies } from './record.ts'
import { allowRefreshes, type CopyRequest, requestCopies } from './request.ts'
import { RETRY } from './retry.ts'
import { planDueCopies } from './schedule.ts'
import { copyEnds, simulateCopy, simulateVerify } from './simulate.ts'

export const copy: Kind<CopyAction | PermitAction | VerifyAction, CopyRequest, CopyWork> = {
  name: COPY,
  verbs: {
    copy: {
      subject: ({ source }) => subjectKey(source),
      about: ({ key }) => key,
      line: copyLine,
      lines: copyLines,
      essence: copyEssence,
      destroys: ({ mirrored }) => mirrored.length > 0,
      begins: ({ key }) => workKey(COPY, key),
      freezes: ({ standstill, target }) => (standstill === null ? null : `its copy to ${target.remote}`),
      simulate: simulateCopy,
      counts: { name: 'copiesStarted', noun: ['copy', 'copies'], did: 'started' },
    },
    permit: {
      subject: ({ source }) => subjectKey(source),
      about: ({ key }) => key,
      line: permitLine,
      lines: permitLines,
      essence: permitEssence,
      destroys: () => true,
    },
    verify: {
      subject: ({ source }) => subjectKey(source),
      about: ({ key }) => key,
      line: verifyLine,
      lines: verifyLines,
      simulate: simulateVerify,
      counts: { name: 'verified', did: 'verified' },
    },
  },
  tallies: [
    { sign: '>', will: 'starts', did: 'started', one: 'copy', several: 'copies' },
    { sign: '✓', will: 'verifies', did: 'verified', one: 'copy', several: 'copies' },
    {
      ...{ sign: '-', name: ON_COPY, will: 'removes', did: 'removed' },
      ...{ one: 'snapshot on a copy', several: 'snapshots on copies' },
    },
    {
      ...{ sign: '-', name: WHOLE, will: 'starts over', did: 'started over' },
      ...{ one: 'first copy', several: 'first copies' },
    },
  ],
  schedule: { stage: 'send', plan: planDueCopies },
  guard: guardCopies,
  requests: { copy: requestCopies },
  allow: allowRefreshes,
  send: { reads: readJobs, prepare: prepareCopies },
  record: recordCopies,
  ends: copyEnds,
  long: {
    noun: { one: 'copy', several: 'copies' },
    schema: copySchema,
    retry: RETRY,
    // Entries of replicas that didn't change for so long are removed; their marks are in Incus.
    days: 30,
    shown: { newest: z.optional(z.string()) },
    words: copyWords,
  },
}
