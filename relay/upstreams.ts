/** The connections to Incus: one keep-alive pool per remote, with the client's certificate. */
import { type Dispatcher, Pool } from 'undici'
import type { IncusRequest } from '../shared/incus/routes.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { badReply } from './engine/call.ts'
import { unknownRemote } from './engine/job.ts'
import type { EngineRemote, Reply, Upstream } from './engine/upstream.ts'
import { Exchange } from './exchange.ts'
import { type ClientCertificate, createPinnedConnector } from './pinning.ts'

/** `fingerprint`: sha256 of the server certificate's DER, lower-case hex. */
export type RemoteConfig = EngineRemote & { url: string; fingerprint: string }

export type Upstreams = Upstream & {
  /** The pool of a remote, for forwarding. */
  pool(remote: string): Dispatcher | undefined
  close(): Promise<void>
}

/** Waits hold a connection each: those of a full limiter and of the copies, and some to spare. */
const CONNECTIONS = 64
/** Incus closes idle connections after 30 s; a request must not meet that moment. */
const KEEP_ALIVE = 20_000

export function createUpstreams(remotes: Record<string, RemoteConfig>, client: ClientCertificate): Upstreams {
  const pools = new Map(
    Object.entries(remotes).map(([name, { url, fingerprint }]) => [
      name,
      createPool(url, client, fingerprint),
    ]),
  )
  return {
    pool: (remote) => pools.get(remote),
    async request(remote, request, { timeout }) {
      const pool = pools.get(remote)
      if (pool === undefined) return { ok: false, error: unknownRemote(remote, remotes) }
      return send(pool, remote, request, timeout)
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}

/** Its own timeouts are off: `/wait` sends headers at once and its body in hours. */
const createPool = (url: string, client: ClientCertificate, fingerprint: string): Pool =>
  new Pool(new URL(url).origin, {
    connect: createPinnedConnector(client, fingerprint),
    connections: CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE,
    headersTimeout: 0,
    bodyTimeout: 0,
  })

function send(pool: Dispatcher, remote: string, request: IncusRequest, timeout: number): Promise<Reply> {
  const { method, path } = request
  const body = request.body === undefined ? null : JSON.stringify(request.body)
  const headers = body === null ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve) => {
    pool.dispatch({ method, path, headers, body }, new Collecting(remote, timeout, resolve))
  })
}

/** Gathers a whole answer. */
class Collecting extends Exchange {
  private readonly chunks: Buffer[] = []
  private readonly resolve: (reply: Reply) => void
  private status = 0

  constructor(remote: string, timeout: number, resolve: (reply: Reply) => void) {
    super(remote, timeout)
    this.resolve = resolve
  }

  override onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status
  }

  override onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk)
  }

  protected override ended(): void {
    this.resolve(parseReply(this.remote, this.status, Buffer.concat(this.chunks)))
  }

  protected override failed(error: CallError): void {
    this.resolve({ ok: false, error })
  }
}

function parseReply(remote: string, status: number, bytes: Buffer): Reply {
  try {
    return { ok: true, status, body: JSON.parse(bytes.toString()) }
  } catch {
    return { ok: false, error: badReply(remote, status, 'it is no JSON') }
  }
}
