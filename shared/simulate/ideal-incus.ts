/**
 * The servers of a simulation: whatever is asked of them succeeds at once, and what has expired goes. They start as
 * they were observed, and only the simulation changes them.
 */
import type { InstanceRecord, RemoteInventory, SnapshotPair } from '../incus/inventory.ts'
import { leastOf, mostOf, type Peak, withListed } from '../incus/pace.ts'
import { isIn, samePair } from '../incus/pairs.ts'
import { type InstanceRef, subjectKey } from '../incus/subject.ts'
import { removedOn, renderUndo, UNDO, undoableOn } from '../policy/marks.ts'
import type { InventoryReply, JobReport } from '../relay/protocol.ts'

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

type Instance = {
  remote: string
  record: InstanceRecord
  ends: Map<string, number>
  /** Their own ends, of those that are postponed. */
  postponed: Map<string, number>
  peak: Peak
  /** Removed with an end that is to come, each with the reason. */
  going: Map<string, string>
  /** So many of those that were listed last are left. */
  left: number
}
type Server = Omit<RemoteInventory, 'instances' | 'operations' | 'unseen' | 'taking' | 'expired'> & {
  expired: string[]
  /** With more of them, those that no copy has are left out. */
  most: number
}

export function createIdealIncus(observed: InventoryReply, start: Date): IdealIncus {
  let now = start
  const instances = new Map<string, Instance>()
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
      const key = keyOf(remote, record)
      const listed = record.snapshots?.length ?? 0
      const gone = [...removedOn(record, start)]
      instances.set(key, {
        remote,
        record,
        ends: new Map(gone.map(([name, { end }]) => [name, end])),
        postponed: new Map(),
        peak: [listed, start.getTime()],
        going: new Map(gone.map(([name]) => [name, REMOVED])),
        left: listed - gone.length,
      })
    }
  }
  const of = (ref: InstanceRef): Instance | undefined => instances.get(subjectKey(ref))
  const drop = (one: Instance, pair: SnapshotPair, by: Gone['by'], reason: string, at = now): void => {
    const { record, remote } = one
    const key = keyOf(remote, record)
    one.record = { ...record, snapshots: (record.snapshots ?? []).filter((other) => !samePair(other, pair)) }
    one.ends.delete(pair[0])
    one.going.delete(pair[0])
    removed.push({ at, of: key, snapshot: pair, by, reason })
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
  return {
    observe() {
      forget()
      for (const one of instances.values()) {
        const listed = one.record.snapshots?.length ?? 0
        one.left = listed - one.going.size
        one.peak = withListed(one.peak, listed, now.getTime())
      }
      return { remotes: remotesOf(observed, servers, instances), jobs: [...jobs.values()] }
    },
    find: (ref) => of(ref)?.record,
    gone: () => removed,
    paced,
    advance(to) {
      const before = now.getTime()
      now = to
      for (const one of instances.values()) {
        for (const [name, end] of [...one.ends].filter(([, at]) => at <= now.getTime())) {
          const pair = one.record.snapshots?.find(([listed]) => listed === name)
          const removedFor = one.going.get(name)
          const by = removedFor === undefined ? 'expiry' : 'retention'
          if (pair !== undefined) drop(one, pair, by, removedFor ?? EXPIRED, new Date(Math.max(end, before)))
        }
      }
    },
    take(ref, snapshot, expiresAt) {
      const one = of(ref)
      if (one === undefined) return
      const pair: SnapshotPair = [snapshot, Math.floor(now.getTime() / 1000)]
      one.record = { ...one.record, snapshots: [...(one.record.snapshots ?? []), pair] }
      if (expiresAt !== null) one.ends.set(snapshot, Date.parse(expiresAt))
    },
    remove(ref, snapshot, reason) {
      const one = of(ref)
      const pair = one?.record.snapshots?.find(([name]) => name === snapshot)
      if (one === undefined || pair === undefined) return true
      if (one.left - 1 < leastOf(mostOf(one.peak, one.left, now.getTime()))) {
        paced.add(subjectKey(ref))
        return false
      }
      one.left -= 1
      drop(one, pair, 'retention', reason)
      return true
    },
    removeLater(ref, snapshot, end, reason) {
      const one = of(ref)
      if (one?.record.snapshots?.some(([name]) => name === snapshot) !== true) return true
      if (one.left - 1 < leastOf(mostOf(one.peak, one.left, now.getTime()))) {
        paced.add(subjectKey(ref))
        return false
      }
      one.left -= 1
      one.going.set(snapshot, reason)
      const before = one.ends.get(snapshot) ?? null
      one.ends.set(snapshot, Date.parse(end))
      const mark = renderUndo({ end: Date.parse(end), before })
      one.record = withConfig(one.record, { [`${UNDO}${snapshot}`]: mark })
      return true
    },
    takeBack(ref, snapshot) {
      const one = of(ref)
      if (one === undefined) return
      const before = undoableOn(one.record).get(snapshot)?.before ?? null
      one.going.delete(snapshot)
      one.postponed.delete(snapshot)
      if (before === null) one.ends.delete(snapshot)
      else one.ends.set(snapshot, before)
      one.record = withConfig(one.record, { [`${UNDO}${snapshot}`]: '' })
    },
    end(ref, snapshot, expiresAt) {
      const one = of(ref)
      if (one?.going.has(snapshot) === true) return
      if (expiresAt === null) one?.ends.delete(snapshot)
      else one?.ends.set(snapshot, Date.parse(expiresAt))
    },
    postpone(ref, snapshot, until) {
      const one = of(ref)
      const end = one?.ends.get(snapshot)
      if (one === undefined || end === undefined || end >= Date.parse(until)) return
      if (!one.postponed.has(snapshot)) one.postponed.set(snapshot, end)
      one.ends.set(snapshot, Date.parse(until))
    },
    restore(ref, snapshot) {
      const one = of(ref)
      const end = one?.postponed.get(snapshot)
      if (end === undefined) return
      one?.postponed.delete(snapshot)
      one?.ends.set(snapshot, end)
    },
    receive(arriving) {
      const source = of(arriving.source)
      if (source === undefined) return
      const listed = source.record.snapshots ?? []
      const { first, from, names, unverified, target } = arriving
      const one = first ? undefined : of(target)
      const copy = one ?? newCopy(arriving, source.record, servers.get(target.remote), now)
      instances.set(subjectKey(target), copy)
      const comes = (pair: SnapshotPair): boolean => first || pair[1] > from || names.includes(pair[0])
      for (const pair of copy.record.snapshots ?? [])
        if (!isIn(listed, pair)) drop(copy, pair, 'refresh', REFRESHED)
      const left = (copy.record.snapshots ?? []).filter(
        (pair) => !unverified.includes(pair[0]) && !comes(pair),
      )
      const fresh = listed.filter(comes)
      copy.record = withConfig({ ...copy.record, snapshots: [...left, ...fresh] }, arriving.config)
      for (const [name] of fresh) {
        // The end of a removal is postponed for the transfer, and the verification sets the copy's own.
        const end = source.going.has(name) ? undefined : source.ends.get(name)
        if (end === undefined) copy.ends.delete(name)
        else copy.ends.set(name, end)
      }
    },
    mark(ref, config) {
      const one = of(ref)
      if (one !== undefined) one.record = withConfig(one.record, config)
    },
    report(job) {
      const family = job.id.slice(0, job.id.lastIndexOf(':') + 1)
      for (const id of jobs.keys()) if (id.startsWith(family)) jobs.delete(id)
      jobs.set(job.id, job)
    },
  }
}

const EXPIRED = 'its own expiry'
const REMOVED = 'it was removed, and nobody took that back'
const REFRESHED = 'the source no longer has it, so the refresh removes it'

const MANY = 50
const nameOf = ([name, createdAt]: SnapshotPair): string => `${name}@${createdAt}`
const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const keyOf = (remote: string, { project, name }: InstanceRecord): string =>
  subjectKey({ remote, project, instance: name })

/** What runs when a simulation begins isn't known to end well. */
const hasEnded = ({ state }: JobReport): boolean => state !== 'running' && state !== 'queued'

function remotesOf(
  observed: InventoryReply,
  servers: ReadonlyMap<string, Server>,
  instances: ReadonlyMap<string, Instance>,
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

function withConfig(record: InstanceRecord, config: Readonly<Record<string, string>>): InstanceRecord {
  const set = Object.entries({ ...record.config, ...config }).filter(([, value]) => value !== '')
  const own = new Set([...record.own, ...Object.keys(config)])
  const known = Object.fromEntries(set)
  return { ...record, config: known, own: [...own].filter((key) => Object.hasOwn(known, key)) }
}

function newCopy(
  { target, pool }: Arriving,
  { type }: InstanceRecord,
  server: Server | undefined,
  now: Date,
): Instance {
  const record: InstanceRecord = {
    ...{ project: target.project, name: target.instance, type, status: 'Stopped', location: 'none' },
    ...{ pool: pool ?? Object.keys(server?.pools ?? {})[0] ?? '', config: {}, own: [], snapshots: [] },
  }
  return {
    remote: target.remote,
    record,
    ends: new Map(),
    postponed: new Map(),
    peak: [0, now.getTime()],
    going: new Map(),
    left: 0,
  }
}
