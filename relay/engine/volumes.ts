/** The custom volumes of a remote, as records beside its instances: a listing for each pool, which has the snapshots. */
import type { InstanceRecord } from '../../shared/incus/inventory.ts'
import { isPoolName } from '../../shared/incus/names.ts'
import { request } from '../../shared/incus/routes.ts'
import { volumeName } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { MOST } from './bounds.ts'
import { eachOf } from './each.ts'
import { text } from './envelope.ts'
import type { Journal } from './journal.ts'
import { parseCustom } from './parse-custom.ts'
import { parseVolumes, volumeKey } from './parse-volumes.ts'
import {
  confirmNone,
  dateUndated,
  type LookUp,
  oneByOne,
  type Source,
  settle,
  TIMEOUT,
  unknown,
} from './snapshots.ts'

/** `unlisted`: why volumes aren't known, in words. `unusable`: what is left out for its name. */
type Volumes = { records: InstanceRecord[]; unlisted: string[]; unusable: string[] }

/** Pools at once. */
const AT_ONCE = 8

/** `made`: what is known of those that the relay made. */
type At = { remote: string; server: string; made: Journal['made'] }

/** `projects`: those that the relay may see. A listing over all projects may have the volumes of others, too. */
export async function readVolumes(source: Source, at: At, projects: readonly string[]): Promise<Volumes> {
  const found: Volumes = { records: [], unlisted: [], unusable: [] }
  const pools = await source.read(request('listPools'), parsePools)
  if (!pools.ok) return { ...found, unlisted: [`its storage pools can't be listed: ${pools.error.message}`] }
  const seen = new Set(projects)
  await eachOf(pools.value, AT_ONCE, async (pool) => {
    const read = await readPool({ ...at, pool }, seen, source)
    if ('problem' in read) found.unlisted.push(read.problem)
    else {
      found.records.push(...read.records)
      found.unusable.push(...read.unusable)
    }
  })
  if (found.records.length > MOST.instances) {
    return { ...found, records: [], unlisted: [`it has more than ${MOST.instances} custom volumes`] }
  }
  return found
}

type OfPool = Pick<Volumes, 'records' | 'unusable'> | { problem: string }

async function readPool(
  at: At & { pool: string },
  projects: ReadonlySet<string>,
  source: Source,
): Promise<OfPool> {
  const { pool } = at
  const { read, nested, clock } = source
  const until = clock.now() + TIMEOUT
  const parse = (metadata: unknown) => {
    const rows = parseCustom(metadata, at, projects)
    const volumes = parseVolumes(metadata, nested)
    return rows === null || volumes === null ? null : { ...rows, volumes }
  }
  const whole = await read(listing(pool, nested ? '2' : '1'), parse)
  // The newer form is rendered volume by volume, and one that can't be rendered fails it for all.
  const names = whole.ok || !nested ? whole : await read(listing(pool, '1'), parse)
  if (!names.ok) return { problem: problemOf(pool, names.error) }
  const { records, unusable, volumes } = names.value
  const lookUp: LookUp = whole.ok
    ? (record) =>
        volumes.get(volumeKey(record.project, bareOf(record))) ?? unknown('its pool lists it no more')
    : await oneByOne(records, whole.error, source, until)
  for (const record of records) if (record.problem === undefined) settle(record, lookUp(record))
  await dateUndated(records, lookUp, source, until)
  await confirmNone(records, source, until)
  return { records, unusable }
}

const listing = (pool: string, recursion: string) =>
  request('listVolumes', { pool, type: 'custom' }, { recursion, 'all-projects': 'true' })

const problemOf = (pool: string, { message }: CallError): string =>
  `the custom volumes of its pool "${pool}" can't be listed: ${message}`

/** Without its pool. */
const bareOf = ({ name }: InstanceRecord): string => name.slice(name.indexOf(':') + 1)

const POOLS = '/1.0/storage-pools/'

/** `GET /1.0/storage-pools`: URLs. Null: it is no list of them, or a name can't be used. */
export function parsePools(metadata: unknown): string[] | null {
  if (!Array.isArray(metadata) || metadata.length > MOST.pools) return null
  const names = metadata.map((url: unknown) => (text(url).startsWith(POOLS) ? nameIn(text(url)) : ''))
  return names.every(isPoolName) ? names : null
}

const nameIn = (url: string): string => url.slice(POOLS.length).split('?')[0] ?? ''

/** Which instances have each volume attached, as they show it: with what their profiles attach. */
export function noteUsers(volumes: readonly InstanceRecord[], instances: readonly InstanceRecord[]): void {
  const known = new Map(volumes.map((record) => [volumeKey(record.project, record.name), record]))
  for (const { project, name, volumes: attached = [] } of instances)
    for (const one of attached) {
      const slash = one.indexOf('/')
      const volume = volumeName(one.slice(0, slash), one.slice(slash + 1))
      // A project without volumes of its own uses those of `default`.
      const record = known.get(volumeKey(project, volume)) ?? known.get(volumeKey('default', volume))
      if (record !== undefined) record.users = [...(record.users ?? []), `${project}/${name}`]
    }
}
