/** Cancellations: long work that somebody doesn't want to go on. What it leaves is what a kill in the middle would leave. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { CancelAction, CancelRequest } from './action.ts'
import { cancelLine } from './lines.ts'
import { requestCancel } from './request.ts'
import { cancelJob } from './steps.ts'

export const cancel: Kind<CancelAction, CancelRequest> = {
  name: 'cancel',
  verbs: { cancel: { subject: ({ ref }) => subjectKey(ref), line: cancelLine } },
  tallies: [{ sign: '×', will: 'cancels', did: 'cancelled', one: 'job' }],
  requests: { cancel: requestCancel },
  send: { prepare: (actions) => ({ jobs: actions.map(cancelJob), outcomes: [], notes: [] }) },
}
