/**
 * A file to Incus, of which an instance is made. If it ends with an error its last piece isn't sent, and Incus makes nothing of
 * it. It is sent once: whether an instance came of it is seen there.
 */
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { IncusRequest } from '../shared/incus/routes.ts'
import { badReply } from './engine/call.ts'
import type { Reply, Upload } from './engine/upstream.ts'
import { callError } from './errors.ts'
import { shortText } from './short-text.ts'

/** Milliseconds without a piece of it, and for the answer after its end: Incus may have to look through all of it. */
const SILENCE = 600_000
/** Bytes of an answer. */
const LONGEST = 1_000_000

export async function uploadFile(
  pool: Dispatcher,
  { remote, at }: { remote: string; at: string | null },
  { method, path }: IncusRequest,
  { name, pool: into, bytes }: Parameters<Upload>[2],
): Promise<Reply> {
  const quiet = new AbortController()
  const timer = setTimeout(() => quiet.abort(new Error('it takes no more of the file')), SILENCE)
  let isBegun = false
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    isBegun = true
    for await (const chunk of bytes) {
      timer.refresh()
      yield chunk
    }
  }
  try {
    const reply = await pool.request({
      ...{ method, path, headersTimeout: 0, bodyTimeout: SILENCE, signal: quiet.signal },
      headers: {
        'content-type': 'application/octet-stream',
        'x-incus-name': name,
        // What is no word of a header stands in the file alone.
        ...(into !== null && /^[\x21-\x7e]+$/.test(into) ? { 'x-incus-pool': into } : {}),
      },
      body: Readable.from(watched(), { objectMode: false }),
    })
    const text = await shortText(reply.body, LONGEST)
    return readReply(remote, reply.statusCode, text)
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    return { ok: false, error: callError(remote, at, error, isBegun) }
  } finally {
    clearTimeout(timer)
  }
}

function readReply(remote: string, status: number, text: string): Reply {
  try {
    const body: unknown = JSON.parse(text)
    return { ok: true, status, body }
  } catch {
    return { ok: false, error: badReply(remote, status, 'it is not JSON') }
  }
}
