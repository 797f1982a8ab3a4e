/** The endpoints of the chat platforms. No request is answered by a server error. */
import type { Context, Hono } from 'hono'
import type { PlatformName } from '../../shared/chat/actor.ts'
import { failedMessage } from '../../shared/chat/mistake-message.ts'
import { limitBody } from '../api/body.ts'
import { answerProblem } from '../api/problem.ts'
import { type App, missingOf } from '../env.ts'
import { ioOf } from '../io.ts'
import { say } from './authorized.ts'
import { type Chat, send } from './chat.ts'
import { NEEDED, platformsOf } from './configure.ts'
import { confirmationsOf } from './confirmations.ts'
import { handle } from './handle.ts'
import type { Answer, Incoming, Platform } from './platform.ts'

/** In bytes. Discord's interactions carry all users and roles that they mention. */
const LONGEST = 256 * 1024

/** Milliseconds. An invocation lives for 30 s after its answer, so there is time to report that the relay timed out. */
const TIMEOUT = 20_000

const ROUTES: readonly [path: string, platform: PlatformName][] = [
  ['/chat/slack', 'slack'],
  ['/chat/discord', 'discord'],
  ['/chat/mattermost', 'mattermost'],
  ['/chat/mattermost/press', 'mattermost'],
]

export function mountChat(app: Hono<App>, now: () => Date): void {
  for (const [path, name] of ROUTES)
    app.post(path, limitBody(LONGEST), async (context) => {
      const platform = open(context, name)
      return platform instanceof Response ? platform : answer(context, platform, now)
    })
}

/** Answered without checking a signature, so it says nothing that isn't in the README. */
function open(context: Context<App>, name: PlatformName): Platform | Response {
  const missing = missingOf(context.env)
  const detail = `set ${[...NEEDED[name], ...missing].join(', ')}: see "Chat" in the README`
  const absent = () => answerProblem(context, { status: 404, title: `${name} is not set up`, detail })
  if (missing.length > 0) return absent()
  return platformsOf(context.env)[name] ?? absent()
}

async function answer(context: Context<App>, platform: Platform, now: () => Date): Promise<Response> {
  const request = { headers: context.req.raw.headers, body: await context.req.text() }
  const received = await platform.receive(request, now())
  if (!received.ok) {
    const { status, reason } = received.error
    console.warn(JSON.stringify({ at: 'chat', platform: platform.name, status, reason }))
    return answerProblem(context, { status, title: 'Not taken', detail: 'see the logs of the Worker' })
  }
  const chat: Chat = {
    platform,
    confirmations: await confirmationsOf(context.env.RELAY_KEY),
    kv: context.env.STATE,
    io: await ioOf(context.env, now, new Date(now().getTime() + TIMEOUT)),
    now,
    origin: new URL(context.req.url).origin,
    send,
    after: (work) => context.executionCtx.waitUntil(work),
  }
  return respond(await handleSafely(received.value, chat))
}

/** A bug is reported to the actor in chat, and in the log. */
async function handleSafely(incoming: Incoming, chat: Chat): Promise<Answer> {
  try {
    return await handle(incoming, chat)
  } catch (cause) {
    console.error(JSON.stringify({ at: 'chat', platform: chat.platform.name, error: String(cause) }))
    if (incoming.kind === 'ping') return chat.platform.pong()
    if (incoming.kind === 'complete') return chat.platform.choose([])
    return say(failedMessage(), incoming, chat)
  }
}

const respond = ({ status, body }: Answer): Response =>
  new Response(body === null ? null : JSON.stringify(body), {
    status,
    headers: body === null ? {} : { 'content-type': 'application/json' },
  })
