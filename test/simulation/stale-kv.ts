/**
 * Workers KV as its documents allow it to be: a reader may see what was there up to 60 s ago, misses
 * included, the last write wins, and a second write to a key within a second is refused.
 */

import type { State } from '../../functions/state/ledger.ts'
import type { Clock } from '../../shared/clock.ts'

const STALE_MS = 60_000

type Cached = { value: string | null; until: number }

export class StaleKv {
  readonly #clock: Clock
  readonly #values = new Map<string, string>()
  readonly #written = new Map<string, number>()
  readonly #caches: Map<string, Cached>[] = []
  /** Every write is refused, as when the day's allowance is used up. */
  refusing = false
  readonly counts = { reads: 0, writes: 0, refused: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** KV as one place on the edge sees it; each has a cache of its own. */
  place(): State {
    const cache = new Map<string, Cached>()
    this.#caches.push(cache)
    return {
      get: async (key: string) => {
        this.counts.reads++
        const known = cache.get(key)
        if (known !== undefined && known.until > this.#clock.now()) return known.value
        const value = this.#values.get(key) ?? null
        cache.set(key, { value, until: this.#clock.now() + STALE_MS })
        return value
      },
      put: async (key: string, value: unknown) => {
        const last = this.#written.get(key)
        if (this.refusing || (last !== undefined && this.#clock.now() - last < 1000)) {
          this.counts.refused++
          throw new Error('KV PUT failed: 429 Too Many Requests')
        }
        this.counts.writes++
        this.#written.set(key, this.#clock.now())
        this.#values.set(key, String(value))
        cache.set(key, { value: String(value), until: this.#clock.now() + STALE_MS })
      },
    }
  }

  peek(key: string): string | null {
    return this.#values.get(key) ?? null
  }

  /** As somebody would who has a copy. */
  restore(key: string, value: string): void {
    this.#values.set(key, value)
  }

  wipe(keys: readonly string[] = [...this.#values.keys()]): void {
    for (const key of keys) this.#values.delete(key)
  }

  /** Wiped, and no place has an old value in its cache: else a tick may write that one again. */
  forget(keys: readonly string[]): void {
    this.wipe(keys)
    for (const cache of this.#caches) for (const key of keys) cache.delete(key)
  }
}
