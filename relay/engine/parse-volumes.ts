/**
 * A pool's volumes of one type: rows `instance` and `instance/snapshot`, by far the cheapest way to
 * all snapshots. A row's absence must not be read as "no snapshots", so the instances are told apart.
 */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { isObject, text } from './envelope.ts'

/** By `project/instance`: an entry for each instance that has a volume of its own in the listing. */
export type Snapshots = Map<string, SnapshotPair[]>

export const volumeKey = (project: string, instance: string): string => `${project}/${instance}`

/** Null when the metadata is no list of volumes. */
export function parseVolumes(metadata: unknown): Snapshots | null {
  if (!Array.isArray(metadata)) return null
  const own: Snapshots = new Map()
  const rows: { key: string; pair: SnapshotPair }[] = []
  for (const volume of metadata) {
    const name = isObject(volume) ? text(volume.name) : ''
    if (!isObject(volume) || name === '') return null
    const project = text(volume.project) || 'default'
    const slash = name.indexOf('/')
    if (slash < 0) own.set(volumeKey(project, name), [])
    else {
      const created = parseSeconds(text(volume.created_at))
      if (created === null) return null
      rows.push({ key: volumeKey(project, name.slice(0, slash)), pair: [name.slice(slash + 1), created] })
    }
  }
  for (const { key, pair } of rows) own.get(key)?.push(pair)
  return own
}

/** Whole seconds since the epoch, cut as Incus cuts a copy's. */
export function parseSeconds(time: string): number | null {
  const short = time.endsWith('Z') ? `${time.slice(0, 19)}Z` : time
  const seconds = Math.floor(Date.parse(short) / 1000)
  return Number.isNaN(seconds) ? null : seconds
}
