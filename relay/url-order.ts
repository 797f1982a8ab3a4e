/**
 * In which order the URLs of one remote are tried: as configured, those that gave no answer lately last.
 * After a minute one of these is tried first again, by a single call that only reads.
 */
export type UrlOrder = {
  /** Indexes of URLs, the best first. `reads`: the call may test whether a failed one answers again. */
  order(reads: boolean): number[]
  answered(place: number): void
  failed(place: number): void
}

export const RETRY_AFTER = 60_000

export function createUrlOrder(count: number, now: () => number): UrlOrder {
  const places = Array.from({ length: count }, (_, place) => place)
  /** When each one that failed may be tested again. */
  const failedUntil = new Map<number, number>()

  return {
    order(reads) {
      const back = reads
        ? places.find((place) => (failedUntil.get(place) ?? Number.POSITIVE_INFINITY) <= now())
        : undefined
      // Other calls meanwhile use the URLs that answer.
      if (back !== undefined) failedUntil.set(back, now() + RETRY_AFTER)
      const isFirst = (place: number): boolean => place === back || !failedUntil.has(place)
      return [...places.filter(isFirst), ...places.filter((place) => !isFirst(place))]
    },
    answered: (place) => void failedUntil.delete(place),
    failed: (place) => void failedUntil.set(place, now() + RETRY_AFTER),
  }
}
