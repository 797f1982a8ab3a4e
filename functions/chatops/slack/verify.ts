/** Slack signs each request with the app's signing secret: version, timestamp and the body as it came. */
import { err, ok, type Result } from '../../../shared/result.ts'

/** Seconds to either side, as Slack advises. */
const WINDOW = 300
const HMAC = { name: 'HMAC', hash: 'SHA-256' }

export type Signed = { signature: string; at: Date }

/** Else why it is rejected, for the log. */
export async function readSigned(
  { headers, body }: { headers: Headers; body: string },
  now: Date,
  signingSecret: string,
): Promise<Result<Signed, string>> {
  const timestamp = headers.get('x-slack-request-timestamp') ?? ''
  if (!/^\d{1,12}$/.test(timestamp)) return err('no timestamp in X-Slack-Request-Timestamp')
  const age = now.getTime() / 1000 - Number(timestamp)
  if (!(Math.abs(age) <= WINDOW))
    return err(`signed ${Math.round(age)} s ago, by this clock; ${WINDOW} s are allowed`)
  const signature = headers.get('x-slack-signature') ?? ''
  const hex = /^v0=([0-9a-f]{64})$/.exec(signature)?.[1]
  if (hex === undefined || !(await holds(hex, `v0:${timestamp}:${body}`, signingSecret)))
    return err('X-Slack-Signature is not a signature of this request')
  return ok({ signature, at: new Date(Number(timestamp) * 1000) })
}

/** WebCrypto compares in constant time. */
async function holds(hex: string, text: string, secret: string): Promise<boolean> {
  const encoder = new TextEncoder()
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), HMAC, false, ['verify'])
  const signature = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return crypto.subtle.verify(HMAC.name, key, signature, encoder.encode(text))
}
