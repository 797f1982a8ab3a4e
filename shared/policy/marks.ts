/** The `user.stapes.*` keys that aren't overrides: marks, which stapes sets, and holds, which people set. */
import type { InstanceRecord } from '../incus/inventory.ts'
import { own } from '../own.ts'

export const PREFIX = 'user.stapes.'

/** On a copy: the source it is a replica of, the identity of that source's server, and Incus's own of the source. */
export const REPLICA_OF = `${PREFIX}replica-of`
export const REPLICA_SERVER = `${REPLICA_OF}.server`
export const REPLICA_UUID = `${REPLICA_OF}.uuid`

/** On a copy: the snapshots that were verified. */
export const VERIFIED = `${PREFIX}verified`

/**
 * On a copy while a transfer onto it is in progress or unverified: which one, and what it brings. See
 * work/copy/transfer.ts.
 */
export const COPYING = `${PREFIX}copying`

/** On a copy: what it lacks of its source's config and devices, because it reaches the host. */
export const LEFT_OUT = `${PREFIX}left-out`

/** On a copy: the installation of stapes that makes it. See plan/installation.ts. */
export const OWNER = `${PREFIX}owner`

/**
 * Incus's own key: the instance can't be deleted. A verified copy takes it from its source, an unverified one
 * never has it.
 */
export const PROTECTION = 'security.protection.delete'

/**
 * On an instance that is being restored in place: to which snapshot, and the safety snapshot. See
 * work/restore/mark.ts.
 */
export const RESTORING = `${PREFIX}restoring`

/** On an instance that was restored in place: the safety snapshots of its restores. */
export const RESTORED = `${PREFIX}restored`

/** On an instance into which files of a snapshot are being restored: the safety snapshot, which is complete, and the snapshot. */
export const PUTTING = `${PREFIX}putting`

/** On an instance that only lives while a snapshot is exported, made from that: sealed by the relay, which removes it. */
export const EXPORTING = `${PREFIX}exporting`
/** On an instance that stands still for snapshots of it and its volumes, since when: sealed by the relay, which lets it run again. */
export const PAUSING = `${PREFIX}pausing`
/** On an instance that is being made from a snapshot. See work/clone/mark.ts. */
export const MAKING = `${PREFIX}restoring-as`

/** `user.stapes.hold.<snapshot>`: that snapshot is not removed, and counts for no rule of `keep`. */
export const HOLD = `${PREFIX}hold.`

/** On a bucket, of which Incus has no date: since when it is known to be there (ISO 8601). */
export const SINCE = `${PREFIX}known-since`

/**
 * `user.stapes.undo.<snapshot>`: somebody removed that snapshot, and Incus does so at the first of the two dates. The
 * second is its own expiry, or `never`, which `undo` sets again. See `removedOn`.
 */
export const UNDO = `${PREFIX}undo.`

export const isMark = (key: string): boolean =>
  key === REPLICA_OF ||
  key.startsWith(`${REPLICA_OF}.`) ||
  key === VERIFIED ||
  key === COPYING ||
  key === OWNER ||
  key === LEFT_OUT ||
  key === RESTORING ||
  key === RESTORED ||
  key === EXPORTING ||
  key === PAUSING ||
  key === PUTTING ||
  key === SINCE ||
  key === MAKING ||
  key === NO_VOLUMES ||
  key.startsWith(HOLD) ||
  key.startsWith(UNDO)

/** On an instance: somebody backs up its custom volumes in another way, or needs none. */
export const NO_VOLUMES = `${PREFIX}volumes.exclude`

/** In the words that Incus takes for it. */
export const isTrue = (value: string | undefined): boolean =>
  ['true', '1', 'yes', 'on'].includes(value?.toLowerCase() ?? '')

/** Those by which an instance counts as a copy, and what of it as verified. */
const MAKES_COPY: readonly string[] = [REPLICA_OF, VERIFIED, COPYING]

/**
 * The keys without what makes a copy of it, where they name the instance itself, on the very server that it was copied
 * from: it was copied back from its copy (`incus copy backup:web main:web`), so it is the source again. On another
 * server it may be the copy, under a name that the source's server had: `server` is null where that isn't known.
 */
export function withoutOwnCopy<T>(
  { key, server }: { key: string; server: string | null },
  config: Record<string, T>,
): Record<string, T> {
  return config[REPLICA_OF] === key && server !== null && config[REPLICA_SERVER] === server
    ? Object.fromEntries(Object.entries(config).filter(([name]) => !MAKES_COPY.includes(name)))
    : config
}

/** Words with a meaning of their own after the prefix, which can't be names of policies. */
export const RESERVED: readonly string[] = [
  'policy',
  'volumes',
  'none',
  'exclude',
  'keep',
  'expiry',
  'stateful',
  'copy',
  'paused',
  'replica-of',
  'verified',
  'copying',
  'owner',
  'left-out',
  'hold',
  'undo',
  'restoring',
  'restored',
  'exporting',
  'pausing',
  'putting',
  'restoring-as',
  'known-since',
]

const NO_HOLDS: ReadonlySet<string> = new Set()

/** Names of the snapshots that are held by the instance or a profile of it. */
export function holdsOf({ config }: InstanceRecord): ReadonlySet<string> {
  const holding = Object.entries(config).filter(
    ([key, why]) => key.startsWith(HOLD) && why !== '' && why !== 'false',
  )
  return holding.length === 0 ? NO_HOLDS : new Set(holding.map(([key]) => key.slice(HOLD.length)))
}

/** When Incus removes it, and its own expiry before (milliseconds since the epoch; null: it had none). */
export type Undoable = { end: number; before: number | null }

export function parseUndo(value: string): Undoable | null {
  const [end, before, ...more] = value.split(' ')
  const [at, own] = [Date.parse(end ?? ''), before === 'never' ? null : Date.parse(before ?? '')]
  return Number.isNaN(at) || Number.isNaN(own ?? 0) || more.length > 0 ? null : { end: at, before: own }
}

export const renderUndo = ({ end, before }: Undoable): string =>
  `${new Date(end).toISOString()} ${before === null ? 'never' : new Date(before).toISOString()}`

const NOTHING: ReadonlyMap<string, Undoable> = new Map()

/** By name, the snapshots that somebody removed, also those that are gone. */
export function undoableOn({
  config,
  own: keys,
}: Pick<InstanceRecord, 'config' | 'own'>): ReadonlyMap<string, Undoable> {
  const marks = keys.flatMap((key) => {
    const mark = key.startsWith(UNDO) ? parseUndo(own(config, key) ?? '') : null
    return mark === null ? [] : [[key.slice(UNDO.length), mark] as const]
  })
  return marks.length === 0 ? NOTHING : new Map(marks)
}

/** By name, the snapshots that somebody removed and that Incus has yet to remove. */
export function removedOn(
  record: Pick<InstanceRecord, 'config' | 'own'>,
  now: Date,
): ReadonlyMap<string, Undoable> {
  const marks = undoableOn(record)
  return marks.size === 0 ? marks : new Map([...marks].filter(([, { end }]) => end > now.getTime()))
}
