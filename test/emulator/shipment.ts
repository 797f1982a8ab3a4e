/** What a transfer is going to send, and what its target looks like from the first moment on. */
import { formatSecond, type Moment, never } from './dates.ts'
import type { Receiving, Sending } from './migration.ts'
import { mirror } from './mirror.ts'
import { type Disk, findPool, type Snapshot } from './state.ts'

/** `arrival` is the target's record, without data until it is its turn. */
export type Step = { original: Snapshot; arrival: Snapshot; bytes: number }

export type Shipment = { steps: Step[]; headBytes: number }

/** Mirror deletions happen here and stay, whatever becomes of the rest; the records of what will be sent appear. */
export function prepareShipment(source: Sending, target: Receiving): Shipment {
  const { snapshots } = target.instance
  const { remove, send, base } = mirror(offeredBy(source), presentAt(source, target), target.excludeOlder)
  for (const { name } of remove) snapshots.delete(name)
  let previous: Disk | null = base?.disk ?? null
  const steps = (target.instanceOnly ? [] : send).map((original) => {
    const step = { original, arrival: arrivalOf(original), bytes: costOf(previous, original.disk) }
    previous = original.disk
    snapshots.set(original.name, step.arrival)
    return step
  })
  return { steps, headBytes: headCost(source, target, previous) }
}

const offeredBy = ({ instance, instanceOnly }: Sending): Snapshot[] =>
  instanceOnly
    ? []
    : [...instance.snapshots.values()].filter(({ inMaking }) => !inMaking).sort((a, b) => a.second - b.second)

/** Between two btrfs pools subvolumes are sent, otherwise rsync copies files. */
export function isOptimized(source: Sending, target: Receiving): boolean {
  return [source, target].every(
    ({ server, instance }) => findPool(server.state, instance.pool).driver === 'btrfs',
  )
}

/** A snapshot that isn't on disk is sent again as a subvolume, by rsync it never is. */
function presentAt(source: Sending, target: Receiving): ReadonlyMap<string, Snapshot> {
  const { snapshots } = target.instance
  if (!isOptimized(source, target)) return snapshots
  return new Map([...snapshots].filter(([, { disk }]) => disk.held !== 'phantom'))
}

/** btrfs sends the head again each time, rsync only what changed. */
function headCost(source: Sending, target: Receiving, last: Disk | null): number {
  const { disk } = source.instance
  if (isOptimized(source, target)) return disk.bytes
  return costOf(last ?? (target.isNew ? null : target.instance.disk), disk)
}

/** Whole, or nothing when the content is the same as that of what was sent before. */
const costOf = (previous: Disk | null, disk: Disk): number =>
  previous !== null && previous.content === disk.content ? 0 : disk.bytes

/** The expiry travels along; dates are cut to the second, except in the volumes listing. */
const arrivalOf = (original: Snapshot): Snapshot => ({
  ...original,
  createdAt: formatSecond(original.second),
  expires: cutToSecond(original.expires),
  disk: { ...original.disk, held: 'phantom' },
  inMaking: true,
})

function cutToSecond({ ms }: Moment): Moment {
  if (ms === null) return never
  const second = Math.floor(ms / 1000)
  return { ms: second * 1000, text: formatSecond(second) }
}
