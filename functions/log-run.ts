/**
 * What a run did, as a line of the Worker's log: `npm start` and `wrangler tail` show it, whatever triggered
 * the run.
 */
import type { Io } from './run.ts'
import type { Run } from './summary.ts'

/** A log line may have 256 KB; actions come before notes. */
const LOGGED_LINES = 100

/** Idle runs aren't logged. */
export function logRun<R extends Run>(ran: R, { id }: Pick<Io, 'id'>): R {
  if (ran.state === 'ran') {
    const { results: _, ...rest } = ran
    console.log(JSON.stringify({ run: id, ...rest, lines: ran.lines.slice(0, LOGGED_LINES) }))
  }
  return ran
}
