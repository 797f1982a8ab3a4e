import type { Clock } from '../../shared/clock.ts'
import { Timers } from '../emulator/timers.ts'

/** Lets everything that promises have set in motion run to where it waits for a timer. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A clock that stands still until it is moved. Timers see the very instant for which they were set. */
export class VirtualClock implements Clock {
  #now: number
  readonly #timers = new Timers()

  constructor(start: number | Date) {
    this.#now = Number(start)
  }

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    return this.#timers.set(this.#now + Math.max(0, ms), run)
  }

  /** Moves to an instant (milliseconds since the epoch), running what falls due on the way. */
  async advance(to: number | Date): Promise<void> {
    const end = Number(to)
    if (end < this.#now) throw new Error('time does not run backwards')
    await settled()
    while (await this.#step(end)) {
      // each step is one instant
    }
    this.#now = end
  }

  /**
   * Moves as far as a promise needs and answers with its value. A promise that no timer can fulfil, or
   * that asks for more than `limitMs`, is a mistake of the test.
   */
  async settle<T>(work: Promise<T>, limitMs = 3_600_000): Promise<T> {
    const end = this.#now + limitMs
    let over = false
    const done = (): void => {
      over = true
    }
    work.then(done, done)
    await settled()
    while (!over) {
      if (await this.#step(end)) continue
      await settled()
      if (!over && !(await this.#step(end)))
        throw new Error(`nothing within ${limitMs} ms fulfils the promise`)
    }
    return work
  }

  /** Runs all timers of the next instant that has any, and what follows from them. */
  async #step(end: number): Promise<boolean> {
    const next = this.#timers.next()
    if (next === null || next > end) return false
    this.#now = Math.max(this.#now, next)
    for (let run = this.#timers.takeDue(this.#now); run !== null; run = this.#timers.takeDue(this.#now)) run()
    await settled()
    return true
  }
}
