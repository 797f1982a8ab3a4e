/** A metric with all of its series, as both text formats have it. */

/** Names are ours; values may be foreign. */
export type Labels = Readonly<Record<string, string>>

export type Sample = { labels: Labels; value: number }

export type Histogram = {
  labels: Labels
  /** Upper bounds in ascending order, each with how many values are no larger. */
  buckets: readonly (readonly [bound: number, count: number])[]
  count: number
  sum: number
}

/** `name`: with its unit, `_seconds` or `_bytes`; of a counter without `_total`. `help`: a line without quotes and backslashes. */
export type Family = { name: string; help: string } & (
  | { type: 'gauge' | 'counter'; samples: readonly Sample[] }
  | { type: 'histogram'; samples: readonly Histogram[] }
)

export const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  ...{ name, help, samples },
  type: 'gauge',
})

export const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  ...{ name, help, samples },
  type: 'counter',
})

/** A metric without labels; null: it isn't known, so there is no series. */
export const single = (value: number | null): Sample[] => (value === null ? [] : [{ labels: {}, value }])

/** Seconds since the epoch. */
export const secondsOf = (at: Date | string): number => new Date(at).getTime() / 1000

export const flag = (isSo: boolean): 0 | 1 => (isSo ? 1 : 0)
