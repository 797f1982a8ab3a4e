/**
 * What an error of a call means for us. Incus sends permission, quota and duplicate alike as 500, and
 * operation errors are text only, so the class is read from the text (that of Incus 6.0.4 and 7.0.2).
 */
import type { CallError } from '../relay/protocol.ts'

export type Refusal =
  | 'exists' // the name is taken: a snapshot of ours exists already
  | 'busy' // another operation holds the instance
  | 'full' // no space in the pool
  | 'forbidden' // by the project's or the certificate's restrictions: retrying won't help
  | 'gone' // the thing is not there
  | 'unsupported' // the request can't work for this instance: retrying won't help
  | 'leftover' // a killed restore lies in the way, on btrfs: retrying won't help
  | 'past' // the pool can't go back past newer snapshots, or not at all: retrying won't help
  | 'mounted' // something is mounted in the way, a killed copy's own mount for one: a person has to unmount it
  | 'uneven' // a snapshot is in one of Incus's lists and not in the other: for the moment, or since a power cut
  | 'misnamed' // Incus takes no such name: retrying won't help
  | 'quoted' // rsync stumbles over a quote mark in a snapshot's name: retrying won't help
  | 'unavailable' // server, member or relay can't be reached or is going down
  | 'unknown' // sent, outcome not seen
  | 'cancelled' // by somebody: it isn't tried again by itself
  | 'misfit' // relay and Worker, or their settings, don't fit together; the message says what to do
  | 'other'

const PAST = /cannot be restored due to subsequent snapshot|lvresize .*%ORIGIN|maximum COW size/i

const FULL =
  /no space (is )?left|disk quota exceeded|out of space|insufficient free space|Insufficient suitable allocatable extents/i

const UNREACHABLE = /ECONNREFUSED|ETIMEDOUT|unreachable|can't be reached/i

const TEXTS: readonly [RegExp, Refusal][] = [
  [/\.incustmp.*file exists/is, 'leftover'],
  [PAST, 'past'],
  [/UNIQUE constraint failed|already in use|already exists/i, 'exists'],
  [/record count doesn't match instance snapshot volume record count/i, 'uneven'],
  [/device or resource busy/i, 'mounted'],
  [/Missing trailing-["'] in remote-shell command/i, 'quoted'],
  [/Name cannot contain white ?space|Name contains invalid character/i, 'misnamed'],
  [
    /is busy running|Failed getting exclusive access|matching non-reusable operation|is already being migrated/i,
    'busy',
  ],
  [FULL, 'full'],
  [
    /doesn't allow|not authorized|does not have permission|Certificate is restricted|maximum number of|has no "[\w.]+" config| (is|are) forbidden$/i,
    'forbidden',
  ],
  [/migration\.stateful|size\.state|CRIU|stateful snapshot/i, 'unsupported'],
  [
    /Shutting down|starting up|isn't ready yet|Unable to connect|Database is locked|Missing event connection|member is unavailable/i,
    'unavailable',
  ],
  [/not found|does not exist|doesn't exist/i, 'gone'],
]

/** The request was sent and its outcome is unknown: it may go on, or be done in part. One that still runs is listed. */
export const hasUnknownOutcome = ({ code }: CallError): boolean =>
  code === 'timeout' || code === 'vanished' || code === 'bad-reply'

export function classify(error: CallError): Refusal {
  if (error.code === 'timeout' || error.code === 'vanished' || error.code === 'running') return 'unknown'
  if (error.code === 'locked') return 'busy'
  if (error.code === 'unreachable') return 'unavailable'
  if (error.code === 'cancelled') return 'cancelled'
  if (error.code !== 'incus') return 'misfit'
  const known = TEXTS.find(([pattern]) => pattern.test(error.message))
  if (known !== undefined) return known[1]
  if (error.status === 403) return 'forbidden'
  if (error.status === 404) return 'gone'
  return error.status === 503 || error.status === 502 || error.status === 504 ? 'unavailable' : 'other'
}

const PERMANENT: readonly Refusal[] = [
  'forbidden',
  'unsupported',
  'gone',
  'leftover',
  'past',
  'mounted',
  'misnamed',
  'quoted',
  'cancelled',
]

/**
 * What a reason is about, where that decides what to do, and only its words are left of the error: those of Incus, its
 * tools and the relay, or ours. Null: anything else.
 */
export type ReasonCode = 'full' | 'broken-off' | 'unreachable'

export function codeIn(reason: string): ReasonCode | null {
  if (reason.includes(BROKEN_OFF)) return 'broken-off'
  if (FULL.test(reason)) return 'full'
  return UNREACHABLE.test(reason) ? 'unreachable' : null
}

/** Whether the same request may succeed later by itself. */
export const mayRetry = (refusal: Refusal): boolean => !PERMANENT.includes(refusal)

/** No answer for the moment: whoever gave none may be back at the next call, as after a reboot. */
export const isPassing = (error: CallError): boolean =>
  ['busy', 'unavailable', 'unknown'].includes(classify(error))

const UNEVEN =
  'if this persists, a power cut has left snapshots without data: on that server, delete those that "incus snapshot list" shows and the pool doesn’t have'

const ADVICE: Partial<Record<Refusal, string>> = {
  full: 'free space in the pool or enlarge it',
  forbidden: "check the project's restrictions and what the relay's certificate may do",
  busy: 'stapes tries again',
  past: 'create a new instance from the snapshot: incus copy <instance>/<snapshot> <new name>',
  misnamed: 'Incus accepts no such name: rename it on its server',
  quoted: 'rsync can’t send a snapshot with a quote mark in its name: rename it on the source',
  uneven: `stapes tries again; ${UNEVEN}`,
  unavailable: 'stapes tries again',
  unknown: 'the next tick checks whether it happened',
}

/** Where nothing tries it again by itself, because somebody asked for it once. */
const ADVICE_ONCE: Partial<Record<Refusal, string>> = {
  busy: 'nothing was changed: ask again when that has ended',
  uneven: `ask again; ${UNEVEN}`,
  unavailable: 'ask again when it is back',
}

/** Nothing of these is on disk (dir, btrfs), or in the lists. The relay may go on with what else went wrong. */
const ABSENT = /^Snapshot (not found|\S+ does not exist)(; and |$)|Not a Btrfs subvolume/i

/** Of a custom volume: something was started since (6.0.4, 7.0.2). */
const IN_USE = /^Cannot restore custom volume used by running instances/

/**
 * Whether a failed restore left disk and config unchanged. Incus stops the instance before it checks, but
 * reports these errors before it changes anything (6.0.4: zfs, thick lvm, not found, busy); or nothing was
 * sent.
 */
export const leavesAsItWas = ({ code, message }: CallError): boolean =>
  code === 'incus'
    ? [PAST, ABSENT, IN_USE, /^Failed to create instance restore operation/].some((text) =>
        text.test(message),
      )
    : ['not-allowed', 'unreachable', 'locked', 'untrusted', 'certificate'].includes(code)

/** One sentence for people: what happened, and what to do. `once`: nothing tries it again. */
export function describe(error: CallError, once = false): string {
  const refusal = classify(error)
  if (refusal === 'leftover') return describeLeftover(error.message)
  if (refusal === 'mounted') return describeMounted(error.message)
  if (refusal === 'unsupported')
    return `${error.message} (${MEMORY.find(([text]) => text.test(error.message))?.[1]})`
  const advice =
    PLACES.find(([text]) => text.test(error.message))?.[1] ??
    (once ? ADVICE_ONCE[refusal] : undefined) ??
    ADVICE[refusal]
  const said =
    refusal === 'full' && error.message.length > SHORT ? `no space is left: ${error.message}` : error.message
  return advice === undefined ? said : `${said} (${advice})`
}

/** Characters. A longer one names a command with its paths first, and a headline is cut before what is wrong. */
const SHORT = 100

const BROKEN_OFF = 'the receiving server broke it off'

/** Why a project, a cluster or a pool can't take a copy, by Incus's error text (6.0.4, 7.0.2). */
const PLACES: readonly [RegExp, string][] = [
  // The sending side may be the first to fail, though the reason is on the other.
  [
    /^(?!.*(No space left|quota exceeded)).*(Rsync send failed|Failed migration on source: .*(broken pipe|closed network connection))/is,
    `${BROKEN_OFF}, and Incus does not say why: is its pool full, or was it restarted?`,
  ],
  [
    /cluster member targeting/,
    'up to Incus 6.0.4, a refresh has to name the cluster member that has the copy; to allow that: incus project set <project> restricted.cluster.target=allow',
  ],
  [
    /has no "[\w.]+" config/,
    'the project has a total limit for it: set a limit on the instance, or in a profile on the target',
  ],
  [
    /Cannot remove a volume that has snapshots/,
    'its pool has snapshots that Incus does not list for the instance: rename the instance there to keep everything; a new first copy follows',
  ],
  [/Requested profile /, 'create a profile of that name there'],
  [
    /Cluster (member|group) .*(not found|doesn't exist)/,
    'set "copy.target" to a member or group that exists',
  ],
]

/** What keeping an instance's memory needs, by what Incus says (6.0.4); the last is said of anything else. */
const MEMORY: readonly [RegExp, string][] = [
  [
    /CRIU/,
    'the memory of a container needs CRIU on the server: install it, or set user.stapes.stateful=false on it',
  ],
  [
    /size\.state/,
    'incus config device override <instance> root size.state=<more than its limits.memory>, or set user.stapes.stateful=false on it',
  ],
  [/isn't running/, 'an instance that isn’t running has no memory to keep'],
  [
    /(?:)/,
    'stop it, set migration.stateful=true on it and size.state on its root disk to more than limits.memory, and start it; or set user.stapes.stateful=false on it',
  ],
]

/** Incus renames the old subvolume, and can't restore again while that exists (6.0.4, btrfs). */
function describeLeftover(message: string): string {
  const path = /"([^"]+\.incustmp)"/.exec(message)?.[1] ?? 'a subvolume *.incustmp'
  return `an interrupted restore left ${path} on the server, with the previous data: move it away, then restore again`
}

/** Seen of a first copy that was killed (7.0.2, dir): its mount outlives it, and nothing can be deleted below it. */
function describeMounted(message: string): string {
  const path = /(?:unlinkat|remove|rename|unmount\w*|rmdir) "?(\/[^\s":]+)/i.exec(message)?.[1] ?? null
  const where =
    path === null ? 'find mounts in its pool with "findmnt" and unmount them' : `run "umount ${path}" there`
  return `${message} (something is still mounted on the server: ${where}; then it works again)`
}
