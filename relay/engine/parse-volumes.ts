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
  for (const row of metadata) {
    if (!isObject(row)) return null
    const [name, project] = [text(row.name), text(row.project)]
    if (name === '' || project === '') return null
    const slash = name.indexOf('/')
    if (slash < 0) {
      const key = volumeKey(project, name)
      volumes.set(key, nested ? (volumes.has(key) ? TWICE : parseVolume(row)) : NONE)
    } else
      push(rows, volumeKey(project, name.slice(0, slash)), [
        name.slice(slash + 1),
        parseSeconds(row.created_at),
      ])
  }
  if (!nested) for (const [key, pairs] of rows) if (volumes.has(key)) volumes.set(key, dated(pairs))
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
export function parseVolume(row: unknown): Volume {
  if (!isObject(row)) return { state: 'unknown', problem: 'its volume is no object' }
  const { snapshots } = row
  if (Array.isArray(snapshots)) {
    return dated(
      snapshots.map((one): Dated => {
        const { name, created_at } = isObject(one) ? one : {}
        return [text(name), parseSeconds(created_at)]
      }),
    )
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

function dated(pairs: Dated[]): Volume {
  const wrong = wrongIn(pairs)
  if (wrong !== null) return { state: 'unknown', problem: `its pool lists ${wrong}` }
  const snapshots: SnapshotPair[] = []
  for (const [name, createdAt] of pairs) {
    if (createdAt === null) return { state: 'undated', names: pairs.map(([each]) => each) }
    snapshots.push([name, createdAt])
  }
  return { state: 'listed', snapshots }
}

/** Why a list of snapshots can't be used, or null. One that has a name twice would be counted twice. */
function wrongIn(pairs: readonly (readonly [name: string, ...unknown[]])[]): string | null {
  if (pairs.length > MOST.snapshots) return `more than ${MOST.snapshots} snapshots of it`
  const names = new Set<string>()
  for (const [name] of pairs) {
    if (name === '') return 'a snapshot of it without a name'
    if (!isSnapshotName(name)) return 'a snapshot of it whose name no request can have'
    names.add(name)
  }
  return names.size < pairs.length ? 'a snapshot of it twice' : null
}

/**
 * `GET /1.0/instances/N/snapshots?recursion=1`; null when it isn't a list, a row has no name or date, or they
 * can't be used.
 */
export function parseSnapshots(metadata: unknown): SnapshotPair[] | null {
  if (!Array.isArray(metadata)) return null
  const snapshots: SnapshotPair[] = []
  for (const row of metadata) {
    const { name, created_at } = isObject(row) ? row : {}
    const createdAt = parseSeconds(created_at)
    if (text(name) === '' || createdAt === null) return null
    snapshots.push([text(name), createdAt])
  }
  return wrongIn(snapshots) === null ? snapshots : null
}

/** RFC 3339, whose years have four digits. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.+:Z-]{0,20}$/

/**
 * Whole seconds since the epoch, cut as Incus cuts a copy's; null also for the year 1, Go's "no date", and for
 * what is no date: other forms would be read in the relay's own zone.
 */
export function parseSeconds(value: unknown): number | null {
  const time = text(value)
  if (!TIME.test(time)) return null
  const short = time.endsWith('Z') ? `${time.slice(0, 19)}Z` : time
  const seconds = Math.floor(Date.parse(short) / 1000)
  return seconds > 0 ? seconds : null
}
