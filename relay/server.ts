/** The relay's HTTP server: first the signature, then the body, then the call. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Authenticate, hasDigest } from './authenticate.ts'
import { hasBody, MAX_BODY, readBody } from './body.ts'
import { findCall, type Services } from './calls.ts'
import type { Meter } from './metrics/meter.ts'
import type { Scrape } from './metrics/scrape.ts'
import { type Problem, refusalProblem, sendProblem } from './problem.ts'

type ServerOptions = Services & {
  authenticate: Authenticate
  /** Resolves when the clock shows that second; with false when the relay stops before. */
  reach(second: number): Promise<boolean>
  /** Answers who has the token for it; absent: there are no metrics. */
  scrape?: Scrape
  meter?: Meter
}

/** Limits on how long a request may take to arrive; an answer may take longer. */
export const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16 * 1024,
}

export function createRelayServer(options: ServerOptions, limits = LIMITS): Server {
  return createServer(limits, (message, response) => {
    handle(message, response, options).catch((error: unknown) => {
      if (isGone(message, error)) return
      options.log(`error: ${oneLine(error instanceof Error ? (error.stack ?? error.message) : error)}`)
      sendProblem(response, INTERNAL)
    })
  })
}

/** The client left before all of its request was read, or sent something behind it that is no request. */
const isGone = (message: IncomingMessage, error: unknown): boolean =>
  message.destroyed &&
  (!message.complete || (error instanceof Error && 'code' in error && error.code === 'ECONNRESET'))

async function handle(
  message: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  if (message.method === 'GET' && HEALTH.includes(message.url ?? '')) return sendHealth(response)
  if (message.method === 'GET' && message.url === '/metrics' && options.scrape !== undefined)
    return options.scrape(message, response)
  const caller = await options.authenticate(message)
  if (!caller.ok) {
    options.log(`refused ${describe(message)}: ${caller.error.code}, ${oneLine(caller.error.reason)}`)
    options.meter?.add('stapes_relay_refused_requests', { code: caller.error.code })
    return sendEarly(message, response, refusalProblem(caller.error))
  }
  const call = findCall(message, options)
  if (call === null) return sendEarly(message, response, UNKNOWN_CALL)
  const body = await readBody(message)
  if (body === null) return sendEarly(message, response, TOO_LONG)
  if (!hasDigest(body, caller.value.digest)) {
    options.log(
      `refused ${describe(message)}: the body isn't the one that key "${caller.value.keyid}" signed`,
    )
    return sendProblem(response, refusalProblem({ code: 'bad-signature', reason: '' }))
  }
  // Not before the second in which it says it was signed. So what one run of the relay performs was signed before
  // the next run's start, which refuses it: else what is signed ahead could be replayed there.
  if (!(await options.reach(caller.value.created))) {
    response.shouldKeepAlive = false
    return sendProblem(response, STOPPING)
  }
  const began = performance.now()
  await call(body, response, caller.value.keyid)
  const labels = { call: (message.url ?? '').slice('/v1/'.length) }
  options.meter?.time('stapes_relay_request_duration_seconds', labels, performance.now() - began)
}

/** Before the body was read: the connection can't be used again. */
function sendEarly(message: IncomingMessage, response: ServerResponse, problem: Problem): void {
  if (hasBody(message)) response.shouldKeepAlive = false
  sendProblem(response, problem)
}

/** Both tell nothing but that the relay runs. */
const HEALTH = ['/healthz', '/v1/health']

function sendHealth(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end('{"ok":true}')
}

/** These come from unauthenticated callers: no line breaks or other control characters in the log. */
const describe = ({ method, url, socket }: IncomingMessage): string =>
  `${oneLine(method)} ${oneLine(url)} from ${socket.remoteAddress}`

const oneLine = (value: unknown): string => JSON.stringify(String(value)).slice(1, -1).slice(0, 2000)

const UNKNOWN_CALL: Problem = { status: 404, code: 'unknown-call', detail: 'the relay has no such call' }
const STOPPING: Problem = { status: 503, code: 'stopping', detail: 'the relay stops; nothing was done' }
const TOO_LONG: Problem = {
  status: 413,
  code: 'too-long',
  detail: `a body may have ${MAX_BODY} bytes; split the batch`,
}
const INTERNAL: Problem = {
  status: 500,
  code: 'internal',
  detail: 'a bug in the relay; its log has the trace',
}
