/**
 * Discord's side of the conversation, strict: it knows its interactions and when they began, takes their
 * first reply and the edits after it, and keeps what a person would see. Whatever Discord would refuse is
 * refused, and noted in `violations`.
 */
import type * as z from 'zod/mini'
import { err, ok, type Result } from '../../shared/result.ts'
import { type Body, edit, post, replies } from './discord-body.ts'
import type { Interaction } from './discord-request.ts'

type Shown = {
  id: string
  to: 'caller' | 'channel'
  /** null: Discord shows that the application is thinking. */
  content: string | null
  details: string | null
  buttons: { label: string; token: string; danger: boolean }[]
}

export type DiscordEndpoint = {
  /** A person has done something: the interaction is on its way, and its time runs. */
  begin(interaction: Interaction): void
  /** What the HTTP answer to the interaction was. */
  reply(token: string, answer: { status: number; body: unknown }): void
  handle(request: Request): Promise<Response>
  /** Oldest first. */
  shown(): Shown[]
  violations: string[]
}

const FIRST_REPLY = 3_000
const LIFETIME = 15 * 60_000
/** So many requests within so many milliseconds, to one address. */
const RATE = { requests: 5, within: 2_000 }

type Begun = {
  at: number
  type: Interaction['type']
  /** The message that the button stands in. */
  pressed: string | null
  state: 'open' | 'answered' | 'dead'
  /** What `@original` names. */
  original: string | null
}

export function createDiscordEndpoint({
  applicationId,
  channelUrl,
  now,
}: {
  applicationId: string
  channelUrl: string
  now(): Date
}): DiscordEndpoint {
  const begun = new Map<string, Begun>()
  const messages = new Map<string, Shown>()
  const requests = new Map<string, number[]>()
  const violations: string[] = []

  const refuse = (status: number, message: string): Response => {
    violations.push(message)
    return Response.json({ message }, { status })
  }

  const place = (to: Shown['to'], body: Body | null): string => {
    const id = String(4700000000000000001n + BigInt(messages.size))
    messages.set(id, { id, to, ...read(body) })
    return id
  }

  const replace = (id: string | null, body: Body): Response => {
    const message = id === null ? undefined : messages.get(id)
    if (message === undefined) return refuse(404, 'there is no such message to edit')
    messages.set(message.id, { ...message, ...read(body) })
    return Response.json({ id })
  }

  const take = (of: Begun, reply: Reply): void => {
    if (reply.type === 4) of.original = place(sightOf(reply.data.flags), reply.data)
    if (reply.type === 5) of.original = place(sightOf(reply.data?.flags), null)
    if (reply.type === 6 || reply.type === 7) of.original = of.pressed
    if (reply.type === 7) replace(of.original, reply.data)
  }

  const tooMany = (address: string): boolean => {
    const at = now().getTime()
    const recent = (requests.get(address) ?? []).filter((one) => at - one < RATE.within)
    requests.set(address, [...recent, at])
    return recent.length >= RATE.requests
  }

  const editOriginal = (application: string, token: string, body: unknown): Response => {
    const of = begun.get(token)
    if (application !== applicationId || of === undefined) return refuse(404, 'unknown webhook')
    if (of.state === 'dead') return refuse(404, 'the first reply came too late: the token is dead')
    if (of.state === 'open') return refuse(404, 'an edit came before the first reply')
    if (now().getTime() - of.at > LIFETIME) return refuse(401, 'the token is older than 15 minutes')
    const parsed = edit.safeParse(body)
    return parsed.success ? replace(of.original, parsed.data) : refuse(400, `edit: ${issuesOf(parsed.error)}`)
  }

  const postToChannel = (body: unknown): Response => {
    const parsed = post.safeParse(body)
    if (!parsed.success) return refuse(400, `post: ${issuesOf(parsed.error)}`)
    return Response.json({ id: place('channel', { ...parsed.data, components: [] }) })
  }

  return {
    violations,
    shown: () => [...messages.values()],
    begin({ token, type, message }) {
      begun.set(token, {
        at: now().getTime(),
        type,
        pressed: message?.id ?? null,
        state: 'open',
        original: null,
      })
    },
    reply(token, answer) {
      const of = begun.get(token)
      if (of?.state !== 'open') {
        violations.push('a first reply to an interaction that waits for none')
        return
      }
      const reply = readReply(answer, of, now())
      of.state = reply.ok ? 'answered' : 'dead'
      if (!reply.ok) violations.push(reply.error)
      else take(of, reply.value)
    },
    async handle(request) {
      const { origin, pathname, searchParams } = new URL(request.url)
      if (request.headers.get('content-type') !== 'application/json')
        return refuse(400, 'not JSON by its type')
      if (tooMany(pathname)) return refuse(429, 'more than 5 requests in 2 seconds')
      const body: unknown = await request.json().catch(() => undefined)
      if (body === undefined) return refuse(400, 'not JSON')
      const [, application, token] =
        /^\/api\/v10\/webhooks\/(\d+)\/([^/]+)\/messages\/@original$/.exec(pathname) ?? []
      if (request.method === 'PATCH' && application !== undefined && token !== undefined)
        return editOriginal(application, token, body)
      const isChannel = `${origin}${pathname}` === channelUrl && searchParams.get('wait') === 'true'
      return request.method === 'POST' && isChannel
        ? postToChannel(body)
        : refuse(404, 'there is nothing here')
    },
  }
}

type Reply = z.infer<(typeof replies)[Interaction['type']]>

function readReply(
  { status, body }: { status: number; body: unknown },
  of: Begun,
  now: Date,
): Result<Reply, string> {
  if (now.getTime() - of.at > FIRST_REPLY) return err('the first reply took more than 3 seconds')
  if (status !== 200) return err(`the first reply has the status ${status}`)
  const parsed = replies[of.type].safeParse(body)
  return parsed.success ? ok(parsed.data) : err(`first reply: ${issuesOf(parsed.error)}`)
}

const sightOf = (flags: 64 | undefined): Shown['to'] => (flags === 64 ? 'caller' : 'channel')

function read(body: Body | null): Pick<Shown, 'content' | 'details' | 'buttons'> {
  if (body === null) return { content: null, details: null, buttons: [] }
  const buttons = body.components.flatMap(({ components }) => components)
  return {
    content: body.content,
    details: body.embeds[0]?.description ?? null,
    buttons: buttons.map(({ label, custom_id, style }) => ({ label, token: custom_id, danger: style === 4 })),
  }
}

const issuesOf = ({ issues }: z.core.$ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
