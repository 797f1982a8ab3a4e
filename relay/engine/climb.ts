/**
 * Finds the concurrency at which a daemon is fastest: hill climbing on the measured rate. Pure; the limiter
 * measures. The neighbours of the present limit are tried when their rates are out of date, and the limit
 * moves to the best of the three.
 */
export type Bounds = { min: number; max: number }

/** Rate (ended calls per second) at a limit, and the window in which it was last measured. */
type Known = { rate: number; window: number }

type Climb = { limit: number; window: number; known: ReadonlyMap<number, Known> }

/** After so many windows a neighbour's rate is out of date. */
const STALE = 20
/** A new measurement's weight against the old ones. */
const WEIGHT = 0.5
/** A higher limit must be faster by this factor, so that noise alone adds no load to a daemon. */
const WORTH = 1.04

export const startClimb = (limit: number): Climb => ({ limit, window: 0, known: new Map() })

/** From the rate measured at the present limit to the limit for the next window. */
export function climb(state: Climb, rate: number, bounds: Bounds): Climb {
  const window = state.window + 1
  const old = state.known.get(state.limit)
  const blended = old === undefined ? rate : old.rate + (rate - old.rate) * WEIGHT
  const known = new Map(state.known).set(state.limit, { rate: blended, window })
  return { window, known, limit: nextLimit(state.limit, known, window, bounds) }
}

/** The daemon is overwhelmed: the limit is halved, and former measurements are dropped. */
export const backOff = (state: Climb, { min }: Bounds): Climb => ({
  ...startClimb(Math.max(min, Math.floor(state.limit / 2))),
  window: state.window,
})

function nextLimit(limit: number, known: ReadonlyMap<number, Known>, window: number, bounds: Bounds): number {
  const neighbours = [limit + 1, limit - 1].filter((at) => at >= bounds.min && at <= bounds.max)
  const best = neighbours.reduce((leader, at) => (beats(at, leader, known) ? at : leader), limit)
  if (best !== limit) return best
  const untried = neighbours.find(
    (at) => window - (known.get(at)?.window ?? Number.NEGATIVE_INFINITY) > STALE,
  )
  return untried ?? limit
}

function beats(at: number, leader: number, known: ReadonlyMap<number, Known>): boolean {
  const mine = known.get(at)?.rate ?? 0
  const theirs = known.get(leader)?.rate ?? 0
  return at > leader ? mine > theirs * WORTH : mine > theirs
}
