/** Tries of a restore in place: from where they begin, how often, and what is said when there is no further one. */

import { type InstanceRef, volumeIn } from '../../incus/subject.ts'
import { incusCommand } from '../../shell.ts'
import type { RetryPolicy } from '../life.ts'
import type { RestoreWork } from './entry.ts'
import { notStartedAgain } from './volume.ts'

/** From which of its steps another try begins. */
export type Stage =
  | { from: 'safety'; partial: string | null } // nothing was changed yet
  | { from: 'data' } // the safety snapshot is whole; the instance's data may be a mixture
  | { from: 'marks' } // restored

const LONGEST_MINUTES = 30

/** The first failed one is made up for at once, then it takes longer, and ends. */
export const RETRY: RetryPolicy = {
  tries: 5,
  minutes: (failed) => (failed === 1 ? 0 : Math.min(2 ** (failed - 2), LONGEST_MINUTES)),
  longest: LONGEST_MINUTES,
}

/** So often an instance that was restored is started. */
export const STARTS = 3

/** Nothing was changed, and why. */
export const unchangedReason = (snapshot: string, why: string): string =>
  `it was not restored to ${snapshot}, and nothing was changed: ${why}`

/** The disk is the snapshot's all the same. */
export const memoryReason = (why = 'it is not known how that ended'): string =>
  `its memory was not restored, so it was booted without it: ${why}`

/** Of an instance that ran before, and doesn't. */
export function notStarted(ref: InstanceRef, entry: RestoreWork): string {
  if (volumeIn(ref.instance) !== null) return notStartedAgain(ref, entry)
  const { project, instance } = ref
  const { refused, snapshot, safety, reason } = entry
  const why = reason === undefined ? '' : `: ${reason}`
  const start = incusCommand(project, 'start', instance)
  return refused === true
    ? `${reason ?? `it was not restored to ${snapshot}`}; it is stopped and doesn't start: run "${start}"`
    : `it was restored to ${snapshot}, but it is stopped and doesn't start${why}; fix that and run "${start}", or restore ${safety}, the previous state`
}

/** What is left of a restore that was given up, and what to do. */
export const GIVEN_UP: Record<Stage['from'], (entry: RestoreWork) => string> = {
  safety: ({ snapshot, reason }) => `it was not restored to ${snapshot}, and nothing was changed: ${reason}`,
  data: ({ snapshot, safety, reason }) =>
    `restoring it to ${snapshot} failed: ${reason}; its data may be partly old and partly new, so it isn't started; the previous state is in ${safety}: restore that, or ${snapshot} again`,
  marks: ({ snapshot, safety, holds, reason }) => {
    const keys = Object.entries(holds).map(([key, value]) => `${key}=${value}`)
    const lost =
      keys.length === 0 ? '' : `; set these keys again, which its snapshot lacks: ${keys.join(', ')}`
    return `it was restored to ${snapshot}, but couldn't be marked: ${reason}${lost}; the previous state is in ${safety}`
  },
}
