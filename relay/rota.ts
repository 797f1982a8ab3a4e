/**
 * In which order the URLs of one remote are asked: as configured, those that gave no answer lately last.
 * After a minute one of these gets its chance again, by a single call that only reads.
 */
export type Rota = {
  /** Places, the best first. `reads`: the call may be the one that finds out whether somebody is back. */
  order(reads: boolean): number[]
  answered(place: number): void
  failed(place: number): void
}

export const AWAY = 60_000

export function createRota(count: number, now: () => number): Rota {
  const places = Array.from({ length: count }, (_, place) => place)
  /** When each that failed may be tried again. */
  const away = new Map<number, number>()

  return {
    order(reads) {
      const back = reads
        ? places.find((place) => (away.get(place) ?? Number.POSITIVE_INFINITY) <= now())
        : undefined
      // Others at the same time don't wait for it too.
      if (back !== undefined) away.set(back, now() + AWAY)
      const isFirst = (place: number): boolean => place === back || !away.has(place)
      return [...places.filter(isFirst), ...places.filter((place) => !isFirst(place))]
    },
    answered: (place) => void away.delete(place),
    failed: (place) => void away.set(place, now() + AWAY),
  }
}
