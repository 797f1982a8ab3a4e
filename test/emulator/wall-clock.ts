import type { Clock } from '../../shared/clock.ts'
import { Timers } from './timers.ts'

const LONGEST_TIMEOUT_MS = 0x7fffffff

/** Real time that can be made to jump ahead, so that a test needn't sit out a minute. */
export class WallClock implements Clock {
  #ahead = 0
  #armed: NodeJS.Timeout | undefined
  readonly #timers = new Timers()

  now(): number {
    return Date.now() + this.#ahead
  }

  after(ms: number, run: () => void): () => void {
    const off = this.#timers.set(this.now() + Math.max(0, ms), run)
    this.#arm()
    return off
  }

  /** Passes so many milliseconds, stopping at each timer on the way. */
  async jump(ms: number): Promise<void> {
    const end = this.now() + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const next = this.#timers.next()
      if (next === null || next > end) break
      this.#ahead += Math.max(0, next - this.now())
      this.#fire()
    }
    this.#ahead += Math.max(0, end - this.now())
    this.#arm()
  }

  #fire(): void {
    const now = this.now()
    for (let run = this.#timers.takeDue(now); run !== null; run = this.#timers.takeDue(now)) run()
    this.#arm()
  }

  /** Unreferenced: the embedded Incus alone keeps no process alive, its listener does. */
  #arm(): void {
    clearTimeout(this.#armed)
    const next = this.#timers.next()
    if (next === null) return
    const wait = Math.min(Math.max(0, next - this.now()), LONGEST_TIMEOUT_MS)
    this.#armed = setTimeout(() => this.#fire(), wait).unref()
  }
}
