/**
 * Writes a batch's lines. They are buffered for a moment, because each chunk costs the Worker processor time.
 * The last ones are sent at once when the batch ends.
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
    // The jobs go on when the client disconnects; their outcome is in the next inventory.
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
