/** KV takes one write a second to a key: one that came too early comes again. */
import type { State } from './ledger.ts'

/** Longer than a second. */
const PAUSE = 1_100

export const patient = (kv: KVNamespace): State => ({
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
