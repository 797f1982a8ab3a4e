/** Stands in for a Mattermost server, and is stricter: whatever it refuses is also remembered. */
import { type Attachments, patched, posted, pressed, responded, written } from './mattermost-shape.ts'

const WINDOW = 30 * 60_000
const USES = 5
const CODE = /```[\s\S]*?```|`[^`\n]*`/g
/** People and channels that would be notified or linked, and links; in code they are only text. */
const LIVE = /(?<![A-Za-z0-9])@[a-z0-9]|(?<![A-Za-z0-9])~[a-z0-9]|https?:\/\/|(?<!\\)\[|<[^\u200b]/i

type MattermostShown = {
  to: 'caller' | 'channel'
  text: string
  buttons: { label: string; url: string; context: unknown }[]
  edits: number
}

export class MattermostEndpoint {
  readonly origin = 'https://mattermost.example.org'
  readonly webhook = `${this.origin}/hooks/wwebhookwebhookwebhookweb1`
  /** What was refused, and why. */
  readonly violations: string[] = []
  readonly messages: MattermostShown[] = []
  readonly #now: () => Date
  /** What the bot has posted, by its id. */
  readonly #posts = new Map<string, MattermostShown>()
  readonly #bot: { token: string; channels: readonly string[] } | null
  readonly #opened = new Map<string, { since: Date; uses: number }>()

  /** `bot`: there is an account that is a member of these channels. */
  constructor(now: () => Date, bot: { token: string; channels: readonly string[] } | null = null) {
    this.#now = now
    this.#bot = bot
  }

  /** The id of a message that the bot has posted. */
  idOf(message: MattermostShown): string | null {
    return [...this.#posts].find(([, post]) => post === message)?.[0] ?? null
  }

  /** The response URL of a new slash command. */
  openCommand(): string {
    const url = `${this.origin}/hooks/commands/hook${String(this.#opened.size + 1).padStart(22, '0')}`
    this.#opened.set(url, { since: this.#now(), uses: 0 })
    return url
  }

  /** What everybody concerned would read now, in the order in which it came. */
  shown(): string[] {
    return this.messages.map(({ text }) => text)
  }

  /** The HTTP answer that a slash command got. */
  answer(status: number, body: unknown): void {
    if (status === 200) this.#respond(body)
    else this.#refuse(status, `a slash command was answered with ${status}`)
  }

  /** The HTTP answer that a press on a button of that message got. */
  answerPress(message: MattermostShown, status: number, body: unknown): void {
    const parsed = pressed.safeParse(body)
    if (status !== 200 || !parsed.success) {
      this.#refuse(400, `the answer to a press: ${status} ${parsed.error?.message ?? ''}`)
      return
    }
    const { update, ephemeral_text } = parsed.data
    if (update !== undefined) this.#update(message, update.message, update.props.attachments)
    if (ephemeral_text !== undefined) this.#place('caller', ephemeral_text, [])
  }

  async handle(request: Request): Promise<Response> {
    const isCall = request.url.startsWith(`${this.origin}/api/v4/posts`)
    if (request.method !== 'POST' && !isCall) return this.#refuse(405, 'only POST')
    if (request.headers.get('content-type') !== 'application/json')
      return this.#refuse(400, 'not sent as JSON')
    const body: unknown = await request.json()
    if (isCall) return this.#call(request, body)
    if (request.url === this.webhook) {
      const parsed = posted.safeParse(body)
      if (!parsed.success) return this.#refuse(400, `the body: ${parsed.error.message}`)
      return this.#place('channel', parsed.data.text, parsed.data.attachments ?? [])
    }
    const opened = this.#opened.get(request.url)
    if (opened === undefined) return this.#refuse(404, `no such URL: ${request.url}`)
    if (this.#now().getTime() - opened.since.getTime() >= WINDOW) return this.#refuse(400, 'expired')
    opened.uses += 1
    return opened.uses > USES ? this.#refuse(400, 'used up') : this.#respond(body)
  }

  /** The bot's calls. */
  #call({ method, url, headers }: Request, body: unknown): Response {
    if (this.#bot === null || headers.get('authorization') !== `Bearer ${this.#bot.token}`)
      return this.#refuse(401, 'a call without the bot’s token')
    const id = /\/posts\/([a-z0-9]{26})\/patch$/.exec(url)?.[1]
    if (id === undefined && !url.endsWith('/posts')) return this.#refuse(404, `no ${url}`)
    if (method !== (id === undefined ? 'POST' : 'PUT')) return this.#refuse(405, method)
    const parsed = (id === undefined ? written : patched).safeParse(body)
    if (!parsed.success) return this.#refuse(400, `the body: ${parsed.error.message}`)
    const { message, props } = parsed.data
    if (!this.#isQuiet(message, props.attachments)) return new Response('loud', { status: 400 })
    if (id !== undefined) {
      const post = this.#posts.get(id)
      if (post === undefined) return Response.json({ id: 'api.context.permissions' }, { status: 403 })
      Object.assign(post, readable(message, props.attachments), { edits: post.edits + 1 })
      return Response.json({ id })
    }
    const { channel_id: channel = '' } = parsed.data as { channel_id?: string }
    if (!this.#bot.channels.includes(channel))
      return Response.json({ id: 'api.context.permissions' }, { status: 403 })
    const fresh = `ppost${String(this.#posts.size + 1).padStart(21, '0')}`
    const post: MattermostShown = { to: 'channel', ...readable(message, props.attachments), edits: 0 }
    this.#posts.set(fresh, post)
    this.messages.push(post)
    return Response.json({ id: fresh }, { status: 201 })
  }

  #respond(body: unknown): Response {
    const parsed = responded.safeParse(body)
    if (!parsed.success) return this.#refuse(400, `the body: ${parsed.error.message}`)
    const { response_type, text, attachments = [] } = parsed.data
    return this.#place(response_type === 'in_channel' ? 'channel' : 'caller', text, attachments)
  }

  #update(message: MattermostShown, text: string, attachments: Attachments): void {
    if (message.to === 'caller') this.#refuse(400, 'a message that only its reader sees was never stored')
    else if (this.#isQuiet(text, attachments))
      Object.assign(message, readable(text, attachments), { edits: message.edits + 1 })
  }

  #place(to: MattermostShown['to'], text: string, attachments: Attachments): Response {
    if (!this.#isQuiet(text, attachments)) return new Response('it would notify, or link', { status: 400 })
    this.messages.push({ to, ...readable(text, attachments), edits: 0 })
    return new Response('ok')
  }

  #isQuiet(text: string, attachments: Attachments): boolean {
    const loud = [text, ...attachments.map((one) => one.text)].find((one) => LIVE.test(one.replace(CODE, '')))
    if (loud !== undefined) this.#refuse(400, `it would notify, or link: ${loud}`)
    return loud === undefined
  }

  #refuse(status: number, why: string): Response {
    this.violations.push(why)
    return new Response(why, { status })
  }
}

function readable(text: string, attachments: Attachments): Pick<MattermostShown, 'text' | 'buttons'> {
  const texts = [text, ...attachments.map((one) => one.text)].filter((one) => one !== '')
  const buttons = attachments.flatMap(({ actions }) => actions ?? [])
  return {
    text: texts.join('\n'),
    buttons: buttons.map(({ name, integration: { url, context } }) => ({ label: name, url, context })),
  }
}
