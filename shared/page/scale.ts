/** Time on a line: the hours around now have as much room as the years behind them. */
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** From 0, the earliest, to 1. */
type Scale = (at: number) => number

/** Milliseconds since the epoch. */
type Span = { from: number; to: number; now: number }

export function scaleOf({ from, to, now }: Span): Scale {
  const [first, last] = [stretched(from - now), stretched(to - now)]
  return (at) => (last === first ? 0 : (stretched(at - now) - first) / (last - first))
}

const stretched = (ms: number): number => Math.sign(ms) * Math.log1p(Math.abs(ms) / HOUR)

const STEPS: [number, string][] = [
  [HOUR, '1 h'],
  [6 * HOUR, '6 h'],
  [DAY, '1 day'],
  [7 * DAY, '1 week'],
  [30 * DAY, '1 month'],
  [365 * DAY, '1 year'],
  [3650 * DAY, '10 years'],
]

/** The distances from now that lie in it; the present itself is none. */
export function ticksOf({ from, to, now }: Span): { at: number; label: string }[] {
  const past = STEPS.map(([ms, label]) => ({ at: now - ms, label: `−${label}` })).filter(
    ({ at }) => at >= from,
  )
  const ahead = STEPS.map(([ms, label]) => ({ at: now + ms, label: `+${label}` })).filter(
    ({ at }) => at <= to,
  )
  return [...past.reverse(), ...ahead]
}
