/** The API over a daemon's unix socket: full rights, no TLS. Setting the scene, never what is tested. */

import { Agent, request } from 'undici'

export type Envelope = {
  type: 'sync' | 'async' | 'error'
  operation: string
  error_code: number
  error: string
  metadata: unknown
}

export type Socket = {
  /** The parsed envelope, errors of Incus included; throws only when nobody answers. */
  admin(method: string, path: string, body?: unknown): Promise<Envelope>
  /** Likewise, but waits for the operation, and throws when Incus or the operation fails. */
  run(method: string, path: string, body?: unknown): Promise<unknown>
  close(): Promise<void>
}

export function openSocket(socketPath: string): Socket {
  const dispatcher = new Agent({ connect: { socketPath }, bodyTimeout: 0, headersTimeout: 0 })
  const admin: Socket['admin'] = async (method, path, body) => {
    const raw = body instanceof Uint8Array
    const payload = raw || body === undefined ? (body ?? null) : JSON.stringify(body)
    const reply = await request(`http://incus${path}`, {
      dispatcher,
      method: method as 'GET',
      body: payload,
      headers: raw ? { 'content-type': 'application/octet-stream' } : {},
    })
    return (await reply.body.json()) as Envelope
  }
  const run: Socket['run'] = async (method, path, body) => {
    const what = `${method} ${path}`
    const started = orThrow(what, await admin(method, path, body))
    if (started.type !== 'async') return started.metadata
    const { id } = started.metadata as { id: string }
    const { metadata } = orThrow(what, await admin('GET', `/1.0/operations/${id}/wait`))
    // Later versions give a failed operation back as it is.
    const { status_code: code, err } = metadata as { status_code: number; err: string }
    if (code !== 200) throw new Error(`${what}: ${code} ${err}`)
    return metadata
  }
  return { admin, run, close: () => dispatcher.close() }
}

function orThrow(what: string, reply: Envelope): Envelope {
  if (reply.type === 'error') throw new Error(`${what}: ${reply.error_code} ${reply.error}`)
  return reply
}
