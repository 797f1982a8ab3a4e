/**
 * Verified snapshots that vanished from copies, though neither the relay nor an expiry that it knows of removed them. Of a
 * copy whose expiries it doesn't know, as after its journal was lost, nothing is said.
 */
import type { Clock } from '../../shared/clock.ts'
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { renderVerified } from '../../shared/work/copy/marks.ts'

export type Losses = {
  /** A verification knows when those of a copy end, which are listed (milliseconds since the epoch; null: never). */
  know(copy: string, ends: readonly (readonly [SnapshotPair, number | null])[]): void
  /** It is removed then, or expires (milliseconds since the epoch; null: never). */
  mayGo(copy: string, pair: SnapshotPair, at: number | null): void
  /** A look lists these, and lists those no longer that were verified. */
  seen(copy: string, listed: readonly SnapshotPair[], missing: readonly SnapshotPair[]): void
  /** It is another one from now on. */
  forget(copy: string): void
  /** On a remote, those that were missed within the last day, as `project/instance/name@seconds`. */
  on(remote: string): string[]
  state(): LossesState
}

const renderPair = (pair: SnapshotPair): string => renderVerified([pair])

/** Both by copy, then by `name@seconds`: when it ends, and when it was missed (milliseconds since the epoch). */
type LossesState = Record<'copyEnds' | 'lost', Record<string, Record<string, number>>>

type Times = Map<string, Map<string, number>>

const DAY = 86_400_000
/** Clocks differ, and one that ends now may be gone already. */
const LEEWAY = 3_600_000
/** Of one copy, and of all that a remote has. */
const MOST = 2000

export function createLosses(
  clock: Clock,
  known: Record<keyof LossesState, Times>,
  changed: () => void,
): Losses {
  const { copyEnds: ends, lost } = known
  const isExpected = (copy: string, pair: string): boolean => {
    const of = ends.get(copy)
    return of === undefined || (of.get(pair) ?? Number.POSITIVE_INFINITY) <= clock.now() + LEEWAY
  }
  return {
    know(copy, all) {
      const dated = all.flatMap(([pair, end]) => (end === null ? [] : [[renderPair(pair), end] as const]))
      ends.set(copy, new Map(dated.slice(-MOST)))
      changed()
    },
    mayGo(copy, pair, at) {
      const of = ends.get(copy)
      if (of === undefined) return
      if (at === null) of.delete(renderPair(pair))
      else of.set(renderPair(pair), at)
      changed()
    },
    seen(copy, listed, missing) {
      const gone = lost.get(copy) ?? new Map<string, number>()
      if (missing.length + gone.size === 0) return
      const names = missing.map(renderPair).filter((pair) => !isExpected(copy, pair))
      for (const pair of names.slice(-MOST)) gone.set(pair, clock.now())
      const there = new Set(listed.map(renderPair))
      const past = [...gone].filter(([pair, at]) => there.has(pair) || clock.now() - at >= DAY)
      for (const [pair] of past) gone.delete(pair)
      if (gone.size === 0) lost.delete(copy)
      else lost.set(copy, gone)
      if (names.length + past.length > 0) changed()
    },
    forget(copy) {
      if (ends.delete(copy)) changed()
    },
    on: (remote) =>
      [...lost]
        .flatMap(([copy, gone]) =>
          copy.startsWith(`${remote}/`)
            ? [...gone].flatMap(([pair, at]) =>
                clock.now() - at < DAY ? [`${copy.slice(remote.length + 1)}/${pair}`] : [],
              )
            : [],
        )
        .slice(-MOST),
    state: () => ({ copyEnds: written(ends), lost: written(lost) }),
  }
}

const written = (times: Times): Record<string, Record<string, number>> =>
  Object.fromEntries([...times].map(([copy, of]) => [copy, Object.fromEntries(of)]))
