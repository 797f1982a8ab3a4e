/**
 * What an error of a call means for us. Incus sends permission, quota and duplicate alike as 500, and
 * operation errors are text only, so the class is read from the text (Incus 6.0.4's own).
 */
import type { CallError } from '../relay/protocol.ts'

export type Refusal =
  | 'exists' // the name is taken: for our names, somebody already did it
  | 'busy' // another operation holds the instance
  | 'full' // no space in the pool
  | 'forbidden' // by the project's or the certificate's restrictions: retrying won't help
  | 'gone' // the thing is not there
  | 'unsupported' // the request can't work for this instance: retrying won't help
  | 'leftover' // a killed restore lies in the way, on btrfs: retrying won't help
  | 'past' // the pool can't go back past newer snapshots, or not at all: retrying won't help
  | 'unavailable' // server, member or relay can't be reached or is going down
  | 'unknown' // sent, outcome not seen
  | 'misfit' // relay and Worker, or their settings, don't fit together; the message says what to do
  | 'other'

const PAST = /cannot be restored due to subsequent snapshot|lvresize .*%ORIGIN|maximum COW size/i

const TEXTS: readonly [RegExp, Refusal][] = [
  [/\.incustmp.*file exists/is, 'leftover'],
  [PAST, 'past'],
  [/UNIQUE constraint failed|already in use|already exists/i, 'exists'],
  [/is busy running|Failed getting exclusive access|matching non-reusable operation/i, 'busy'],
  [/No space left on device|disk quota exceeded|out of space/i, 'full'],
  [
    /doesn't allow for|not authorized|does not have permission|Certificate is restricted|maximum number of/i,
    'forbidden',
  ],
  [/migration\.stateful|CRIU|Stateful snapshots require/i, 'unsupported'],
  [/Shutting down|starting up|isn't ready yet|Unable to connect|Database is locked/i, 'unavailable'],
  [/not found|does not exist/i, 'gone'],
]

export function classify(error: CallError): Refusal {
  if (error.code === 'timeout' || error.code === 'vanished' || error.code === 'running') return 'unknown'
  if (error.code === 'locked') return 'busy'
  if (error.code === 'unreachable') return 'unavailable'
  if (error.code !== 'incus') return 'misfit'
  const known = TEXTS.find(([pattern]) => pattern.test(error.message))
  if (known !== undefined) return known[1]
  if (error.status === 403) return 'forbidden'
  if (error.status === 404) return 'gone'
  return error.status === 503 || error.status === 502 || error.status === 504 ? 'unavailable' : 'other'
}

const PERMANENT: readonly Refusal[] = ['forbidden', 'unsupported', 'gone', 'leftover', 'past']

/** Whether the same request may succeed later without anybody doing anything. */
export const mayRetry = (refusal: Refusal): boolean => !PERMANENT.includes(refusal)

const ADVICE: Partial<Record<Refusal, string>> = {
  full: 'free space in the pool or enlarge it',
  forbidden: "check the project's restrictions and what the relay's certificate may do",
  busy: 'it is tried again',
  past: 'make a new instance of the snapshot: incus copy <instance>/<snapshot> <new name>',
  unsupported: 'set "stateful" to false for it, or enable migration.stateful on the instance',
  unavailable: 'it is tried again',
  unknown: 'the next tick looks whether it happened',
}

/**
 * Incus looks whether a snapshot can be restored only after it has stopped the instance; these it says before
 * it touches disk or config (6.0.4: zfs, thick lvm; dir and btrfs where the snapshot has nothing on disk).
 */
export const leavesAsItWas = ({ code, message }: CallError): boolean =>
  code === 'incus' && (/^Snapshot not found$|Not a Btrfs subvolume/i.test(message) || PAST.test(message))

/** One sentence for people: what happened, and what to do. */
export function describe(error: CallError): string {
  const refusal = classify(error)
  if (refusal === 'leftover') return describeLeftover(error.message)
  const advice = ADVICE[refusal]
  return advice === undefined ? error.message : `${error.message} (${advice})`
}

/** Incus sets the old subvolume aside, and can't begin anew while that is there (6.0.4, btrfs). */
function describeLeftover(message: string): string {
  const path = /"([^"]+\.incustmp)"/.exec(message)?.[1] ?? 'a subvolume *.incustmp'
  return `a restore that was cut off has left ${path} on the server, with the data from before: move it away, then restore again`
}
