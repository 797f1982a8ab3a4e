/** What a simulation has removed of the snapshots that exist, and what it has left. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { parseSnapshotName } from '../incus/snapshot-name.ts'
import { instanceOf } from '../incus/subject.ts'
import type { World } from '../plan/world.ts'
import type { Covered } from '../policy/cover.ts'
import type { Policy } from '../policy/policy.ts'
import { nextSlot } from '../schedule/slots.ts'
import type { Gone, IdealIncus } from './ideal-incus.ts'

export type Removal = {
  at: string
  /** Key of the instance, or of its copy. */
  of: string
  snapshot: string
  /** At once, with the next slot of its policy, or later. */
  when: 'now' | 'next' | 'later'
  by: Gone['by']
  reason: string
}

/** How many snapshots there are at a moment, on the instance and its copies, and the oldest of each. */
export type Counts = { at: string; in: { of: string; snapshots: number; oldest: string | null }[] }

export function countsIn(incus: IdealIncus, places: readonly string[], at: Date): Counts {
  return {
    at: at.toISOString(),
    in: places.map((of) => {
      const pairs = incus.find(instanceOf(of))?.snapshots ?? []
      const oldest = pairs.reduce(
        (least, [, createdAt]) => Math.min(least, createdAt),
        Number.POSITIVE_INFINITY,
      )
      return { of, snapshots: pairs.length, oldest: pairs.length === 0 ? null : isoOf(oldest) }
    }),
  }
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString()

type Among = {
  places: readonly string[]
  covering: readonly Covered[]
  world: World
  now: Date
}

/** `gone`: by the key of the instance. */
export function removalsIn(
  gone: ReadonlyMap<string, readonly Gone[]>,
  { places, covering, world, now }: Among,
): Removal[] {
  const following = new Map(covering.map(({ policy }) => [policy.name, secondSlot(policy, now)]))
  return places.flatMap((of) => {
    const existing = new Map(world.find(instanceOf(of))?.snapshots ?? [])
    return (gone.get(of) ?? [])
      .filter(({ snapshot: [name, createdAt] }) => existing.get(name) === createdAt)
      .map(({ at, snapshot, by, reason }): Removal => {
        const when = whenOf(at, snapshot, following, now)
        return { at: at.toISOString(), of, snapshot: snapshot[0], when, by, reason }
      })
  })
}

function whenOf(
  at: Date,
  [name]: SnapshotPair,
  following: ReadonlyMap<string, Date | null>,
  now: Date,
): Removal['when'] {
  if (at <= now) return 'now'
  const second = following.get(parseSnapshotName(name)?.policy ?? '') ?? null
  return second !== null && at < second ? 'next' : 'later'
}

/** What goes before this goes with the next slot. */
function secondSlot({ schedule, timezone, paused }: Policy, now: Date): Date | null {
  if (paused) return null
  const next = nextSlot({ schedule, timezone, after: now })
  return next === null ? null : nextSlot({ schedule, timezone, after: next })
}
