/** Reads a request's body up to a maximum length. */
import type { IncomingMessage } from 'node:http'

export const MAX_BODY = 8 * 1024 * 1024

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

/** Null when it is longer than allowed; rejects when the client goes away or is too slow. */
export async function readBody(message: IncomingMessage): Promise<Buffer | null> {
  if (!hasBody(message)) return EMPTY
  if (Number(message.headers['content-length'] ?? 0) > MAX_BODY) return null
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of message) {
    length += chunk.length
    if (length > MAX_BODY) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const EMPTY = Buffer.alloc(0)
