/** A server's API over TLS with all rights, to set the scene and to look at the data; not what is tested. */
import { Agent, request } from 'undici'
import type { ClientCertificate } from '../contract/server.ts'

export type Api = {
  /** Waits for the operation; throws when Incus or the operation fails. */
  run(method: string, path: string, body?: unknown): Promise<unknown>
  close(): Promise<void>
}

type Envelope = { type: string; error: string; metadata: unknown }

export function openApi(url: string, certificate: string, { cert, key }: ClientCertificate): Api {
  const dispatcher = new Agent({
    connect: { ca: certificate, cert, key, timeout: 60_000 },
    ...{ bodyTimeout: 0, headersTimeout: 0 },
  })
  const call = (method: string, path: string, body: string | Uint8Array | null, headers = {}) =>
    request(`${url}${path}`, { dispatcher, method: method as 'GET', body, headers })
  const send = async (
    method: string,
    path: string,
    body: string | Uint8Array | null,
    headers = {},
  ): Promise<unknown> => {
    const reply = (await (await call(method, path, body, headers)).body.json()) as Envelope
    if (reply.type === 'error') throw new Error(`${method} ${path}: ${reply.error}`)
    if (reply.type !== 'async') return reply.metadata
    const { id } = reply.metadata as { id: string }
    const ended = (await (await call('GET', `/1.0/operations/${id}/wait`, null)).body.json()) as Envelope
    const { status, err } = ended.metadata as { status: string; err: string }
    if (status !== 'Success') throw new Error(`${method} ${path}: ${err}`)
    return ended.metadata
  }
  return {
    run(method, path, body) {
      if (body instanceof Uint8Array)
        return send(method, path, body, { 'content-type': 'application/octet-stream' })
      return send(method, path, body === undefined ? null : JSON.stringify(body))
    },
    close: () => dispatcher.close(),
  }
}
