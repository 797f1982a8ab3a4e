/**
 * Requests that were let in before. KV has no compare-and-set and may be a minute stale, so a replay to
 * another place within that minute could pass; what a command does is idempotent by name all the same.
 */
export type RequestStore = Pick<KVNamespace, 'get' | 'put'>

const DAY = 86_400
const REMEMBERED = 1000

/** Of this isolate: knows at once what KV may not show yet. */
const recent = new Set<string>()

/** True exactly once for an id, as far as can be known. */
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
