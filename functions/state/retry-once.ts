/** KV takes one write a second for each key: a write that fails is tried again once. */
import type { State } from './ledger.ts'
import { reportUnwritten, reportWritten } from './unwritten.ts'

/** Longer than a second. */
const PAUSE = 1_100

async function again(kv: KVNamespace, write: Parameters<State['put']>): Promise<void> {
  try {
    await kv.put(...write)
  } catch (cause) {
    reportUnwritten(String(write[0]), cause)
    throw cause
  }
}

export const retryOnce = (kv: KVNamespace): State => ({
  get: (key) => kv.get(key),
  async put(...write: Parameters<State['put']>) {
    try {
      await kv.put(...write)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
      await again(kv, write)
    }
    reportWritten()
  },
})
