/**
 * Limits concurrent calls to one remote to the number at which it is fastest. The rate is measured only over
 * windows in which calls of one kind reached the limit.
 */
import type { Clock } from '../../shared/clock.ts'
import { type Bounds, backOff, climb, startClimb } from './climb.ts'

export type Verdict = 'done' | 'failed' | 'overwhelmed'

export type Limiter = {
  /** `urgent` calls go before others: a job that has begun should end. */
  run<T>(
    call: { kind: string; urgent: boolean },
    work: () => Promise<T>,
    judge: (result: T) => Verdict,
  ): Promise<T>
  limit(): number
  /** Calls in progress, and those that wait for their turn. */
  load(): { active: number; waiting: number }
}

const BOUNDS: Bounds = { min: 1, max: 16 }
const START = 4
/** Ended calls per window: fewer are noise, more are slow to learn. */
const WINDOW_CALLS = 8

type Window = { kind: string; limit: number; settling: number; ended: number; since: number }

export function createLimiter(clock: Clock, bounds = BOUNDS): Limiter {
  let state = startClimb(START)
  let active = 0
  let retreats = 0
  let window: Window | null = null
  const urgent: (() => void)[] = []
  const waiting: (() => void)[] = []

  const admit = (): void => {
    while (active < state.limit) {
      const next = urgent.shift() ?? waiting.shift()
      if (next === undefined) return
      active += 1
      next()
    }
  }
  const measure = (kind: string): void => {
    const full = urgent.length + waiting.length > 0
    if (!full) window = null
    else if (window?.kind !== kind || window.limit !== state.limit)
      window = open(kind, state.limit, clock.now())
    else if (window.settling > 0) window = { ...window, settling: window.settling - 1, since: clock.now() }
    else window = { ...window, ended: window.ended + 1 }
    if (window === null || window.ended < WINDOW_CALLS + window.limit) return
    const seconds = Math.max(0.001, (clock.now() - window.since) / 1000)
    state = climb(state, window.ended / seconds, bounds)
    window = null
  }
  const leave = (kind: string, verdict: Verdict, begunIn: number): void => {
    active -= 1
    if (verdict === 'done') measure(kind)
    else window = null
    // Once for all calls that were in progress together.
    if (verdict === 'overwhelmed' && begunIn === retreats) {
      state = backOff(state, bounds)
      retreats += 1
    }
    admit()
  }
  return {
    limit: () => state.limit,
    load: () => ({ active, waiting: urgent.length + waiting.length }),
    async run({ kind, urgent: first }, work, judge) {
      await new Promise<void>((begin) => {
        ;(first ? urgent : waiting).push(begin)
        admit()
      })
      const begunIn = retreats
      let verdict: Verdict = 'failed'
      try {
        const result = await work()
        verdict = judge(result)
        return result
      } finally {
        leave(kind, verdict, begunIn)
      }
    },
  }
}

/** Calls begun under the former limit end first and aren't counted. */
const open = (kind: string, limit: number, since: number): Window => ({
  kind,
  limit,
  settling: limit - 1,
  ended: 0,
  since,
})
