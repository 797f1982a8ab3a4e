/**
 * The instances as the last inventories showed them. The relay's rules are checked against these, so that they
 * cost no request of their own; what was never listed is read then.
 */
import type { Clock } from '../../shared/clock.ts'
import type { InstanceRecord, RemoteInventory, SnapshotPair } from '../../shared/incus/inventory.ts'
import { commonPairs, isIn } from '../../shared/incus/pairs.ts'
import { type InstanceRef, instanceOf, nounOf, subjectKey, volumeIn } from '../../shared/incus/subject.ts'
import { REPLICA_OF } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { markedOn } from '../../shared/work/copy/marks.ts'
import { badReply, call } from './call.ts'
import { isObject } from './envelope.ts'
import type { Journal } from './journal.ts'
import { recordOf } from './parse-custom.ts'
import { parseInstances } from './parse-instances.ts'
import { parseSnapshots } from './parse-volumes.ts'
import { listRequest, rowsOf, subjectRequest } from './subject-requests.ts'
import type { Upstream } from './upstream.ts'

export type Sighting = Pick<InstanceRecord, 'config' | 'own' | 'snapshots' | 'torn'>

type Whole = { sighting: Sighting; instance: unknown; rows: unknown }

export type Sightings = {
  /**
   * `began`: when the look did (milliseconds since the epoch). What was changed since isn't taken from it. `volumes`: it
   * has all custom volumes; else what it lacks of them is not gone.
   */
  note(remote: string, inventory: RemoteInventory, began: number, volumes: boolean): void
  /** What the known copies of each source have, as `name@seconds`; a source without one is absent. */
  onCopies(): ReadonlyMap<string, ReadonlySet<string>>
  /** As it was listed last if that has the snapshot, else as it is now. */
  of(ref: InstanceRef, snapshot: string): Promise<Result<Sighting, CallError>>
  /** Its snapshots as its pool listed them last; null: that isn't known. */
  listed(ref: InstanceRef): readonly SnapshotPair[] | null
  /** Those that Incus had on record and not in the pool. */
  torn(ref: InstanceRef): readonly SnapshotPair[]
  /** Whether it is marked as a copy, by the last listing that had it. */
  isCopy(ref: InstanceRef): Promise<Result<boolean, CallError>>
  /** Which server the remote was when it was seen last; null: it wasn't. */
  serverOf(remote: string): string | null
  /** Whether its clock agreed with the relay's when it was seen last. */
  isOnTime(remote: string): boolean
  /** As it is now. */
  read(ref: InstanceRef): Promise<Result<Sighting, CallError>>
  /** The same, with what Incus says of the instance, and of each of its snapshots. */
  readAll(ref: InstanceRef): Promise<Result<Whole, CallError>>
  /** It was changed: it has to be read anew, also where a look that began before ends after it. */
  forget(ref: InstanceRef): void
  /** A removal was allowed: it counts as gone from now on. */
  removed(ref: InstanceRef, pair: SnapshotPair): void
  /** Whether its removal was allowed within the last minutes, so that it may be going. */
  isGoing(ref: InstanceRef, pair: SnapshotPair): boolean
  /** An expiry then was allowed (milliseconds since the epoch): it counts as gone until it is known to last. */
  ends(ref: InstanceRef, snapshot: string, end: number): void
  /** Its expiry is lifted: it doesn't count as gone. */
  lasts(ref: InstanceRef, snapshot: string): void
  /** How many are there without this one, and without what goes by a removal or an expiry that was allowed. */
  without(ref: InstanceRef, snapshot: string, listed: readonly SnapshotPair[]): number
}

/** Milliseconds for which a listing counts. Later the removals since aren't remembered any more. */
const FRESH = 300_000
/** A listing that began before a removal may be noted after it. */
const REMEMBERED = 2 * FRESH

/** Milliseconds for which what isn't listed may be there all the same. */
const GONE = 86_400_000

export const replicaOf = ({ own, config }: Sighting): string =>
  own.includes(REPLICA_OF) ? (config[REPLICA_OF] ?? '') : ''

export function createSightings(upstream: Upstream, clock: Clock, journal: Journal): Sightings {
  const seen = new Map<string, Sighting>()
  /** As the last listing had them, whatever was changed since. */
  const listings = new Map<string, Sighting>()
  /** By remote. */
  const notedAt = new Map<string, number>()
  const servers = new Map<string, RemoteInventory['server']>()
  const missing = new Map<string, number>()
  const removals = new Map<string, Map<string, { createdAt: number; until: number }>>()
  const changedAt = new Map<string, number>()

  const noteOne = (key: string, record: InstanceRecord, began: number): void => {
    // Its keys are unknown: they are read when they are needed.
    if (record.offline === true) seen.delete(key)
    else seen.set(key, record)
    if (record.offline === true || record.snapshots === null) return
    journal.counted(key, record.snapshots.length)
    journal.listed(key, new Set(record.snapshots.map(([name]) => name)), began)
    const marked = markedOn(record)
    const known = journal.verified(key)
    if (marked.length === 0 && known.length === 0) return
    const still = commonPairs(known, record.snapshots)
    // An instance that is no copy, as of a server under another's name, has lost nothing of one.
    const isLess = still.length < known.length && replicaOf(record) !== ''
    journal.losses.seen(key, record.snapshots, isLess ? known.filter((pair) => !isIn(still, pair)) : [])
    const added = known.filter((pair) => !isIn(marked, pair))
    journal.setVerified(key, commonPairs(record.snapshots, [...marked, ...added]))
  }
  const forgetGone = (
    remote: string,
    { kept, volumes }: { kept: ReadonlySet<string>; volumes: boolean },
  ): void => {
    const isOfLook = (key: string): boolean =>
      key.startsWith(`${remote}/`) && (volumes || nounOf(instanceOf(key)) === 'instance')
    for (const known of [seen, listings])
      for (const key of [...known.keys()]) if (isOfLook(key) && !kept.has(key)) known.delete(key)
    // A row may be missing once. One that stays away was removed or renamed: the next one of that name is another.
    for (const key of [...journal.subjects()]) {
      if (!isOfLook(key)) continue
      const since = missing.get(key) ?? clock.now()
      if (kept.has(key)) missing.delete(key)
      else if (clock.now() - since < GONE) missing.set(key, since)
      else {
        journal.setVerified(key, [])
        journal.losses.forget(key)
      }
    }
  }
  const serverOf = (remote: string): string | null => servers.get(remote)?.fingerprint ?? null
  const readAll: Sightings['readAll'] = async (ref) => readOne(upstream, ref, serverOf(ref.remote))
  const read: Sightings['read'] = async (ref) => {
    const found = await readAll(ref)
    return found.ok ? ok(found.value.sighting) : found
  }
  return {
    serverOf,
    isOnTime: (remote) => servers.has(remote) && servers.get(remote)?.skew === undefined,
    note(remote, { server, instances, unusable }, began, volumes) {
      servers.set(remote, server)
      notedAt.set(remote, clock.now())
      const kept = new Set<string>()
      for (const record of instances) {
        const key = subjectKey({ remote, project: record.project, instance: record.name })
        kept.add(key)
        if (record.offline !== true) listings.set(key, record)
        if ((changedAt.get(key) ?? Number.NEGATIVE_INFINITY) < began) noteOne(key, record, began)
      }
      // What is missing may be among what its server calls by names that can't be used.
      if (unusable === undefined) forgetGone(remote, { kept, volumes })
    },
    onCopies() {
      const found = new Map<string, Set<string>>()
      for (const sighting of listings.values()) {
        const source = replicaOf(sighting)
        if (source === '' || journal.expired(source).length === 0) continue
        const names = found.get(source) ?? new Set<string>()
        // What can't be listed may have all of them.
        if (sighting.snapshots === null) for (const pair of journal.expired(source)) names.add(pair)
        else for (const [name, at] of sighting.snapshots) names.add(`${name}@${at}`)
        found.set(source, names)
      }
      return found
    },
    async of(ref, snapshot) {
      const key = subjectKey(ref)
      const known = clock.now() - (notedAt.get(ref.remote) ?? 0) < FRESH ? seen.get(key) : undefined
      return known?.snapshots?.some(([name]) => name === snapshot) === true ? ok(known) : read(ref)
    },
    async isCopy(ref) {
      const known = seen.get(subjectKey(ref))
      const found = known === undefined ? await read(ref) : ok(known)
      if (!found.ok) return found.error.status === 404 ? ok(false) : found
      return ok(replicaOf(found.value) !== '')
    },
    torn: (ref) => seen.get(subjectKey(ref))?.torn ?? [],
    listed: (ref) => seen.get(subjectKey(ref))?.snapshots ?? null,
    read,
    readAll,
    forget(ref) {
      seen.delete(subjectKey(ref))
      changedAt.set(subjectKey(ref), clock.now())
    },
    removed(ref, [name, createdAt]) {
      const key = subjectKey(ref)
      const going = removals.get(key) ?? new Map<string, { createdAt: number; until: number }>()
      for (const [one, { until }] of going) if (clock.now() > until) going.delete(one)
      removals.set(key, going.set(name, { createdAt, until: clock.now() + REMEMBERED }))
    },
    isGoing(ref, [name, createdAt]) {
      const going = removals.get(subjectKey(ref))?.get(name)
      return going?.createdAt === createdAt && clock.now() <= going.until
    },
    ends: (ref, snapshot, end) => journal.end(subjectKey(ref), snapshot, Math.max(end, clock.now())),
    lasts: (ref, snapshot) => journal.lasts(subjectKey(ref), snapshot),
    without(ref, snapshot, listed) {
      const gone = removals.get(subjectKey(ref))
      const ending = journal.ending(subjectKey(ref))
      return listed.filter(([name]) => name !== snapshot && gone?.has(name) !== true && !ending.has(name))
        .length
    },
  }
}

/** A list that can't be read is unknown, not empty. */
async function readOne(
  upstream: Upstream,
  { remote, project, instance }: InstanceRef,
  server: string | null,
): Promise<Result<Whole, CallError>> {
  const one = await call(upstream, remote, subjectRequest({ project, instance }))
  if (!one.ok) return one
  const { metadata } = one.value.envelope
  const volume = volumeIn(instance)
  const [record] =
    volume === null
      ? (parseInstances([metadata], { remote, server }, [])?.records ?? [])
      : isObject(metadata)
        ? [recordOf(metadata, { remote, server, project, pool: volume.pool, name: volume.volume })]
        : []
  const wanted = listRequest({ project, instance })
  const list = await call(upstream, remote, wanted)
  if (!list.ok) return list
  const rows = rowsOf({ instance }, list.value.envelope.metadata)
  const snapshots = parseSnapshots(rows)
  return record === undefined || record.offline === true || snapshots === null
    ? err(badReply(remote, list.value.status, `${wanted.path} has another form than expected`))
    : ok({ sighting: { config: record.config, own: record.own, snapshots }, instance: metadata, rows })
}
