/** The embedded Incus over real HTTPS: TLS 1.3 only, client certificates asked for but not demanded. */
import { type IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { fingerprintOf } from './certificate.ts'
import { etagOf } from './etag.ts'
import { ConnectionLost } from './faults.ts'
import { type Answer, type EmbeddedIncus, Malformed, type Upload } from './server.ts'
import { upgrade } from './websocket.ts'

export type Listener = {
  /** `https://127.0.0.1:<port>`, the same after a restart. */
  url: string
  /** The power cut, with all connections; then nobody listens. */
  kill(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** `port` 0 takes a free one. The server becomes known to its network under the address. */
export async function listen(
  server: EmbeddedIncus,
  certificate: { cert: string; key: string },
  port = 0,
): Promise<Listener> {
  let door = await open(server, certificate, port)
  const address = `127.0.0.1:${door.port}`
  server.listenAs(address)
  return {
    url: `https://${address}`,
    kill: () => {
      server.kill()
      return door.close()
    },
    start: async () => {
      door = await open(server, certificate, door.port)
      server.start()
    },
    close: () => door.close(),
  }
}

async function open(server: EmbeddedIncus, { cert, key }: { cert: string; key: string }, port: number) {
  const sockets = new Set<Socket>()
  const tls = { cert, key, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false } as const
  const listener = createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
    void respond(server, request, response)
  })
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A client that goes away is no event here; without a listener it would end the process.
    socket.on('error', () => {})
  })
  listener.on('sessionError', () => {})
  listener.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
    if (request.headers.upgrade === 'sftp') void openChannel(server, request, socket)
    else upgrade(server, request, socket, head)
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(port, '127.0.0.1', resolve)
  })
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      listener.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  return { port: (listener.address() as AddressInfo).port, close }
}

async function respond(
  server: EmbeddedIncus,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): Promise<void> {
  try {
    const upload = isFile(request) ? await readUpload(request) : undefined
    const body = upload === undefined ? await readBody(request) : undefined
    const ifMatch = request.headers['if-match']
    const { range } = request.headers
    const answer = await server.answer({
      method: request.method,
      path: request.url,
      client: clientOf(request),
      ...(body === undefined ? {} : { body }),
      ...(upload === undefined ? {} : { upload }),
      ...(ifMatch === undefined ? {} : { ifMatch }),
      ...(range === undefined ? {} : { range }),
    })
    await write(response, answer)
  } catch (error) {
    if (!(error instanceof ConnectionLost) && !(error instanceof ClientLeft)) throw error
    socketOf(request).destroy()
  }
}

/** The connection becomes one of another protocol. */
async function openChannel(
  server: EmbeddedIncus,
  { method = '', url = '' }: IncomingMessage,
  socket: TLSSocket,
): Promise<void> {
  const { raw } = socket.getPeerCertificate() ?? {}
  const client = raw === undefined ? null : fingerprintOf(raw)
  const answer = await server.answer({ method, path: url, client }).catch(() => null)
  if (answer?.channel === undefined) {
    const body = JSON.stringify(answer?.body ?? null)
    socket.end(
      `HTTP/1.1 ${answer?.status ?? 500} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    return
  }
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: sftp\r\nConnection: Upgrade\r\n\r\n')
  pipeline(socket, answer.channel, socket, () => socket.destroy())
}

class ClientLeft extends Error {}

const isFile = ({ headers }: Http2ServerRequest): boolean =>
  headers['content-type'] === 'application/octet-stream'

async function readUpload(request: Http2ServerRequest): Promise<Upload> {
  const { 'x-incus-name': name, 'x-incus-pool': pool } = request.headers
  return { name: String(name ?? ''), pool: String(pool ?? ''), bytes: await readBytes(request) }
}

async function readBytes(request: Http2ServerRequest): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    throw new ClientLeft()
  }
  return Buffer.concat(chunks)
}

async function readBody(request: Http2ServerRequest): Promise<unknown> {
  const text = (await readBytes(request)).toString()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return new Malformed(`invalid character '${text.trim().slice(1, 2)}' looking for beginning of value`)
  }
}

async function write(response: Http2ServerResponse, answer: Answer): Promise<void> {
  answer.channel?.destroy()
  if (answer.file !== undefined) {
    response.writeHead(answer.status, { 'content-length': answer.file.length, ...answer.headers })
    response.end(answer.file)
    return
  }
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    ...answer.headers,
    ...etagOf(answer.tagged),
  })
  if (answer.later !== undefined) flush(response)
  response.end(`${JSON.stringify(answer.later === undefined ? answer.body : await answer.later)}\n`)
}

/** The headers of an answer that is still to come go out at once; HTTP/2 has sent them with `writeHead`. */
function flush(response: unknown): void {
  if (response instanceof ServerResponse) response.flushHeaders()
}

/** Under HTTP/2 the stream's own socket is a stand-in that can't be destroyed. */
const socketOf = (request: Http2ServerRequest): TLSSocket =>
  (request.stream?.session?.socket ?? request.socket) as TLSSocket

const fingerprints = new WeakMap<object, string | null>()

/** The fingerprint of the client's certificate, null without one. */
function clientOf(request: Http2ServerRequest): string | null {
  const connection = request.stream?.session ?? request.socket
  const known = fingerprints.get(connection)
  if (known !== undefined) return known
  const { raw } = socketOf(request).getPeerCertificate() ?? {}
  const fingerprint = raw === undefined ? null : fingerprintOf(raw)
  fingerprints.set(connection, fingerprint)
  return fingerprint
}
