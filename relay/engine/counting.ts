/** The bytes of long work as they pass, told in the form in which Incus reports its own. */
import type { Clock } from '../../shared/clock.ts'

export type Counting = {
  add(bytes: number): void
  /** `of`: what stands before them from now on. */
  say(of?: string): void
}

const SECOND = 1000

/** Each second at most while they pass, and of all of them. */
export function counting(clock: Clock, progress: (text: string) => void): Counting {
  const began = clock.now()
  let said = began
  let all = 0
  let label = ''
  const say = (of = label): void => {
    said = clock.now()
    label = of
    const rate = (all / Math.max(1, said - began)) * SECOND
    if (all > 0 || label !== '')
      progress(`${label === '' ? '' : `${label}: `}${mega(all)}MB (${mega(rate)}MB/s)`)
  }
  return {
    say,
    add(bytes) {
      all += bytes
      if (clock.now() - said >= SECOND) say()
    },
  }
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(2)
