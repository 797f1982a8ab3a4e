/** Sends a file, or a tar of a folder, as it is read. If reading breaks, the connection does: it never ends as if it were whole. */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { FILE_HEADER } from '../shared/relay/protocol.ts'
import { safeText } from '../shared/safe-text.ts'
import type { Sent } from './engine/files/files.ts'

export async function sendFile(
  { itself, size, bytes, leave }: Sent,
  response: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  try {
    response.writeHead(200, {
      'content-type': size === null ? 'application/x-tar' : 'application/octet-stream',
      ...(size === null ? {} : { 'content-length': size }),
      [FILE_HEADER]: inAscii(JSON.stringify(itself)),
      'cache-control': 'no-store',
    })
    await pipeline(Readable.from(bytes, { objectMode: false }), response)
  } catch (cause) {
    response.destroy()
    log(`files: what was sent broke off: ${safeText(cause instanceof Error ? cause.message : String(cause))}`)
  } finally {
    leave()
  }
}

/** A header takes no other characters. */
const inAscii = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
