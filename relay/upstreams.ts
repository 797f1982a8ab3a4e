/** The connections to Incus: one keep-alive pool per URL of a remote, with the client's certificate. */
import type { X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { type Dispatcher, Pool } from 'undici'
import type { IncusRequest } from '../shared/incus/routes.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { Gathering, type Held, LONGEST } from './answer.ts'
import { createBridge } from './bridge/bridge.ts'
import { badReply } from './engine/call.ts'
import { unknownRemote } from './engine/call-list.ts'
import type { EngineRemote, Reply, Upstream } from './engine/upstream.ts'
import { Exchange } from './exchange.ts'
import { type Attempt, failover } from './failover.ts'
import { fetchFile } from './fetch-file.ts'
import { openChannel } from './open-channel.ts'
import { type ClientCertificate, createPinnedConnector } from './pinning.ts'
import { uploadFile } from './upload-file.ts'
import { createUrlOrder, type UrlOrder } from './url-order.ts'

/** `fingerprint`: sha256 of the server certificate's DER, lower-case hex; any of these. */
export type RemoteConfig = EngineRemote & {
  url: string
  fingerprint: string | readonly string[]
  /** Other members of the same cluster, tried in this order when that one gives no answer. */
  spare?: readonly { url: string; address: string }[]
}

export type Upstreams = Required<Upstream> & {
  close(): Promise<void>
}

type Member = { url: string; address: string; pool: Pool }
type OnSeen = (certificate: X509Certificate) => void
type Connected = { members: Member[]; urlOrder: UrlOrder; held: Held }

/** Each `/wait` holds a connection: those of a full limiter and of the copies, and some to spare. */
const CONNECTIONS = 64
/** Incus closes idle connections after 30 s; ours are closed before. */
const KEEP_ALIVE = 20_000

export function createUpstreams(
  remotes: Record<string, RemoteConfig>,
  client: ClientCertificate,
  log: (line: string) => void = () => {},
  onSeen: (remote: string, certificate: X509Certificate) => void = () => {},
): Upstreams {
  const connected = new Map(
    Object.entries(remotes).map(([name, remote]) => [
      name,
      connect(remote, client, (certificate) => onSeen(name, certificate)),
    ]),
  )
  const closing = new AbortController()
  const channels = new Set<Duplex>()
  return {
    async connect(remote, request) {
      const found = connected.get(remote)
      const [member] = found === undefined ? [] : placed(found)
      if (found === undefined || member === undefined)
        return { ok: false, error: unknownRemote(remote, remotes) }
      const label = { remote, at: found.members.length === 1 ? null : member.url }
      const opened = await openChannel(member.pool, label, request)
      if (!opened.ok) return opened
      // It is none of the pool's any more.
      const { value: channel } = opened
      channels.add(channel)
      channel.once('close', () => channels.delete(channel))
      return opened
    },
    async request(remote, request, { timeout }) {
      const found = connected.get(remote)
      if (found === undefined) return { ok: false, error: unknownRemote(remote, remotes) }
      const { members, urlOrder, held } = found
      const attempts = members.map(({ pool, url, address }): Attempt => {
        const label = { remote, at: members.length === 1 ? null : url }
        return {
          url,
          send: async (limit) => withAddress(await send(pool, label, request, limit, held), address),
        }
      })
      return failover(attempts, urlOrder, request, timeout, (line) => log(`${remote}: ${line}`))
    },
    async fetch(remote, request, from) {
      const found = connected.get(remote)
      if (found === undefined) return { ok: false, error: unknownRemote(remote, remotes) }
      const { members, urlOrder } = found
      const errors: CallError[] = []
      for (const place of urlOrder.order(true)) {
        const member = members[place]
        if (member === undefined) continue
        const label = { remote, at: members.length === 1 ? null : member.url }
        const sent = await fetchFile(member.pool, label, request, from)
        if (sent.ok || sent.error.code === 'incus') return sent
        errors.push(sent.error)
      }
      const [error = unknownRemote(remote, remotes)] = errors
      return { ok: false, error }
    },
    async upload(remote, request, sent) {
      const found = connected.get(remote)
      const [member] = placed(found)
      if (found === undefined || member === undefined)
        return { ok: false, error: unknownRemote(remote, remotes) }
      const { pool, url, address } = member
      const label = { remote, at: found.members.length === 1 ? null : url }
      return withAddress(await uploadFile(pool, label, request, sent), address)
    },
    bridge: createBridge({
      members: (remote) =>
        placed(connected.get(remote)).map(({ pool, url }, _, all) => ({
          pool,
          at: all.length === 1 ? null : url,
        })),
      closing: closing.signal,
    }),
    async close() {
      closing.abort()
      for (const channel of channels) channel.destroy()
      const pools = [...connected.values()].flatMap(({ members }) => members.map(({ pool }) => pool))
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}

/** Those that answered before come first. */
const placed = (found: Connected | undefined): Member[] =>
  found?.urlOrder.order(true).flatMap((place) => found.members[place] ?? []) ?? []

function connect(
  { url, address, fingerprint, spare = [] }: RemoteConfig,
  client: ClientCertificate,
  onSeen: OnSeen,
): Connected {
  const pins = typeof fingerprint === 'string' ? [fingerprint] : fingerprint
  const members = [{ url, address }, ...spare].map((member) => ({
    ...member,
    pool: createPool(member.url, client, pins, onSeen),
  }))
  return { members, urlOrder: createUrlOrder(members.length, Date.now), held: { bytes: 0 } }
}

/** Its own timeouts are off: `/wait` sends headers at once and its body in hours. */
const createPool = (
  url: string,
  client: ClientCertificate,
  fingerprints: readonly string[],
  onSeen: OnSeen,
): Pool =>
  new Pool(new URL(url).origin, {
    connect: createPinnedConnector(client, fingerprints, onSeen),
    connections: CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE,
    headersTimeout: 0,
    bodyTimeout: 0,
  })

const withAddress = (reply: Reply, address: string): Reply => (reply.ok ? { ...reply, address } : reply)

function send(
  pool: Dispatcher,
  label: { remote: string; at: string | null },
  request: IncusRequest,
  timeout: number,
  held: Held,
): Promise<Reply> {
  const { method, path } = request
  const body = request.body === undefined ? null : JSON.stringify(request.body)
  const headers = {
    ...(body === null ? {} : { 'content-type': 'application/json' }),
    ...(request.ifMatch === undefined ? {} : { 'if-match': request.ifMatch }),
  }
  const gathering = new Gathering(isList(path) ? LONGEST.list : LONGEST.other, held)
  return new Promise((resolve) => {
    pool.dispatch({ method, path, headers, body }, new Collecting(label, timeout, gathering, resolve))
  })
}

const isList = (path: string): boolean => /[?&]recursion=/.test(path)

/** Incus sends none of these. */
const MOST_INTERIM = 16

/** Gathers a whole answer. */
class Collecting extends Exchange {
  private readonly gathering: Gathering
  private interim = 0
  private readonly resolve: (reply: Reply) => void
  private status = 0
  private date: string | string[] | undefined
  private etag: string | string[] | undefined

  constructor(
    { remote, at }: { remote: string; at: string | null },
    timeout: number,
    gathering: Gathering,
    resolve: (reply: Reply) => void,
  ) {
    super(remote, timeout, at)
    this.gathering = gathering
    this.resolve = resolve
  }

  override onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.status = status
    this.date = headers.date
    this.etag = headers.etag
    if (status < 200 && ++this.interim > MOST_INTERIM) this.refuse('it announces itself without an end')
  }

  override onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const wrong = this.gathering.add(chunk)
    if (wrong !== null) this.refuse(wrong)
  }

  protected override ended(): void {
    const reply = parseReply(this.remote, this.status, this.gathering.take(), String(this.date))
    this.resolve(reply.ok && typeof this.etag === 'string' ? { ...reply, etag: this.etag } : reply)
  }

  protected override failed(error: CallError): void {
    this.gathering.drop()
    this.resolve({ ok: false, error })
  }

  /** No more of it is read, and the connection is closed. */
  private refuse(why: string): void {
    this.abandon(new Error(why), badReply(this.remote, this.status, why))
  }
}

function parseReply(remote: string, status: number, text: string, said: string): Reply {
  const date = Date.parse(said)
  try {
    const body: unknown = JSON.parse(text)
    return { ok: true, status, body, ...(Number.isNaN(date) ? {} : { date }) }
  } catch {
    return { ok: false, error: badReply(remote, status, 'it is not JSON') }
  }
}
