/**
 * Writes a batch's lines. They are gathered for a moment, because each arrival wakes the Worker, whose
 * processor time is dear; what is written when the batch has ended leaves at once.
 */
import type { ServerResponse } from 'node:http'
import type { BatchLine } from '../shared/relay/protocol.ts'

type Lines = { write(line: BatchLine): void; end(): void }

/** Milliseconds. */
const GATHERING = 500

export function createLines(response: ServerResponse, gathering = GATHERING): Lines {
  let gathered = ''
  let timer: NodeJS.Timeout | null = null
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    // A client that left doesn't stop the jobs; what they end as, it sees in the next inventory.
    if (gathered !== '' && !response.destroyed) response.write(gathered)
    gathered = ''
  }
  return {
    write(line) {
      gathered += `${JSON.stringify(line)}\n`
      timer ??= setTimeout(flush, gathering)
    },
    end() {
      flush()
      response.end()
    },
  }
}
