/**
 * Writes a batch's lines. They are buffered for a moment, because each chunk costs the Worker processor time.
 * The last ones are sent at once when the batch ends.
 */
import type { ServerResponse } from 'node:http'
import type { BatchLine } from '../shared/relay/protocol.ts'
import { safeText } from '../shared/safe-text.ts'

type Lines = { write(line: BatchLine): void; end(): void }

/** Milliseconds. */
const GATHERING = 500

/** Characters of one job's line. The Worker reads them all into its memory. */
const LONGEST = 4_000_000

/** What a server said in a job's steps may be nested too deep to write, or too long to read. */
function textOf(line: BatchLine): string {
  try {
    const text = JSON.stringify(line)
    if (text.length <= LONGEST || !('job' in line)) return text
    return JSON.stringify(unwritten(line.job, 'it is too long'))
  } catch (cause) {
    return JSON.stringify('job' in line ? unwritten(line.job, safeText(String(cause))) : line)
  }
}

const unwritten = (job: string, why: string): BatchLine => ({
  job,
  steps: [
    { ok: false, error: { code: 'bad-reply', message: `its server's answer can't be passed on: ${why}` } },
  ],
})

export function createLines(response: ServerResponse, gathering = GATHERING): Lines {
  let gathered = ''
  let timer: NodeJS.Timeout | null = null
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    // The jobs go on when the client disconnects; their outcome is in the next inventory.
    if (gathered !== '' && !response.destroyed) response.write(gathered)
    gathered = ''
  }
  return {
    write(line) {
      gathered += `${textOf(line)}\n`
      timer ??= setTimeout(flush, gathering)
    },
    end() {
      flush()
      response.end()
    },
  }
}
