/**
 * Fills in the snapshots of a remote's instances: one listing per pool and instance type, and a second call
 * where that listing alone proves nothing.
 */

import type { Clock } from '../../shared/clock.ts'
import type { InstanceRecord, SnapshotPair } from '../../shared/incus/inventory.ts'
import { type IncusRequest, request } from '../../shared/incus/routes.ts'
import { volumeIn } from '../../shared/incus/subject.ts'
import { REPLICA_OF } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Result } from '../../shared/result.ts'
import { incusCommand, keepAside } from '../../shared/shell.ts'
import { eachOf } from './each.ts'
import {
  parseSnapshots,
  parseVolume,
  parseVolumes,
  type Volume,
  type Volumes,
  volumeKey,
} from './parse-volumes.ts'
import { listRequest, rowsOf } from './subject-requests.ts'
import type { Suspects } from './suspects.ts'

export type Read = <T>(
  request: IncusRequest,
  parse: (metadata: unknown, date?: number) => T | null,
) => Promise<Result<T, CallError>>

export type Source = {
  read: Read
  clock: Clock
  /** Whether this server's listing has the snapshots inside the volumes' rows. */
  nested: boolean
}

/** Of an instance on a member that can't be reached; Incus lists it all the same, without its config. */
const OFFLINE = 'Error'

/** How long single calls may take in all: a member that is shutting down holds each for ten seconds. */
export const TIMEOUT = 40_000
/** Single calls at once, and pools. */
const AT_ONCE = 8
/** For so many instances a listing without any snapshot is checked. */
const SAMPLE = 32

export async function fillSnapshots(instances: readonly InstanceRecord[], source: Source): Promise<void> {
  const groups = new Map<string, InstanceRecord[]>()
  for (const instance of instances) {
    if (instance.problem !== undefined) continue
    if (instance.offline === true)
      instance.problem = `cluster member ${instance.location} gives no answer for it, so only its name is known`
    else if (instance.status === OFFLINE)
      instance.problem = 'its status is Error: the cluster member may be offline'
    else if (instance.pool === '') instance.problem = 'it has no root disk with a pool'
    else {
      const key = `${instance.pool}\n${instance.type}`
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [instance])
      else group.push(instance)
    }
  }
  await eachOf([...groups.values()], AT_ONCE, (group) => fillGroup(group, source))
}

async function fillGroup(group: InstanceRecord[], source: Source): Promise<void> {
  const { pool = '', type = '' } = group[0] ?? {}
  const { read, nested } = source
  const query = { recursion: nested ? '2' : '1', 'all-projects': 'true' }
  const until = source.clock.now() + TIMEOUT
  const listing = await read(request('listVolumes', { pool, type }, query), (metadata) =>
    parseVolumes(metadata, nested),
  )
  const lookUp = listing.ok
    ? fromListing(listing.value, pool)
    : await oneByOne(group, listing.error, source, until)
  for (const instance of group) settle(instance, lookUp(instance))
  await dateUndated(group, lookUp, source, until)
  await confirmNone(group, source, until)
}

export type LookUp = (instance: InstanceRecord) => Volume

const fromListing =
  (volumes: Volumes, pool: string): LookUp =>
  ({ project, name }) =>
    volumes.get(volumeKey(project, name)) ?? unknown(`pool "${pool}" lists no volume of it`)

/**
 * Incus renders such a listing volume by volume, and one that can't be rendered fails it for all. Then each
 * volume is read by itself.
 */
export async function oneByOne(
  group: readonly InstanceRecord[],
  { code, message }: CallError,
  { read, clock, nested }: Source,
  until: number,
): Promise<LookUp> {
  const problem = `pool "${group[0]?.pool}" can't be listed: ${message}`
  if (!nested || code !== 'incus') return () => unknown(problem)
  const found = new Map<InstanceRecord, Volume>()
  await eachOf(group, AT_ONCE, async (instance) => {
    if (clock.now() > until) return
    const { pool, type, project, name } = instance
    const place = volumeIn(name) ?? { pool, volume: name }
    const one = await read(
      request(
        'getVolume',
        { ...place, type: type === 'volume' ? 'custom' : type },
        { project, recursion: '1' },
      ),
      (row) => parseVolume(row),
    )
    found.set(instance, one.ok ? one.value : unknown(`its volume can't be read: ${one.error.message}`))
  })
  return (instance) => found.get(instance) ?? unknown(problem)
}

export const unknown = (problem: string): Volume => ({ state: 'unknown', problem })

export function settle(instance: InstanceRecord, volume: Volume): void {
  if (volume.state === 'listed') instance.snapshots = volume.snapshots
  else instance.problem = volume.state === 'unknown' ? volume.problem : UNDATED
}

const UNDATED = 'its pool lists snapshots of it without a date'

/** Volumes made by LXD have no dates, but their instance's own list has: it is used where the names agree. */
export async function dateUndated(
  group: readonly InstanceRecord[],
  lookUp: LookUp,
  { read, clock }: Source,
  until: number,
): Promise<void> {
  await eachOf(group, AT_ONCE, async (instance) => {
    const volume = lookUp(instance)
    if (volume.state !== 'undated' || clock.now() > until) return
    const own = await readOwn(instance, read)
    if (!own.ok || !isSameNames(own.value, volume.names)) return
    instance.snapshots = own.value
    delete instance.problem
  })
}

const isSameNames = (pairs: readonly SnapshotPair[], names: readonly string[]): boolean => {
  const there = new Set(names)
  return pairs.length === names.length && pairs.every(([name]) => there.has(name))
}

/** The instance's own list of its snapshots: an empty one means that there are none. */
const readOwn = ({ name, project }: InstanceRecord, read: Read): Promise<Result<SnapshotPair[], CallError>> =>
  read(listRequest({ project, instance: name }), (metadata) =>
    parseSnapshots(rowsOf({ instance: name }, metadata)),
  )

/**
 * A pool listing without any snapshot may be wrong, so it is compared with the lists of some instances: first
 * those with marks of stapes.
 */
export async function confirmNone(
  group: readonly InstanceRecord[],
  { read, clock }: Source,
  until: number,
): Promise<void> {
  if (group.some(({ snapshots }) => snapshots !== null && snapshots.length > 0)) return
  const empty = group.filter(({ snapshots }) => snapshots !== null)
  const sample = [...empty].sort((a, b) => b.own.length - a.own.length).slice(0, SAMPLE)
  const proven = new Set<InstanceRecord>()
  let why = 'and it could not be checked whether that is true'
  let isWrong = false
  await eachOf(sample, AT_ONCE, async (instance) => {
    if (clock.now() > until) return
    const own = await readOwn(instance, read)
    if (own.ok && own.value.length === 0) proven.add(instance)
    else if (own.ok) isWrong = true
    if (own.ok && own.value.length > 0) why = `but ${instance.name} has ${own.value.length}`
    else if (!own.ok) why = own.error.message
  })
  for (const instance of empty) {
    if (proven.has(instance) || (proven.size > 0 && !isWrong && !sample.includes(instance))) continue
    instance.snapshots = null
    instance.problem = `pool "${instance.pool}" lists no snapshot of any instance, ${why}`
  }
}

/** For suspects the pool's list and the instance's own must agree, else the snapshots are unknown. */
export async function compareLists(
  instances: readonly InstanceRecord[],
  remote: string,
  suspects: Suspects,
  read: Read,
): Promise<void> {
  const keys = suspects.of(remote)
  const suspected = instances.filter(({ project, name }) => keys.has(volumeKey(project, name)))
  await eachOf(suspected, AT_ONCE, async (instance) => {
    const { project, name, snapshots } = instance
    if (snapshots === null) return
    const own = await readOwn(instance, read)
    const problem = own.ok ? disagreement(instance, snapshots, own.value) : own.error.message
    if (problem === null) return suspects.acquit(remote, volumeKey(project, name))
    const torn = own.ok ? missingIn(snapshots, own.value) : []
    if (torn.length > 0) instance.torn = torn
    instance.snapshots = null
    instance.problem = problem
  })
}

/** Null: they have the same names. */
export function disagreement(
  { name, project, own }: Pick<InstanceRecord, 'name' | 'project' | 'own'>,
  inPool: readonly SnapshotPair[],
  onRecord: readonly SnapshotPair[],
): string | null {
  const without = missingIn(inPool, onRecord)
  if (without.length > 0)
    return `Incus lists snapshots that its pool does not have, as after a power cut, so no copy of it can succeed: ${list(without)}; delete each with "${incusCommand(project, 'snapshot', 'delete', name)} <name>", which reports an error but removes the snapshot`
  const unlisted = missingIn(onRecord, inPool)
  if (unlisted.length === 0) return null
  const cure = own.includes(REPLICA_OF)
    ? `as after its source was killed at the very end of a copy, so no copy of it can succeed: run "${keepAside({ project, instance: name })}" there, which reports an error but works; everything stays, and a new first copy follows`
    : 'see "incus storage volume list" there'
  return `its pool has snapshots that Incus does not list for the instance: ${list(unlisted)}; ${cure}`
}

const missingIn = (there: readonly SnapshotPair[], wanted: readonly SnapshotPair[]): SnapshotPair[] => {
  const names = new Set(there.map(([name]) => name))
  return wanted.filter(([name]) => !names.has(name))
}

const MOST_NAMES = 10
function list(pairs: readonly SnapshotPair[]): string {
  const names = pairs.map(([name]) => name)
  return names.length <= MOST_NAMES
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`
}
