/** One export is held, released, or removed on request: after a time in which that can be taken back. */
import * as z from 'zod/mini'
import { subjectKey } from '../../incus/subject.ts'
import type { Kind, Verb } from '../kind.ts'
import type { RemovalAction, RemovalRequest } from './action.ts'
import { removalEssence } from './digest.ts'
import { REMOVAL, type RemovalWork, removalSchema } from './entry.ts'
import { dropExportLine, holdExportLine, removeExportLine, undoExportLine } from './lines.ts'
import { addLook, lookJobs } from './look.ts'
import { removalWords } from './progress.ts'
import { recordRemovals } from './record.ts'
import { requestHoldExport, requestReleaseExport, requestRemoveExport, requestUndoExport } from './request.ts'
import { planRemovals } from './schedule.ts'
import { removalJob } from './steps.ts'
import { RETRY } from './tries.ts'

const one: Pick<Verb<RemovalAction>, 'subject' | 'about'> = {
  subject: ({ ref }) => subjectKey(ref),
  about: ({ ref, store, name }) => `${subjectKey(ref)}>${store} ${name}`,
}

export const removal: Kind<RemovalAction, RemovalRequest, RemovalWork> = {
  name: REMOVAL,
  verbs: {
    'hold-export': { ...one, line: holdExportLine },
    'undo-export': { ...one, line: undoExportLine },
    'remove-export': { ...one, line: removeExportLine, essence: removalEssence, destroys: () => true },
    'drop-export': { ...one, line: dropExportLine, destroys: () => true, listed: 'exportsDropped' },
  },
  tallies: [
    { sign: '-', name: 'said', will: 'removes', did: 'had removed', one: 'export' },
    { sign: '#', name: 'said', will: 'marks', did: 'marked', one: 'export' },
  ],
  look: { jobs: lookJobs, add: addLook },
  schedule: { stage: 'remove', plan: planRemovals },
  requests: {
    'hold-export': requestHoldExport,
    'release-export': requestReleaseExport,
    'remove-export': requestRemoveExport,
    'undo-export': requestUndoExport,
  },
  send: { prepare: (actions) => ({ jobs: actions.map(removalJob), outcomes: [], notes: [] }) },
  record: recordRemovals,
  long: {
    noun: { one: 'removal', several: 'removals' },
    schema: removalSchema,
    retry: RETRY,
    shown: { store: z.string(), name: z.string() },
    words: removalWords,
  },
}
