/** New instances that are being made from snapshots. */
import { type InstanceRef, instanceOf } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding } from '../../plan/finding.ts'
import { type Maker, planMaking } from '../making.ts'
import type { CloneAction } from './action.ts'
import { CLONE, type CloneWork, cloneIn } from './entry.ts'
import { jobOf } from './steps.ts'
import { RETRY } from './tries.ts'

export const planClones = (context: PlanContext): Finding => planMaking(CLONES, context)

const CLONES: Maker<CloneWork> = {
  kind: CLONE,
  // What nobody can read is told here.
  isMine: (making) => making?.imported !== true,
  entryIn: cloneIn,
  doing: 'it is being made from a snapshot',
  done: ({ snapshot, from }) => `it was made from ${snapshot} of ${from}`,
  needed: ({ snapshot, from }) => ({
    needed: new Map([[from, new Map([[snapshot, 'an instance is being made from it']])]]),
  }),
  jobOf,
  again: actionOf,
  retry: RETRY,
}

function actionOf(ref: InstanceRef, entry: CloneWork): CloneAction {
  return {
    kind: 'clone',
    from: instanceOf(entry.from),
    snapshot: entry.snapshot,
    to: ref,
    whole: entry.whole,
    start: entry.start,
    pool: entry.pool ?? null,
    transferMode: entry.transferMode,
    of: entry.of,
    job: entry.job,
    reason: `try ${entry.attempts + 1}: ${entry.reason ?? ''}`,
  }
}
