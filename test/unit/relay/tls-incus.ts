/** An HTTPS server that stands for Incus: it wants a client certificate, speaks TLS 1.3 and records what it got. */
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createCertificate } from '../../lab/certificate.ts'

export type TlsIncus = {
  url: string
  fingerprint: string
  /** What came in: method, URL, body, and the fingerprint of the client. */
  seen: { call: string; body: string; client: string; headers: IncomingMessage['headers'] }[]
  connections: number
  answer: (message: IncomingMessage, response: ServerResponse) => void
  close(): Promise<void>
}

export const fingerprintOf = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')

export const newIdentity = () => createCertificate('localhost', 'server')

/** The members of a cluster share one `identity`. */
export async function startTlsIncus(
  port = 0,
  identity?: Awaited<ReturnType<typeof newIdentity>>,
): Promise<TlsIncus> {
  const { cert, key } = identity ?? (await newIdentity())
  const options = { cert, key, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const
  const server = createServer(options, async (message, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk)
    const peer = (message.socket as TLSSocket).getPeerX509Certificate()
    incus.seen.push({
      call: `${message.method} ${message.url}`,
      body: Buffer.concat(chunks).toString(),
      client: peer === undefined ? 'none' : fingerprintOf(peer.toString()),
      headers: message.headers,
    })
    incus.answer(message, response)
  })
  const incus: TlsIncus = {
    url: '',
    fingerprint: fingerprintOf(cert),
    seen: [],
    connections: 0,
    answer: (_, response) => sendEnvelope(response, 200, { type: 'sync', metadata: { auth: 'trusted' } }),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  server.on('secureConnection', () => {
    incus.connections += 1
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  incus.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return incus
}

export function sendEnvelope(response: ServerResponse, status: number, envelope: object): void {
  response.writeHead(status, { 'content-type': 'application/json', etag: '"e1"', connection: 'keep-alive' })
  response.end(JSON.stringify(envelope))
}
