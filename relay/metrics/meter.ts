/** Counts what the relay does, in memory: a restart begins at 0, which scrapers know how to read. */
import {
  counter,
  type Family,
  type Histogram,
  type Labels,
  type Sample,
} from '../../shared/metrics/family.ts'

export type Meter = {
  /** Adds to a counter. */
  add(name: CounterName, labels: Labels, amount?: number): void
  /** Notes a duration in milliseconds. */
  time(name: HistogramName, labels: Labels, ms: number): void
  families(): Family[]
}

const COUNTERS = {
  stapes_relay_incus_errors: 'Requests to Incus that had no usable answer, by the code of the error.',
  stapes_relay_refused_requests:
    'Requests to the relay that were refused unread, by the code of the refusal.',
  stapes_relay_transferred_bytes: 'Bytes of ended copies, as Incus last reported their progress.',
} as const

const HISTOGRAMS = {
  stapes_relay_request_duration_seconds: {
    help: 'How long the relay took for a call of the Worker.',
    bounds: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 900],
  },
  stapes_relay_incus_request_duration_seconds: {
    help: 'How long Incus took for a request. Waits for an operation have the method WAIT.',
    bounds: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
  },
  stapes_relay_transfer_duration_seconds: {
    help: 'How long copies took from their turn to their end, by how they ended.',
    bounds: [1, 10, 60, 300, 900, 3600, 14_400, 43_200, 86_400],
  },
} as const

type CounterName = keyof typeof COUNTERS
type HistogramName = keyof typeof HISTOGRAMS

type Timed = { labels: Labels; buckets: number[]; count: number; sum: number }

/** Labels are remotes, methods and codes, so there are few; more than that is a mistake and isn't counted. */
const MOST = 2_000

export function createMeter(): Meter {
  const counts = new Map<CounterName, Map<string, Sample>>()
  const times = new Map<HistogramName, Map<string, Timed>>()
  return {
    add(name, labels, amount = 1) {
      const series = seriesOf(counts, name)
      const key = JSON.stringify(labels)
      const before = series.get(key)
      if (before === undefined && series.size >= MOST) return
      series.set(key, { labels, value: (before?.value ?? 0) + amount })
    },
    time(name, labels, ms) {
      const series = seriesOf(times, name)
      const key = JSON.stringify(labels)
      const { bounds } = HISTOGRAMS[name]
      const timed = series.get(key) ?? { labels, buckets: bounds.map(() => 0), count: 0, sum: 0 }
      if (!series.has(key) && series.size >= MOST) return
      const seconds = ms / 1000
      timed.count += 1
      timed.sum += seconds
      bounds.forEach((bound, at) => {
        if (seconds <= bound) timed.buckets[at] = (timed.buckets[at] ?? 0) + 1
      })
      series.set(key, timed)
    },
    families: () => [
      ...namesOf(COUNTERS).map((name) => counter(name, COUNTERS[name], [...seriesOf(counts, name).values()])),
      ...namesOf(HISTOGRAMS).map((name): Family => {
        const { help, bounds } = HISTOGRAMS[name]
        const samples = [...seriesOf(times, name).values()].map((timed) => histogramOf(timed, bounds))
        return { name, help, type: 'histogram', samples }
      }),
    ],
  }
}

const histogramOf = ({ labels, buckets, count, sum }: Timed, bounds: readonly number[]): Histogram => ({
  ...{ labels, count, sum },
  buckets: bounds.map((bound, at) => [bound, buckets[at] ?? 0] as const),
})

const namesOf = <Name extends string>(map: Record<Name, unknown>): Name[] => Object.keys(map) as Name[]

function seriesOf<Name, Value>(all: Map<Name, Map<string, Value>>, name: Name): Map<string, Value> {
  const series = all.get(name) ?? new Map<string, Value>()
  all.set(name, series)
  return series
}
