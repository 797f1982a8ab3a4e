/**
 * One call to a remote that has several URLs, the members of a cluster. The next one is tried if the first
 * gives no answer, but only if nothing can be done twice by that.
 */
import type { IncusRequest } from '../shared/incus/routes.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import type { Reply } from './engine/upstream.ts'
import type { UrlOrder } from './url-order.ts'

export type Attempt = { url: string; send(timeout: number): Promise<Reply> }

/** `timeout` in milliseconds covers all attempts. */
export async function failover(
  attempts: readonly Attempt[],
  urlOrder: UrlOrder,
  request: IncusRequest,
  timeout: number,
  log: (line: string) => void,
): Promise<Reply> {
  const deadline = Date.now() + timeout
  const failures: { url: string; error: CallError }[] = []
  const order = urlOrder.order(isBrief(request))
  for (const [tries, place] of order.entries()) {
    const attempt = attempts[place]
    if (attempt === undefined) continue
    const left = Math.max(0, deadline - Date.now())
    const isLast = tries === order.length - 1
    const reply = await attempt.send(isLast || !isBrief(request) ? left : Math.min(left, timeout / 3))
    const next = isLast ? null : reasonToGoOn(reply, request)
    if (reply.ok && next === null) {
      urlOrder.answered(place)
      return reply
    }
    if (!reply.ok) failures.push({ url: attempt.url, error: reply.error })
    urlOrder.failed(place)
    if (next === null) break
    log(`${attempt.url} is skipped for a while: ${next}`)
  }
  return { ok: false, error: together(failures) }
}

/** It reads and is answered at once, other than a `/wait`. */
const isBrief = ({ method, path }: IncusRequest): boolean => method === 'GET' && !/\/wait(\?|$)/.test(path)

/**
 * Why the next URL may be tried, or null. A request that was sent and not answered may have been performed, so
 * only one that reads is sent again.
 */
function reasonToGoOn(reply: Reply, request: IncusRequest): string | null {
  if (!reply.ok) {
    const { code, message } = reply.error
    const nothingSent = code === 'unreachable' || code === 'certificate'
    return nothingSent || isBrief(request) ? message : null
  }
  const isLeaving = reply.status === 503 && isBrief(request)
  return isLeaving ? 'it is starting or shutting down' : null
}

/** The first failure whose request may have been performed; if none was sent, a message that names all. */
function together(failures: readonly { url: string; error: CallError }[]): CallError {
  const [first] = failures
  const serious = failures.find(({ error }) => error.code !== 'unreachable' && error.code !== 'certificate')
  const decisive = serious ?? failures.find(({ error }) => error.code === 'unreachable') ?? first
  if (decisive === undefined) return { code: 'unreachable', message: 'the remote has no url' }
  const message = failures.map(({ error }) => error.message).join('; ')
  return { ...decisive.error, message }
}
