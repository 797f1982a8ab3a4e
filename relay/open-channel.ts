/** A connection to Incus on which it speaks another protocol from then on: SFTP. */
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { IncusRequest } from '../shared/incus/routes.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { callError } from './errors.ts'

/** Milliseconds, of Incus, which first mounts what is stopped. */
const OPENING = 60_000
/** Without a byte in either direction; the reader may be slow, too, while it waits for whom it sends to. */
const SILENCE = 300_000

export async function openChannel(
  pool: Dispatcher,
  { remote, at }: { remote: string; at: string | null },
  { method, path }: IncusRequest,
): Promise<Result<Duplex, CallError>> {
  try {
    const signal = AbortSignal.timeout(OPENING)
    const { socket } = await pool.upgrade({ method, path, protocol: 'sftp', signal })
    // Whoever reads it is told, too.
    socket.on('error', () => {})
    if ('setTimeout' in socket && typeof socket.setTimeout === 'function')
      socket.setTimeout(SILENCE, () => socket.destroy(new Error('it was silent for minutes')))
    return ok(socket)
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    return err(isRefusal(error) ? REFUSED(remote) : callError(remote, at, error, false))
  }
}

/** Incus answered with something else than that protocol; its words are lost. */
const isRefusal = ({ message }: Error): boolean => message === 'bad upgrade'

const REFUSED = (remote: string): CallError => ({
  code: 'incus',
  message: `Incus at "${remote}" gives no connection to the files: is the instance there, and may the relay's certificate read them (can_connect_sftp)?`,
})
