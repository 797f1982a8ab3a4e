/** A websocket of a migration's operation. Its secret is in the path, so nothing of the request is ever told. */
import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'

/** Milliseconds from connecting to the answer; Incus waits 30 s for the first one, and then 10 s for each. */
const PATIENCE = 25_000
const VERSION = '13'
/** RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Rejects where the server doesn't take it. */
export async function openWebsocket(
  pool: Dispatcher,
  { operation, secret }: { operation: string; secret: string },
  signal: AbortSignal,
): Promise<Duplex> {
  const key = randomBytes(16).toString('base64')
  const { headers, socket } = await pool.upgrade({
    ...{ method: 'GET', protocol: 'websocket' },
    path: `/1.0/operations/${encodeURIComponent(operation)}/websocket?secret=${encodeURIComponent(secret)}`,
    headers: { 'sec-websocket-key': key, 'sec-websocket-version': VERSION },
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
  })
  // One that breaks before it is joined to another is no event here.
  socket.on('error', () => {})
  const expected = createHash('sha1').update(`${key}${GUID}`).digest('base64')
  if (headers['sec-websocket-accept'] === expected) return socket
  socket.destroy()
  throw new Error('it accepts no websocket')
}
