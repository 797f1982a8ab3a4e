/**
 * Ids of accepted requests, against replays. KV has no compare-and-set and may be a minute stale, so a replay
 * at another location within that minute could pass; but the effect of a command is idempotent by name.
 */
export type RequestStore = Pick<KVNamespace, 'get' | 'put'>

const DAY = 86_400
const REMEMBERED = 1000

/** Of this isolate, because KV may not show them yet. */
const recent = new Set<string>()

/** True once for an id, as far as KV allows. */
export async function isNew(kv: RequestStore, id: string): Promise<boolean> {
  if (recent.has(id)) return false
  recent.add(id)
  for (const oldest of recent) {
    if (recent.size <= REMEMBERED) break
    recent.delete(oldest)
  }
  const key = `request:${id}`
  if ((await kv.get(key)) !== null) return false
  await kv.put(key, '', { expirationTtl: DAY })
  return true
}
