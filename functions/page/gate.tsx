/** Who may see the page: whoever has a session, or passed Cloudflare Access. */
import type { Context, MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { timingSafeEqual } from 'hono/utils/buffer'
import { type App, missingOf } from '../env.ts'
import { ioOf } from '../io.ts'
import { withReadsOnce } from '../state/once.ts'
import { ACCESS_HEADER, checkAccess, type Passage } from './access.ts'
import { createAttempts } from './attempts.ts'
import { document } from './document.ts'
import { isSession, issueSession, LIFE } from './session.ts'
import { Again, SignIn, Trouble } from './sign-in.tsx'

type Handler = MiddlewareHandler<App>

const isSecure = (context: Context<App>): boolean => new URL(context.req.url).protocol === 'https:'

/** Browsers take a `__Host-` cookie only from this very host, over https. */
const nameOf = (context: Context<App>): string => (isSecure(context) ? '__Host-stapes' : 'stapes')

const cookieOf = (context: Context<App>) =>
  ({ path: '/', httpOnly: true, secure: isSecure(context), sameSite: 'Strict' }) as const

/**
 * Whether a page of ours sent the form. Browsers say so themselves; older ones, and those that don't trust a plain
 * http:// address, only give the origin.
 */
function isOwnForm({ req }: Context<App>): boolean {
  const site = req.header('sec-fetch-site')
  return site === undefined ? req.header('origin') === new URL(req.url).origin : site === 'same-origin'
}

/** The forms of the page, and nobody else's, whether signed in or not. */
export const createFormGate = (now: () => Date): Handler => {
  return async (context, next) => {
    if (context.req.method === 'GET' || isOwnForm(context)) return next()
    const text =
      'The form was sent from another site, by an old browser, or by a script. Open the page and try again; scripts send the token with each request to /api, in the header Authorization: Bearer.'
    return context.html(document(<Trouble title="Refused" text={text} now={now()} />), 403)
  }
}

export const createSetUpGate = (now: () => Date): Handler => {
  return async (context, next) => {
    const missing = missingOf(context.env)
    if (missing.length === 0) return next()
    const text = `Set ${missing.join(', ')}: see “Connect a real server” in the README.`
    return context.html(document(<Trouble title="Not set up" text={text} now={now()} />), 503)
  }
}

export const createGate = (now: () => Date): Handler => {
  return async (context, next) => {
    const { req, env } = context
    const passage = await checkAccess(req.header(ACCESS_HEADER), env, now())
    const cookie = getCookie(context, nameOf(context)) ?? ''
    if (passage === 'passed' || (await isSession(cookie, env, now()))) {
      context.set('io', withReadsOnce(await ioOf(env, now)))
      return next()
    }
    const { pathname, search } = new URL(req.url)
    const to = ownPath(`${pathname}${search}`)
    // The cookie stays behind where another site's link led here.
    if (req.method === 'GET' && req.header('sec-fetch-site') === 'cross-site')
      return context.html(document(<Again to={to} />))
    return refuse(context, { to, problem: problemOf(passage), now: now() })
  }
}

const problemOf = (passage: Passage): string | null =>
  passage === 'refused'
    ? 'Cloudflare Access sent a token that could not be verified. Compare ACCESS_TEAM and ACCESS_AUD with its application, see the Worker’s log, or sign in here.'
    : null

function refuse(
  context: Context<App>,
  shown: Parameters<typeof SignIn>[0],
  status: 401 | 429 = 401,
): Response {
  context.header('WWW-Authenticate', 'Bearer realm="stapes"')
  return context.html(document(<SignIn {...shown} />), status) as Response
}

/** A path of ours, for redirects: anything else becomes the first screen. */
const ownPath = (path: string): string => (/^\/(?![/\\])[\x21-\x7e]*$/.test(path) ? path : '/')

/** `POST /sign-in`. */
export function createSignIn(now: () => Date): (context: Context<App>) => Promise<Response> {
  const attempts = createAttempts()
  return async (context) => {
    const form = new URLSearchParams(await context.req.text())
    const to = ownPath(form.get('to') ?? '/')
    const address = context.req.header('cf-connecting-ip') ?? ''
    if (attempts.isBlocked(address, now())) {
      const problem = 'Too many wrong tokens came from your address. Wait a minute, then try again.'
      return refuse(context, { to, problem, now: now() }, 429)
    }
    if (!(await timingSafeEqual(form.get('token')?.trim() ?? '', context.env.STAPES_TOKEN))) {
      attempts.noteWrong(address, now())
      const problem = 'That is not the token. It is the one that the API takes, STAPES_TOKEN.'
      return refuse(context, { to, problem, now: now() })
    }
    const session = await issueSession(context.env, now())
    setCookie(context, nameOf(context), session, { ...cookieOf(context), maxAge: LIFE })
    return context.redirect(to, 303)
  }
}

/** `POST /sign-out`. */
export function signOut(context: Context<App>): Response {
  deleteCookie(context, nameOf(context), cookieOf(context))
  return context.redirect('/', 303)
}
