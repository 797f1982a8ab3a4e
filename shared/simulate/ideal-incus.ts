/**
 * The servers of a simulation: whatever is asked of them succeeds at once, and what has expired goes. They start as
 * they were observed, and only the simulation changes them.
 */
import type { InstanceRecord, RemoteInventory, SnapshotPair } from '../incus/inventory.ts'
import { isIn } from '../incus/pairs.ts'
import { type InstanceRef, subjectKey } from '../incus/subject.ts'
import type { InventoryReply, JobReport } from '../relay/protocol.ts'
import {
  addSnapshot,
  dropSnapshot,
  endedOn,
  type IdealInstance,
  isPaced,
  keyOf,
  list,
  newCopy,
  observedInstance,
  pairOn,
  postponeEnd,
  removeAt,
  restoreEnd,
  setConfig,
  setEnd,
  takeBackOn,
} from './ideal-instance.ts'

/** A snapshot that went. `by`: retention, its own expiry, or a refresh that no longer found it on the source. */
export type Gone = {
  at: Date
  /** Key of the instance. */
  of: string
  snapshot: SnapshotPair
  by: 'retention' | 'expiry' | 'refresh'
  reason: string
}

/** A transfer onto a copy. */
type Arriving = {
  source: InstanceRef
  target: InstanceRef
  /** Snapshots of the source come if they are younger than this (seconds since the epoch), or named. */
  from: number
  names: readonly string[]
  /** A new copy, or one that is started over. */
  first: boolean
  pool: string | null
  /** Never older than what the source had. */
  unverified: readonly string[]
  config: Readonly<Record<string, string>>
}

export type IdealIncus = {
  /** As the relay lists them now. */
  observe(): InventoryReply
  find(ref: InstanceRef): InstanceRecord | undefined
  gone(): readonly Gone[]
  /** Keys of instances of which the relay has left something for a day. */
  paced: ReadonlySet<string>
  /** What has expired by then goes. */
  advance(to: Date): void
  take(ref: InstanceRef, snapshot: string, expiresAt: string | null): void
  /** False: so many have gone within a day that the relay leaves the rest. */
  remove(ref: InstanceRef, snapshot: string, reason: string): boolean
  /** The same, at that time (ISO 8601): its instance says so. */
  removeLater(ref: InstanceRef, snapshot: string, end: string, reason: string): boolean
  /** It doesn't go, and has the end that it had before. */
  takeBack(ref: InstanceRef, snapshot: string): void
  /** Sets its expiry (ISO 8601; null: never). */
  end(ref: InstanceRef, snapshot: string, expiresAt: string | null): void
  /** Sets a later one for a time; nothing where it ends later anyway, or never. */
  postpone(ref: InstanceRef, snapshot: string, until: string): void
  /** Gives back the one that was postponed. */
  restore(ref: InstanceRef, snapshot: string): void
  receive(arriving: Arriving): void
  /** Sets config keys of the instance; an empty one is unset. */
  mark(ref: InstanceRef, config: Readonly<Record<string, string>>): void
  /** A job that the relay has ended. */
  report(job: JobReport): void
}

type Server = Omit<RemoteInventory, 'instances' | 'operations' | 'unseen' | 'taking' | 'expired'> & {
  expired: string[]
  /** With more of them, those that no copy has are left out. */
  most: number
}

export function createIdealIncus(observed: InventoryReply, start: Date): IdealIncus {
  let now = start
  const instances = new Map<string, IdealInstance>()
  const servers = new Map<string, Server>()
  const jobs = new Map(observed.jobs.filter(hasEnded).map((job) => [job.id, job]))
  const removed: Gone[] = []
  const paced = new Set<string>()
  for (const [remote, answer] of Object.entries(observed.remotes)) {
    if (!answer.ok) continue
    const {
      instances: records,
      operations: _,
      unseen: __,
      taking: ___,
      expired = [],
      ...server
    } = answer.inventory
    servers.set(remote, { ...server, expired: [...expired], most: MANY })
    // What Incus takes by its own schedules isn't simulated, so it isn't missed here.
    for (const { scheduled: _own, ...record } of records) {
      instances.set(keyOf(remote, record), observedInstance(remote, record, start))
    }
  }
  const of = (ref: InstanceRef): IdealInstance | undefined => instances.get(subjectKey(ref))
  const drop = (one: IdealInstance, pair: SnapshotPair, by: Gone['by'], reason: string, at = now): void => {
    const { record, remote } = one
    dropSnapshot(one, pair)
    removed.push({ at, of: keyOf(remote, record), snapshot: pair, by, reason })
    servers.get(remote)?.expired.push(`${record.project}/${record.name}/${pair[0]}@${pair[1]}`)
  }
  /** What no copy has any more, once there is twice as much as after the last time. */
  const forget = (): void => {
    const full = [...servers.values()].filter(({ expired, most }) => expired.length > most)
    if (full.length === 0) return
    const listed = new Set(
      [...instances.values()].flatMap(({ record }) => (record.snapshots ?? []).map(nameOf)),
    )
    for (const server of full) {
      server.expired = server.expired.filter((one) => listed.has(lastOf(one)))
      server.most = Math.max(MANY, 2 * server.expired.length)
    }
  }
  /** The relay removes nothing more of it for a day. */
  const leaves = (ref: InstanceRef, one: IdealInstance): boolean => {
    if (!isPaced(one, now)) return false
    paced.add(subjectKey(ref))
    return true
  }
  return {
    observe() {
      forget()
      for (const one of instances.values()) list(one, now)
      return { remotes: remotesOf(observed, servers, instances), jobs: [...jobs.values()] }
    },
    find: (ref) => of(ref)?.record,
    gone: () => removed,
    paced,
    advance(to) {
      const before = now.getTime()
      now = to
      for (const one of instances.values()) {
        for (const [name, end, reason] of endedOn(one, now)) {
          const pair = pairOn(one, name)
          const by = reason === undefined ? 'expiry' : 'retention'
          if (pair !== undefined) drop(one, pair, by, reason ?? EXPIRED, new Date(Math.max(end, before)))
        }
      }
    },
    take(ref, snapshot, expiresAt) {
      const one = of(ref)
      if (one !== undefined) addSnapshot(one, snapshot, expiresAt, now)
    },
    remove(ref, snapshot, reason) {
      const one = of(ref)
      const pair = one && pairOn(one, snapshot)
      if (one === undefined || pair === undefined) return true
      if (leaves(ref, one)) return false
      one.left -= 1
      drop(one, pair, 'retention', reason)
      return true
    },
    removeLater(ref, snapshot, end, reason) {
      const one = of(ref)
      if (one === undefined || pairOn(one, snapshot) === undefined) return true
      if (leaves(ref, one)) return false
      removeAt(one, snapshot, end, reason)
      return true
    },
    takeBack(ref, snapshot) {
      const one = of(ref)
      if (one !== undefined) takeBackOn(one, snapshot)
    },
    end(ref, snapshot, expiresAt) {
      const one = of(ref)
      if (one !== undefined) setEnd(one, snapshot, expiresAt)
    },
    postpone(ref, snapshot, until) {
      const one = of(ref)
      if (one !== undefined) postponeEnd(one, snapshot, until)
    },
    restore(ref, snapshot) {
      const one = of(ref)
      if (one !== undefined) restoreEnd(one, snapshot)
    },
    receive(arriving) {
      const source = of(arriving.source)
      if (source === undefined) return
      const listed = source.record.snapshots ?? []
      const { first, from, names, unverified, target } = arriving
      const one = first ? undefined : of(target)
      const pool = arriving.pool ?? Object.keys(servers.get(target.remote)?.pools ?? {})[0] ?? ''
      const copy = one ?? newCopy(target, source.record.type, pool, now)
      instances.set(subjectKey(target), copy)
      const comes = (pair: SnapshotPair): boolean => first || pair[1] > from || names.includes(pair[0])
      for (const pair of copy.record.snapshots ?? [])
        if (!isIn(listed, pair)) drop(copy, pair, 'refresh', REFRESHED)
      const left = (copy.record.snapshots ?? []).filter(
        (pair) => !unverified.includes(pair[0]) && !comes(pair),
      )
      const fresh = listed.filter(comes)
      copy.record = { ...copy.record, snapshots: [...left, ...fresh] }
      setConfig(copy, arriving.config)
      for (const [name] of fresh) {
        // The end of a removal is postponed for the transfer, and the verification sets the copy's own.
        const end = source.going.has(name) ? undefined : source.ends.get(name)
        if (end === undefined) copy.ends.delete(name)
        else copy.ends.set(name, end)
      }
    },
    mark(ref, config) {
      const one = of(ref)
      if (one !== undefined) setConfig(one, config)
    },
    report(job) {
      const family = job.id.slice(0, job.id.lastIndexOf(':') + 1)
      for (const id of jobs.keys()) if (id.startsWith(family)) jobs.delete(id)
      jobs.set(job.id, job)
    },
  }
}

const EXPIRED = 'its own expiry'
const REFRESHED = 'the source no longer has it, so the refresh removes it'

const MANY = 50
const nameOf = ([name, createdAt]: SnapshotPair): string => `${name}@${createdAt}`
const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** What runs when a simulation begins isn't known to end well. */
const hasEnded = ({ state }: JobReport): boolean => state !== 'running' && state !== 'queued'

function remotesOf(
  observed: InventoryReply,
  servers: ReadonlyMap<string, Server>,
  instances: ReadonlyMap<string, IdealInstance>,
): InventoryReply['remotes'] {
  const all = [...instances.values()]
  return Object.fromEntries(
    Object.entries(observed.remotes).map(([remote, answer]) => {
      const server = servers.get(remote)
      if (server === undefined) return [remote, answer]
      const records = all.filter((one) => one.remote === remote).map(({ record }) => record)
      const { most: _, ...listed } = server
      return [remote, { ok: true, inventory: { ...listed, instances: records, operations: [] } }]
    }),
  )
}
