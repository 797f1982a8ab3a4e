/** What Incus itself shows of the backups while the edge is silent: how bad it is. It judges nothing. */
import { spanOf } from '../chat/age.ts'
import type { InstanceRecord, RemoteInventory, SnapshotPair } from '../incus/inventory.ts'
import { newestPair } from '../incus/pairs.ts'
import { REPLICA_OF } from '../policy/marks.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import { verifiedOn } from '../work/copy/marks.ts'

/** Instances that are named, of each remote. */
const NAMED = 10

export function viewOf(remotes: Readonly<Record<string, RemoteReply>>, now: number): string[] {
  return Object.entries(remotes).flatMap(([remote, reply]) =>
    reply.ok ? remoteLines(remote, reply.inventory, now) : [`${remote}: no answer: ${reply.error.message}`],
  )
}

function remoteLines(remote: string, { instances, rules }: RemoteInventory, now: number): string[] {
  const isCopy = ({ config }: InstanceRecord): boolean => config[REPLICA_OF] !== undefined
  const copies = instances.filter(isCopy)
  const sources = rules?.role === 'target' ? [] : instances.filter((record) => !isCopy(record))
  return [
    ...lines(`newest snapshots on ${remote}`, sources, ({ snapshots }) => snapshots, now),
    ...lines(`newest verified snapshots of the copies on ${remote}`, copies, verifiedIn, now),
  ]
}

/** Null: what its pool holds isn't known. */
const verifiedIn = (record: InstanceRecord): SnapshotPair[] | null =>
  record.snapshots === null ? null : verifiedOn(record)

type Listed = (record: InstanceRecord) => readonly SnapshotPair[] | null

/** The worst come first: what isn't known, what has none, then the oldest. */
function lines(what: string, records: readonly InstanceRecord[], listed: Listed, now: number): string[] {
  if (records.length === 0) return []
  const all = records.map((record) => ({ record, pairs: listed(record) }))
  const rank = (pairs: readonly SnapshotPair[] | null): number =>
    pairs === null ? -2 : (newestPair(pairs)?.[1] ?? -1)
  const sorted = all.sort((a, b) => rank(a.pairs) - rank(b.pairs))
  const shown = sorted
    .slice(0, NAMED)
    .map(({ record, pairs }) => `  ${nameOf(record)}: ${newest(pairs, now)}`)
  const more = sorted.length - shown.length
  return [`${what}:`, ...shown, ...(more > 0 ? [`  and ${more} more, whose newest ones are younger`] : [])]
}

const nameOf = ({ project, name }: InstanceRecord): string =>
  project === 'default' ? name : `${project}/${name}`

function newest(pairs: readonly SnapshotPair[] | null, now: number): string {
  if (pairs === null) return 'not known, its pool could not be listed'
  const pair = newestPair(pairs)
  if (pair === null) return 'none'
  return `${pair[0]}, ${spanOf(now - pair[1] * 1000)} ago`
}
