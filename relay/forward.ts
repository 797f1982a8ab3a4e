/** Hands one allowed request on to Incus, and the answer back as it comes. */
import type { ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Match } from '../shared/incus/routes.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { isNotAuthorized, untrusted } from './engine/call.ts'
import { Exchange } from './exchange.ts'
import { callProblem, sendProblem } from './problem.ts'

type Forwarded = { remote: string; method: string; path: string; match: Match; body: Buffer }

/** To the first of the remote's pools; to the next where nothing could be sent. */
export function forward(pools: readonly Dispatcher[], request: Forwarded, response: ServerResponse): void {
  const [pool, ...others] = pools
  const { method, path, body } = request
  const headers = body.length === 0 ? NO_HEADERS : JSON_HEADERS
  const options = { method, path, headers, body: body.length === 0 ? null : body }
  const next = others.length === 0 ? null : () => forward(others, request, response)
  pool?.dispatch(options, new Forwarding(request, response, next))
}

const NO_HEADERS = {}
const JSON_HEADERS = { 'content-type': 'application/json' }

/** Hop-by-hop headers, which aren't forwarded (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

class Forwarding extends Exchange {
  private readonly request: Forwarded
  private readonly response: ServerResponse
  private readonly next: (() => void) | null
  private status = 0
  private headers: Headers = {}
  /** The latest chunk is held until the next: most answers have only one, and are sent in a single write. */
  private held: Buffer | null = null

  constructor(request: Forwarded, response: ServerResponse, next: (() => void) | null) {
    super(request.remote, timeoutOf(request.match))
    this.request = request
    this.next = next
    this.response = response
    response.on('close', () => this.clientLeft())
  }

  override onResponseStart(_controller: Controller, status: number, headers: Headers): void {
    this.status = status
    this.headers = headers
    if (this.request.match.name !== 'waitOperation' || status === 403) return
    this.begin()
    this.response.flushHeaders()
  }

  override onResponseData(controller: Controller, chunk: Buffer): void {
    const { held, response } = this
    // An error is buffered whole: it may be about the relay's certificate, not the caller's request.
    if (held !== null && this.status === 403) this.held = Buffer.concat([held, chunk])
    else {
      this.held = chunk
      if (held === null || response.destroyed) return
      this.begin()
      if (response.write(held)) return
      controller.pause()
      response.once('drain', () => controller.resume())
    }
  }

  protected override ended(): void {
    const { held, response, remote } = this
    if (response.destroyed) return
    if (this.status === 403 && isNotAuthorized(String(held))) {
      sendProblem(response, callProblem(untrusted(remote)))
      return
    }
    this.begin(held?.length ?? 0)
    // As latin1 text, so that headers and body are sent in one write.
    response.end(held?.toString('latin1') ?? '', 'latin1')
  }

  /** `length`: of the body, where it is known before it is sent. */
  private begin(length?: number): void {
    if (this.response.headersSent) return
    const headers = endToEnd(this.headers)
    if (length !== undefined) headers['content-length'] = String(length)
    this.response.writeHead(this.status, headers)
  }

  protected override failed(error: CallError): void {
    const nothingSent = error.code === 'unreachable' || error.code === 'certificate'
    if (this.next !== null && nothingSent && !this.response.destroyed) this.next()
    else if (!this.response.destroyed) sendProblem(this.response, callProblem(error))
  }

  /** A request that only reads is aborted; one that may already have an effect runs to its end. */
  private clientLeft(): void {
    if (this.request.method === 'GET' && !this.response.writableFinished) {
      this.abandon(new Error('the client left'))
    }
  }
}

const TIMEOUT = 60_000
const LONGEST_WAIT = 600

/** A `/wait` may take its own timeout on top of that of any call. */
function timeoutOf({ name, query }: Match): number {
  if (name !== 'waitOperation') return TIMEOUT
  const seconds = Number(query.timeout ?? -1)
  return TIMEOUT + (seconds >= 0 ? Math.min(seconds, LONGEST_WAIT) : LONGEST_WAIT) * 1000
}

type Controller = Dispatcher.DispatchController
type Headers = Record<string, string | string[] | undefined>

function endToEnd(headers: Headers): Record<string, string | string[]> {
  const kept = Object.entries(headers).flatMap(([name, value]): [string, string | string[]][] =>
    value === undefined || HOP_BY_HOP.has(name) ? [] : [[name, value]],
  )
  return Object.fromEntries(kept)
}
