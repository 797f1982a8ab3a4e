/** What an invariant is, and what several of them ask of the servers and of a scene. */
import type { Ledger } from '../../shared/ledger/ledger.ts'
import type { Keep } from '../../shared/retention/keep.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import type { Instance } from '../emulator/state.ts'
import type { Groups } from './groups-seen.ts'
import type { Held, Holder, HolderEvent, Listener, SnapshotEvent } from './journal.ts'
import { remembered } from './remembered.ts'
import type { Calendar, SlotBook } from './slot-book.ts'
import type { World } from './world.ts'

/** What the invariants need to know of a scene. All is in the project `default`. */
export type Scene = {
  world: World
  /** Instances and volumes (`pool:volume`) on main that every policy covers; each has its replica on backup where a policy copies. */
  covered: readonly string[]
  calendar: Calendar
  keep: Record<string, Keep>
  book: SlotBook
  /** From when to when every slot has to have ended. */
  span: { after: Date; until: Date }
  /** What a policy takes together. */
  groups: Groups
  /** Of those policies that export their instances. */
  exports: Record<string, Exporting>
}

/** `calendar`: the slots of its exports. */
export type Exporting = { store: string; calendar: readonly Date[]; keep: Keep }

export type Fail = (text: string) => void
export type Checks = { listener?: Listener; step?(): void; end?(): void }
export type Invariant = (scene: Scene, fail: Fail) => Checks

const OURS = /^([a-z][a-z0-9-]*)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z$/

/** `slot`: the moment in its name (ISO 8601). */
export type Own = { policy: string; slot: string }

export function ownName({ calendar }: Pick<Scene, 'calendar'>, name: string): Own | null {
  const [, policy = '', year, month, day, hour, minute] = OURS.exec(name) ?? []
  return policy in calendar ? { policy, slot: `${year}-${month}-${day}T${hour}:${minute}:00.000Z` } : null
}

const isVolume = (holder: Holder): holder is Exclude<Holder, Instance> => 'content' in holder

/** Of a volume `pool:volume`. */
export const nameOf = (holder: Holder): string =>
  isVolume(holder) ? `${holder.pool}:${holder.name}` : holder.name

export function holderOn({ state }: EmbeddedIncus, name: string): Holder | undefined {
  const [pool = '', volume] = name.split(':')
  return volume === undefined
    ? state.projects.get('default')?.instances.get(name)
    : state.pools.get(pool)?.volumes.get(`default/${volume}`)
}

/** Instances and volumes. */
export const holdersOn = ({ state }: EmbeddedIncus): Holder[] => [
  ...(state.projects.get('default')?.instances.values() ?? []),
  ...[...state.pools.values()].flatMap(({ volumes }) => [...volumes.values()]),
]

export const secondOf = (held: Held): number =>
  'second' in held ? held.second : Math.floor(Date.parse(held.createdAt) / 1000)

export const say = ({ remote, holder, snapshot }: SnapshotEvent): string =>
  `${remote}/${nameOf(holder)}/${snapshot.name}`

/** Incus itself removes what has expired. */
export const hasExpired = ({ snapshot, at }: SnapshotEvent): boolean =>
  snapshot.expires.ms !== null && snapshot.expires.ms <= at

/** It is made from a snapshot just now: what arrives with it was taken long before, and may go with it. */
export const isHalfMade = ({ config }: Holder): boolean =>
  / making /.test(config['user.stapes.restoring-as'] ?? '')

/** Of a snapshot, by the relay, for an export or to read files: it goes again. */
export const isTemporary = ({ name, config }: Holder): boolean =>
  /^stapes-(export|files)-[0-9a-f]{24}$/.test(name) && config['user.stapes.exporting'] !== undefined

const ledgerOf = remembered((value) => value as Ledger | null)
export const ledgerIn = ({ kv }: World): Ledger | null => ledgerOf(kv.peek('ledger'))

export type { HolderEvent, SnapshotEvent }
