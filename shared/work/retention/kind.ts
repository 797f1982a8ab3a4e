/** Removes snapshots that retention no longer keeps, and those that a request names; and takes the latter back. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { ExpireAction, ProlongAction, UndoAction } from './action.ts'
import { expireEssence } from './digest.ts'
import { expireLine, prolongLine, undoLine } from './lines.ts'
import { type ExpiryRequest, requestProlonging } from './prolong.ts'
import { allowExpiries, type ExpireRequest, requestExpiry } from './request.ts'
import { planRetention } from './schedule.ts'
import { simulateExpiry, simulateUndo } from './simulate.ts'
import { expireSteps, prolongSteps, undoSteps } from './steps.ts'
import { requestUndo, type UndoRequest } from './undo.ts'

export const retention: Kind<
  ExpireAction | UndoAction | ProlongAction,
  ExpireRequest | UndoRequest | ExpiryRequest
> = {
  name: 'retention',
  verbs: {
    expire: {
      subject: ({ ref }) => subjectKey(ref),
      line: expireLine,
      essence: expireEssence,
      steps: expireSteps,
      destroys: () => true,
      simulate: simulateExpiry,
      counts: { name: 'expired', did: 'expired' },
    },
    unexpire: {
      subject: ({ ref }) => subjectKey(ref),
      line: undoLine,
      steps: undoSteps,
      simulate: simulateUndo,
      listed: 'takenBack',
    },
    prolong: { subject: ({ ref }) => subjectKey(ref), line: prolongLine, steps: prolongSteps },
  },
  tallies: [
    { sign: '-', will: 'expires', did: 'expired', one: 'snapshot' },
    { sign: '#', name: 'undo', will: 'takes back', did: 'took back', one: 'removal' },
    { sign: '#', name: 'prolong', will: 'prolongs', did: 'prolonged', one: 'snapshot' },
  ],
  schedule: { stage: 'remove', plan: planRetention },
  requests: { expire: requestExpiry, undo: requestUndo, expiry: requestProlonging },
  allow: allowExpiries,
}
