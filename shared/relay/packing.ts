/**
 * The wire format of an inventory. Instances of a policy hold snapshots of the same names, so each name goes
 * over the wire once and the pairs refer to it: reading the JSON is most of what a tick costs the Worker.
 */
import type { InstanceRecord, RemoteInventory, SnapshotPair } from '../incus/inventory.ts'
import type { CallError, InventoryReply, RemoteReply } from './protocol.ts'

/** By pairs, one after the other: place in `names`, seconds after `since`. */
type PackedRecord = Omit<InstanceRecord, 'snapshots'> & { snapshots: number[] | null }

type PackedInventory = Omit<RemoteInventory, 'instances'> & {
  instances: PackedRecord[]
  names: string[]
  /** Seconds since the epoch. */
  since: number
}

type PackedRemote = { ok: true; inventory: PackedInventory } | { ok: false; error: CallError }

export type PackedReply = Omit<InventoryReply, 'remotes'> & { remotes: Record<string, PackedRemote> }

/**
 * Characters of one remote's part. 10,000 instances with 50 snapshots each are 11 millions; the Worker has 128
 * MB of memory for all of them.
 */
const LONGEST = 16_000_000

/** A remote with more than the Worker can read is unknown, and the others' parts go on. */
export function serializeReply({ remotes, jobs }: InventoryReply, longest = LONGEST): string {
  const parts = Object.entries(remotes).map(([name, reply]) => {
    const part = JSON.stringify(reply.ok ? { ok: true, inventory: pack(reply.inventory) } : reply)
    return `${JSON.stringify(name)}:${part.length <= longest ? part : JSON.stringify(tooMuch(name))}`
  })
  return `{"jobs":${JSON.stringify(jobs)},"remotes":{${parts.join(',')}}}`
}

const tooMuch = (remote: string): RemoteReply => ({
  ok: false,
  error: { code: 'bad-reply', message: `"${remote}" lists more than the Worker has memory for` },
})

export const unpackReply = ({ remotes, ...rest }: PackedReply): InventoryReply => ({
  ...rest,
  remotes: mapValues(
    remotes,
    (reply): RemoteReply => (reply.ok ? { ok: true, inventory: unpack(reply.inventory) } : reply),
  ),
})

const mapValues = <T, R>(record: Record<string, T>, change: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))

function pack({ instances, ...rest }: RemoteInventory): PackedInventory {
  const places = new Map<string, number>()
  const placeOf = (name: string): number => {
    const place = places.get(name) ?? places.size
    places.set(name, place)
    return place
  }
  let since = Number.POSITIVE_INFINITY
  for (const { snapshots } of instances)
    for (const [, createdAt] of snapshots ?? []) since = Math.min(since, createdAt)
  if (!Number.isFinite(since)) since = 0
  const packed = instances.map(({ snapshots, ...record }) => ({
    ...record,
    snapshots: snapshots?.flatMap(([name, createdAt]) => [placeOf(name), createdAt - since]) ?? null,
  }))
  return { ...rest, instances: packed, names: [...places.keys()], since }
}

function unpack({ instances, names, since, ...rest }: PackedInventory): RemoteInventory {
  const pairsOf = (packed: number[]): SnapshotPair[] => {
    const pairs: SnapshotPair[] = []
    for (let at = 0; at < packed.length; at += 2)
      pairs.push([names[packed[at] ?? -1] ?? '', since + (packed[at + 1] ?? 0)])
    return pairs
  }
  return {
    ...rest,
    instances: instances.map((record) => ({
      ...record,
      snapshots: record.snapshots === null ? null : pairsOf(record.snapshots),
    })),
  }
}
