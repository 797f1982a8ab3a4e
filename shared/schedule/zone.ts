/**
 * A time zone as a function from instants to UTC offsets. Intl is asked only at the edges of fixed
 * cells of time (and bisected where they differ), because asking it per snapshot would cost more
 * than everything else in a tick.
 */
export type Zone = {
  /** Milliseconds to add to an instant (milliseconds since the epoch) to get the wall clock. */
  offsetAt: (instant: number) => number
}

type Cell = { before: number; after: number; change: number }

/** About 12 days: no zone has ever ended what it began sooner (Ramadan breaks take four weeks). */
const CELL = 2 ** 30

const zones = new Map<string, Zone>()

/** Accepts IANA names only: "+01:00" has no daylight saving and is mostly a mistake. */
export function isTimezone(text: string): boolean {
  if (!/^[a-z]/i.test(text)) return false
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text })
    return true
  } catch {
    return false
  }
}

/** The zone of an IANA name that `isTimezone` accepts; throws a RangeError on others. */
export function openZone(timezone: string): Zone {
  const known = zones.get(timezone)
  if (known !== undefined) return known
  const zone: Zone = timezone === 'UTC' ? { offsetAt: () => 0 } : remember(ask(timezone))
  zones.set(timezone, zone)
  return zone
}

function remember(offsetOf: (instant: number) => number): Zone {
  const cells = new Map<number, Cell>()
  const probe = (index: number): Cell => {
    const cell = explore(offsetOf, index * CELL)
    cells.set(index, cell)
    return cell
  }
  return {
    offsetAt(instant) {
      const index = Math.floor(instant / CELL)
      const cell = cells.get(index) ?? probe(index)
      return instant < cell.change ? cell.before : cell.after
    },
  }
}

function explore(offsetOf: (instant: number) => number, start: number): Cell {
  const before = offsetOf(start)
  const after = offsetOf(start + CELL)
  if (before === after) return { before, after, change: Number.POSITIVE_INFINITY }
  let low = start
  let high = start + CELL
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetOf(middle) === before) low = middle
    else high = middle
  }
  return { before, after, change: high }
}

/** Intl's own answer. */
function ask(timezone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' })
  return (instant) => {
    const found = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(format.format(instant))
    if (found === null) throw new Error(`zone ${timezone} has no readable offset at ${instant}`)
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = found
    const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
    return (sign === '-' ? -size : size) * 1000
  }
}
