/** KV takes one write a second for each key: a write that fails is tried again once. */
import type { State } from './ledger.ts'

/** Longer than a second. */
const PAUSE = 1_100

export const retryOnce = (kv: KVNamespace): State => ({
  get: (key) => kv.get(key),
  async put(...write: Parameters<State['put']>) {
    try {
      await kv.put(...write)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
      await kv.put(...write)
    }
  },
})
