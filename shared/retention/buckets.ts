/** Calendar buckets by the wall clock of a zone: two snapshots share a bucket if its number is the same. */
export type Moment = {
  /** Milliseconds since the epoch. */
  instant: number
  /** What the zone adds to it. */
  offset: number
  /** Place in the list, newest first. */
  at: number
}

export type Bucket = (moment: Moment) => number

const HOUR = 3_600_000
const DAY = 24 * HOUR

const dayOf = ({ instant, offset }: Moment): number => Math.floor((instant + offset) / DAY)

/** A bucket of its own for each. */
const each: Bucket = ({ at }) => at

/** The offset is in the hour's number, so that both 01:30 of a night with two of them count. */
const hour: Bucket = ({ instant, offset }) => Math.floor((instant + offset) / HOUR) * 2 * DAY + offset

/** ISO weeks begin on Mondays, and 1970-01-01 was a Thursday. */
const week: Bucket = (moment) => Math.floor((dayOf(moment) + 3) / 7)

const month: Bucket = ({ instant, offset }) => {
  const wall = new Date(instant + offset)
  return wall.getUTCFullYear() * 12 + wall.getUTCMonth()
}

const year: Bucket = ({ instant, offset }) => new Date(instant + offset).getUTCFullYear()

export const buckets = { each, hour, day: dayOf, week, month, year } as const satisfies Record<string, Bucket>
