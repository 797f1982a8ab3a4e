/** Stands in for Slack's response URLs and webhooks, and is stricter: whatever it refuses is also remembered. */
import { answered, posted, responded, type SlackBody, updated, written } from './slack-shape.ts'

const WINDOW = 30 * 60_000
const USES = 5
/** Only moments may stand between angle brackets: the others notify somebody, or link. */
const NOTIFYING = /<(?!!date\^\d+\^[^<>|^]+\|[^<>|]+>)/

type SlackShown = {
  to: 'caller' | 'channel'
  text: string
  buttons: { label: string; value: string }[]
  edits: number
}

const API = 'https://slack.com/api/'

type Opened = { since: Date; uses: number; original: SlackShown | null }

export class SlackEndpoint {
  readonly webhook = 'https://hooks.slack.com/services/T1DC2JH3J/B1/secret'
  /** What was refused, and why. */
  readonly violations: string[] = []
  readonly messages: SlackShown[] = []
  readonly #now: () => Date
  /** What the bot has posted, by its timestamp. */
  readonly #posts = new Map<string, SlackShown>()
  readonly #opened = new Map<string, Opened>()

  readonly #bot: { token: string; channels: readonly string[] } | null

  /** `bot`: the app has one, which is a member of these channels. */
  constructor(now: () => Date, bot: { token: string; channels: readonly string[] } | null = null) {
    this.#now = now
    this.#bot = bot
  }

  /** The timestamp of a message that the bot has posted. */
  timestampOf(message: SlackShown): string | null {
    return [...this.#posts].find(([, post]) => post === message)?.[0] ?? null
  }

  /** The response URL of a new slash command. */
  openCommand(): string {
    return this.#open('commands', null)
  }

  /** The response URL of a press on a button of that message. */
  openPress(original: SlackShown): string {
    return this.#open('actions', original)
  }

  /** What everybody concerned would read now, in the order in which it came. */
  shown(): string[] {
    return this.messages.map(({ text }) => text)
  }

  /** The HTTP answer that a slash command got. */
  answer(status: number, body: unknown): void {
    if (status !== 200) this.#refuse(status, `a slash command was answered with ${status}`)
    if (body === null) return
    const parsed = answered.safeParse(body)
    if (!parsed.success) this.#refuse(400, `the answer: ${parsed.error.message}`)
    else if ('text' in parsed.data) this.#place(parsed.data)
  }

  async handle(request: Request): Promise<Response> {
    if (request.method !== 'POST') return this.#refuse(405, 'only POST')
    if (request.headers.get('content-type') !== 'application/json')
      return this.#refuse(400, 'not sent as JSON')
    if (request.url.startsWith(API)) return this.#call(request)
    const opened = this.#opened.get(request.url)
    if (opened === undefined && request.url !== this.webhook)
      return this.#refuse(404, `no such URL: ${request.url}`)
    const parsed = (opened === undefined ? posted : responded).safeParse(await request.json())
    if (!parsed.success) return this.#refuse(400, `the body: ${parsed.error.message}`)
    if (NOTIFYING.test(JSON.stringify(parsed.data))) return this.#refuse(400, 'it would notify, or link')
    return opened === undefined
      ? this.#place({ response_type: 'in_channel', ...parsed.data })
      : this.#respond(opened, parsed.data)
  }

  /** The bot's calls: what can't be done is answered with 200 all the same. */
  async #call(request: Request): Promise<Response> {
    const failed = (error: string) => Response.json({ ok: false, error })
    if (this.#bot === null || request.headers.get('authorization') !== `Bearer ${this.#bot.token}`) {
      this.#refuse(401, 'a call without the bot’s token')
      return failed('invalid_auth')
    }
    const updates = request.url === `${API}chat.update`
    if (!updates && request.url !== `${API}chat.postMessage`) return this.#refuse(404, `no ${request.url}`)
    const parsed = (updates ? updated : written).safeParse(await request.json())
    if (!parsed.success) return this.#refuse(400, `the body: ${parsed.error.message}`)
    if (NOTIFYING.test(JSON.stringify(parsed.data))) return this.#refuse(400, 'it would notify, or link')
    if (!this.#bot.channels.includes(parsed.data.channel)) return failed('not_in_channel')
    if (!('ts' in parsed.data)) {
      const ts = `1790000000.${String(this.#posts.size + 1).padStart(6, '0')}`
      const post: SlackShown = { to: 'channel', ...readable(parsed.data), edits: 0 }
      this.#posts.set(ts, post)
      this.messages.push(post)
      return Response.json({ ok: true, ts })
    }
    const { ts } = parsed.data
    const post = this.#posts.get(ts)
    if (post === undefined) return failed('cant_update_message')
    Object.assign(post, readable(parsed.data), { edits: post.edits + 1 })
    return Response.json({ ok: true, ts })
  }

  #respond(opened: Opened, body: SlackBody): Response {
    if (this.#now().getTime() - opened.since.getTime() >= WINDOW) return this.#refuse(404, 'expired_url')
    opened.uses += 1
    if (opened.uses > USES) return this.#refuse(404, 'used_url')
    if (body.replace_original !== true) return this.#place(body)
    if (opened.original === null) return this.#refuse(400, 'there is no original to replace')
    Object.assign(opened.original, readable(body), { edits: opened.original.edits + 1 })
    return new Response('ok')
  }

  #place(body: SlackBody): Response {
    const to = body.response_type === 'in_channel' ? 'channel' : 'caller'
    this.messages.push({ to, ...readable(body), edits: 0 })
    return new Response('ok')
  }

  #open(kind: string, original: SlackShown | null): string {
    const url = `https://hooks.slack.com/${kind}/T1DC2JH3J/${this.#opened.size + 1}/secret`
    this.#opened.set(url, { since: this.#now(), uses: 0, original })
    return url
  }

  #refuse(status: number, why: string): Response {
    this.violations.push(why)
    return new Response(why, { status })
  }
}

/** The blocks are shown in the place of the text. */
function readable({ blocks }: Pick<SlackBody, 'blocks'>): Pick<SlackShown, 'text' | 'buttons'> {
  const text = blocks.flatMap((block) => (block.type === 'section' ? [block.text.text] : [])).join('\n')
  const buttons = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []))
  return { text, buttons: buttons.map(({ text: { text: label }, value }) => ({ label, value })) }
}
