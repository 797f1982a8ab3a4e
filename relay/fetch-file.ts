/** A file from Incus, from some byte on, with back-pressure: what isn't read stays on the way. */
import type { Dispatcher } from 'undici'
import type { IncusRequest } from '../shared/incus/routes.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { safeText } from '../shared/safe-text.ts'
import { badReply } from './engine/call.ts'
import type { Download } from './engine/exports.ts'
import { callError } from './errors.ts'
import { shortText } from './short-text.ts'

const HEADERS_TIMEOUT = 60_000
/** Between two pieces of it; the reader may be slow, too, while it waits for its store. */
const SILENCE = 300_000
/** Of an error's text. */
const LONGEST = 10_000

export async function fetchFile(
  pool: Dispatcher,
  { remote, at }: { remote: string; at: string | null },
  { method, path }: IncusRequest,
  from: number,
): Promise<Result<Download, CallError>> {
  try {
    const reply = await pool.request({
      ...{ method, path, headersTimeout: HEADERS_TIMEOUT, bodyTimeout: SILENCE },
      headers: from === 0 ? {} : { range: `bytes=${from}-` },
    })
    const { statusCode: status, headers, body } = reply
    // Read or not, an error of it is told to whoever reads it.
    body.on('error', () => {})
    const place = placeOf(status, headers, from)
    if (place !== null) return ok({ ...place, bytes: body })
    const text = status < 400 ? '' : await shortText(body, LONGEST)
    if (status < 400) body.destroy()
    return err(
      status < 400
        ? badReply(remote, status, 'it doesn’t send the file from where it was asked to')
        : { code: 'incus', status, message: errorIn(text) ?? `status ${status}` },
    )
  } catch (cause) {
    return err(callError(remote, at, cause instanceof Error ? cause : new Error(String(cause)), true))
  }
}

/** Null: it isn't what was asked for. */
function placeOf(
  status: number,
  headers: Record<string, string | string[] | undefined>,
  from: number,
): Pick<Download, 'from' | 'size'> | null {
  if (status === 200 && from === 0) {
    const length = Number(headers['content-length'] ?? Number.NaN)
    return Number.isSafeInteger(length) ? { from: 0, size: length } : null
  }
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(headers['content-range'] ?? ''))
  if (status !== 206 || range === null || Number(range[1]) !== from) return null
  return { from, size: Number(range[3]) }
}

function errorIn(text: string): string | null {
  try {
    const parsed: unknown = JSON.parse(text)
    const error = typeof parsed === 'object' && parsed !== null && 'error' in parsed ? parsed.error : null
    return typeof error === 'string' && error !== '' ? safeText(error) : null
  } catch {
    return null
  }
}
