/**
 * A pool's volumes of one type, by far the cheapest way to all snapshots. Two forms: up to 6.0.5 and 6.18 a
 * row `instance` and one `instance/snapshot` each; later (`storage_volume_full`, asked with recursion=2) one
 * row an instance with its snapshots inside. What is absent is never read as "none": a row without an answer
 * is unknown, and so is a snapshot without a date.
 */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { isSnapshotName } from '../../shared/incus/names.ts'
import { MOST } from './bounds.ts'
import { isObject, text } from './envelope.ts'

export type Volume =
  | { state: 'listed'; snapshots: SnapshotPair[] }
  /** Snapshots by these names, not all of which have a date that can be used. */
  | { state: 'undated'; names: string[] }
  | { state: 'unknown'; problem: string }

/** By `volumeKey`: an entry for each instance that has a volume of its own in the listing. */
export type Volumes = Map<string, Volume>

export const volumeKey = (project: string, instance: string): string => `${project}/${instance}`

type Dated = [name: string, createdAt: number | null]

/** Null when the metadata is no list of volumes. */
export function parseVolumes(metadata: unknown, nested: boolean): Volumes | null {
  if (!Array.isArray(metadata)) return null
  const volumes: Volumes = new Map()
  const rows = new Map<string, Dated[]>()
  const names: Names = new Map()
  for (const row of metadata) {
    if (!isObject(row)) return null
    const [name, project] = [text(row.name), text(row.project)]
    if (name === '' || project === '') return null
    const slash = name.indexOf('/')
    if (slash < 0) {
      const key = volumeKey(project, name)
      volumes.set(key, nested ? (volumes.has(key) ? TWICE : parseVolume(row, names)) : NONE)
    } else
      push(rows, volumeKey(project, name.slice(0, slash)), [
        name.slice(slash + 1),
        parseSeconds(row.created_at),
      ])
  }
  if (!nested) for (const [key, pairs] of rows) if (volumes.has(key)) volumes.set(key, dated(pairs, names))
  return volumes
}

const NONE: Volume = { state: 'listed', snapshots: [] }
const TWICE: Volume = { state: 'unknown', problem: 'its pool lists its volume twice' }

function push(rows: Map<string, Dated[]>, key: string, row: Dated): void {
  const known = rows.get(key)
  if (known === undefined) rows.set(key, [row])
  else known.push(row)
}

/** A volume's row of the newer form, in a listing or by itself. */
export function parseVolume(row: unknown, names: Names = new Map()): Volume {
  if (!isObject(row)) return { state: 'unknown', problem: 'its volume is no object' }
  const { snapshots } = row
  if (Array.isArray(snapshots)) {
    const pairs = snapshots.map((one): Dated => {
      const { name, created_at } = isObject(one) ? one : {}
      return [text(name), parseSeconds(created_at)]
    })
    return dated(pairs, names)
  }
  if (snapshots === null && isWhole(row)) return { state: 'listed', snapshots: [] }
  return {
    state: 'unknown',
    problem: 'its volume is listed without its snapshots: the cluster member may be offline',
  }
}

/**
 * Incus writes null both for "no snapshots" and for "not read". It reads backups, snapshots and state in this
 * order, and none of them from an offline member. So a row with a state was read completely.
 */
const isWhole = ({ backups, state }: Record<string, unknown>): boolean =>
  Array.isArray(backups) && isObject(state)

/**
 * The names of all lists of a pool, each kept once, with the list that had it last: instances of a policy have the
 * same ones, so they are checked once, and a set for each list would cost as much as all the rest.
 */
type Names = Map<string, { name: string; last: readonly Dated[] }>

function dated(pairs: readonly Dated[], names: Names): Volume {
  if (pairs.length > MOST.snapshots) return unusable(`more than ${MOST.snapshots} snapshots of it`)
  const snapshots: SnapshotPair[] = []
  for (const [name, createdAt] of pairs) {
    const known = names.get(name)
    if (known?.last === pairs) return unusable('a snapshot of it twice')
    if (known === undefined) {
      if (name === '') return unusable('a snapshot of it without a name')
      if (!isSnapshotName(name)) return unusable('a snapshot of it whose name no request can have')
      names.set(name, { name, last: pairs })
    } else known.last = pairs
    if (createdAt !== null) snapshots.push([known?.name ?? name, createdAt])
  }
  return snapshots.length < pairs.length
    ? { state: 'undated', names: pairs.map(([each]) => each) }
    : { state: 'listed', snapshots }
}

/** One that has a name twice would be counted twice. */
const unusable = (what: string): Volume => ({ state: 'unknown', problem: `its pool lists ${what}` })

/**
 * `GET /1.0/instances/N/snapshots?recursion=1`; null when it isn't a list, a row has no name or date, or they
 * can't be used.
 */
export function parseSnapshots(metadata: unknown): SnapshotPair[] | null {
  if (!Array.isArray(metadata)) return null
  const pairs = metadata.map((row): Dated => {
    const { name, created_at } = isObject(row) ? row : {}
    return [text(name), parseSeconds(created_at)]
  })
  const volume = dated(pairs, new Map())
  return volume.state === 'listed' ? volume.snapshots : null
}

const LONGEST_TIME = 40
const [DASH, T, COLON] = [0x2d, 0x54, 0x3a]

/** The form of RFC 3339, whose years have four digits; that the rest are digits is seen when it is read. */
const isTime = (time: string): boolean =>
  time.length <= LONGEST_TIME &&
  time.charCodeAt(4) === DASH &&
  time.charCodeAt(7) === DASH &&
  time.charCodeAt(10) === T &&
  time.charCodeAt(13) === COLON

/**
 * Whole seconds since the epoch, cut as Incus cuts a copy's; null also for the year 1, Go's "no date", and for
 * what is no date: other forms would be read in the relay's own zone.
 */
export function parseSeconds(value: unknown): number | null {
  const time = text(value)
  if (!isTime(time)) return null
  const short = time.endsWith('Z') ? `${time.slice(0, 19)}Z` : time
  const seconds = Math.floor(Date.parse(short) / 1000)
  return seconds > 0 ? seconds : null
}
