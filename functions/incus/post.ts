/** A signed call of the relay, up to where its answer begins. */
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { whyUnsafe } from './address.ts'
import type { Sign } from './sign.ts'

export type PostOptions = {
  url: string
  /** `send` goes through a private binding. */
  isPrivate?: boolean
  /** A service token of Cloudflare Access, which lets calls pass it. */
  access?: { id: string; secret: string }
  sign: Sign
  send: typeof fetch
  now: () => Date
  /** Set where the invocation ends before the limits of its calls. */
  deadline?: Date | null
}

export type Post = {
  /** `signal`: ends it instead of the limit (in milliseconds), which covers all of the answer. */
  post(path: string, body: string, limit: number, signal?: AbortSignal): Promise<Result<Response, CallError>>
  /** Whether a call without a signature is refused; null: it got no answer. */
  knock(path: string, body: string, limit: number): Promise<boolean | null>
  /** That limit, or what is left until the deadline. */
  timeoutFor(limit: number): number
}

export function createPost(options: PostOptions): Post {
  const { url, isPrivate = false, access, sign, send, now, deadline = null } = options
  const common = {
    'content-type': 'application/json',
    ...(access === undefined
      ? {}
      : { 'CF-Access-Client-Id': access.id, 'CF-Access-Client-Secret': access.secret }),
  }
  const unsafe = whyUnsafe(url, isPrivate)
  const timeoutFor = (limit: number): number =>
    deadline === null ? limit : Math.max(0, Math.min(limit, deadline.getTime() - now().getTime()))
  const post: Post['post'] = async (path, body, limit, signal = AbortSignal.timeout(timeoutFor(limit))) => {
    if (unsafe !== null) return err({ code: 'not-allowed', message: unsafe })
    const target = new URL(path, url).href
    const headers = {
      ...common,
      ...(await sign({ method: 'POST', url: target, body }, now())),
    }
    try {
      const response = await send(target, {
        method: 'POST',
        body,
        headers,
        // The relay never redirects, and another address was not checked.
        redirect: 'manual',
        signal,
      })
      return response.ok ? ok(response) : err(await refusalOf(response))
    } catch (cause) {
      return err(brokenOff(cause))
    }
  }
  const knock: Post['knock'] = async (path, body, limit) => {
    if (unsafe !== null) return null
    try {
      const signal = AbortSignal.timeout(timeoutFor(limit))
      const init = { method: 'POST', body, headers: common, redirect: 'manual', signal } as const
      const { ok: isOpen, status } = await send(new URL(path, url).href, init)
      return isOpen ? false : status < 500 ? true : null
    } catch {
      return null
    }
  }
  return { post, knock, timeoutFor }
}

/** Statuses of a gateway or of Cloudflare: the relay wasn't reached. */
const NOBODY_THERE: ReadonlySet<number> = new Set([503, 521, 522, 523, 525, 526, 530])

async function refusalOf(response: Response): Promise<CallError> {
  const text = await response.text().catch(() => '')
  const said = detailOf(text)
  // The relay itself says what it refuses in a form of its own.
  const isRelays = response.headers.get('content-type')?.startsWith('application/problem+json') === true
  if ((response.status === 401 || response.status === 403) && !isRelays)
    return {
      code: 'not-allowed',
      status: response.status,
      message: `something before the relay refuses the call (${response.status}: ${said}): is RELAY_URL right? For Cloudflare Access, check RELAY_ACCESS_ID and RELAY_ACCESS_SECRET, and that its policy is a "Service Auth"`,
    }
  if (response.status === 401)
    return {
      code: 'not-allowed',
      status: 401,
      message: `the relay refused the signature (${said}): check RELAY_KEY and RELAY_KEY_ID on both sides, and both clocks`,
    }
  if (response.status >= 300 && response.status < 400)
    return {
      code: 'bad-request',
      status: response.status,
      message: `something before the relay redirects to another address (${response.status}); nothing was sent there: is RELAY_URL right, and does a login page protect it? For Cloudflare Access, set RELAY_ACCESS_ID and RELAY_ACCESS_SECRET`,
    }
  if (NOBODY_THERE.has(response.status))
    return {
      code: 'unreachable',
      status: response.status,
      message: `the relay can't be reached (${response.status}: ${said})`,
    }
  // A gateway also says so when the answer broke off or came too late: the call may have arrived.
  if (response.status >= 500)
    return {
      code: 'timeout',
      status: response.status,
      message: `no answer from the relay (${response.status}: ${said}); is it running, and is RELAY_URL right?`,
    }
  return {
    code: 'bad-request',
    status: response.status,
    message: `the relay refused the call (${response.status}: ${said})${response.status === 400 ? '; are relay and Worker of the same version?' : ''}`,
  }
}

function detailOf(text: string): string {
  try {
    const { detail, title } = JSON.parse(text) as Record<string, unknown>
    return String(detail ?? title ?? text).slice(0, 200)
  } catch {
    return text.slice(0, 200)
  }
}

/** Whether it arrived is unknown; the next observation shows it. */
export const brokenOff = (cause: unknown): CallError => {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.+$/, '')
  return {
    code: 'timeout',
    message: `no answer from the relay: ${reason}; is it running, and is RELAY_URL right?`,
  }
}
