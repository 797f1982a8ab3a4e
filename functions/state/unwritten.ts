/** What KV didn't take: the log is the place that is left. */

/** `what` couldn't be written; `value`: what is worth keeping of it. */
export function reportUnwritten(what: string, cause: unknown, value?: unknown): void {
  console.error(JSON.stringify({ at: 'kv', unwritten: what, error: String(cause), value }))
}
