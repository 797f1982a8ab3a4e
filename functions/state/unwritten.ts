/**
 * What KV didn't take. It refuses writes when a day's allowance is used up; then the log is the place that is
 * left, and this isolate remembers since when, so that the status and the next run can tell.
 */
type Outage = { error: string; since: string | null }

let outage: Outage | null = null

/** `what` couldn't be written; `value`: what is worth keeping of it. */
export function reportUnwritten(what: string, cause: unknown, value?: unknown): void {
  outage ??= { error: String(cause).slice(0, 200), since: null }
  console.error(JSON.stringify({ at: 'kv', unwritten: what, error: String(cause), value }))
}

/** KV took a write. */
export function reportWritten(): void {
  outage = null
}

/** For people; none while KV takes writes, as far as this isolate knows. It began when this is asked first. */
export function outageProblems(now: Date): string[] {
  if (outage === null) return []
  outage.since ??= now.toISOString()
  return [
    `KV has taken no writes since about ${outage.since} (${outage.error}). Backups continue, because what was done is read from Incus, but slots, runs and records are not noted. Has the plan's allowance of the day been used up? It begins anew at midnight UTC`,
  ]
}

/** Null when it is written, else why not; that is in the log, with `value`. */
export async function attemptWrite(
  what: string,
  write: () => Promise<void>,
  value?: unknown,
): Promise<string | null> {
  try {
    await write()
    reportWritten()
    return null
  } catch (cause) {
    reportUnwritten(what, cause, value)
    return String(cause)
  }
}
