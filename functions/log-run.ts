/** What a run did, as a line of the Worker's log: `npm start` and `wrangler tail` show it, whatever triggered the run. */
import type { Run } from './summary.ts'

/** A log line may have 256 KB; what was done stands first. */
const LOGGED_LINES = 100

/** Runs that did not look at Incus have nothing to tell. */
export function logRun<R extends Run>(ran: R): R {
  if (ran.state === 'ran') {
    const { results: _, ...rest } = ran
    console.log(JSON.stringify({ ...rest, lines: ran.lines.slice(0, LOGGED_LINES) }))
  }
  return ran
}
