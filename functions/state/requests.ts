/**
 * Ids of accepted requests, against replays. KV has no compare-and-set and may be a minute stale, so a replay
 * at another location within that minute could pass; but the effect of a command is idempotent by name.
 */
import { reportUnwritten } from './unwritten.ts'

type RequestStore = Pick<KVNamespace, 'get' | 'put'>

const DAY = 86_400
const REMEMBERED = 1000

/** Ids that this isolate has seen: true for one that it had seen before. */
function createMemory(): (id: string) => boolean {
  const ids = new Set<string>()
  return (id) => {
    if (ids.has(id)) return true
    ids.add(id)
    for (const oldest of ids) {
      if (ids.size <= REMEMBERED) break
      ids.delete(oldest)
    }
    return false
  }
}

/** Whether this isolate was sent it before. Costs KV nothing, but a flood of others makes it forget. */
export const isRepeated = createMemory()

/** Those of requests that may change something, because KV may not show them yet. */
const isAccepted = createMemory()

/** `known`: it was accepted before. `unwritten`: it is new, but KV takes no writes, so only this isolate knows it. */
export async function accept(kv: RequestStore, id: string): Promise<'new' | 'known' | 'unwritten'> {
  if (isAccepted(id)) return 'known'
  const key = `request:${id}`
  if ((await kv.get(key)) !== null) return 'known'
  try {
    await kv.put(key, '', { expirationTtl: DAY })
    return 'new'
  } catch (cause) {
    reportUnwritten('that a request was accepted', cause)
    return 'unwritten'
  }
}
