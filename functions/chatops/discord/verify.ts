/** Discord signs each request with the application's Ed25519 key: the timestamp, then the body as it came. */
import { err, ok, type Result } from '../../../shared/result.ts'

/** Seconds to either side; Discord names no window of its own. */
const WINDOW = 300

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

/** `publicKey`: 64 hex digits. The key is imported at the first use. */
export function createVerify(
  publicKey: string,
): (signature: string, message: Uint8Array) => Promise<boolean> {
  let imported: Promise<CryptoKey> | null = null
  return async (signature, message) => {
    if (!/^[0-9a-f]{128}$/i.test(signature)) return false
    imported ??= crypto.subtle.importKey('raw', bytesOf(publicKey), 'Ed25519', false, ['verify'])
    try {
      return await crypto.subtle.verify('Ed25519', await imported, bytesOf(signature), message)
    } catch {
      return false
    }
  }
}

/** When it was signed; else why it is rejected. Discord itself sends wrong signatures now and then as a test. */
export async function readSigned(
  { headers, body }: { headers: Headers; body: string },
  now: Date,
  verify: ReturnType<typeof createVerify>,
): Promise<Result<Date, string>> {
  const timestamp = headers.get('x-signature-timestamp') ?? ''
  if (!/^\d{1,12}$/.test(timestamp)) return err('no timestamp in X-Signature-Timestamp')
  const age = now.getTime() / 1000 - Number(timestamp)
  if (!(Math.abs(age) <= WINDOW))
    return err(`signed ${Math.round(age)} s ago, by this clock; ${WINDOW} s are allowed`)
  const message = new TextEncoder().encode(timestamp + body)
  if (!(await verify(headers.get('x-signature-ed25519') ?? '', message)))
    return err('X-Signature-Ed25519 is not a signature of this request')
  return ok(new Date(Number(timestamp) * 1000))
}
