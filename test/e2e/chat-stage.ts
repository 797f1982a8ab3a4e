/** The stage with people on it, on all three platforms: they type, press buttons, and read what they are shown. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlatformName } from '../../shared/chat/actor.ts'
import type { ChatRequest } from '../chat/slack-request.ts'
import { type PersonName, PLATFORMS } from './chat-people.ts'
import { type Button, type Guise, openSides, type Sent, type Shown } from './chat-side.ts'
import { openStage, type Stage, type Theatre } from './stage.ts'
import { newKey } from './worker.ts'

type Answered = {
  status: number
  body: unknown
  /** What was sent, to be sent again; nobody at the platform waits for that answer. */
  request: ChatRequest
  path: string
}

export type ChatStage = Stage & {
  /** What confirmations are made with. */
  relayKey: string
  /** Without the slash and its word. Gives the acknowledgement. */
  type(platform: PlatformName, text: string, who: PersonName): Promise<Answered>
  /** Likewise, and waits for the message that answers it. */
  ask(platform: PlatformName, text: string, who: PersonName): Promise<Shown>
  /** The newest button of that label, or one that stood somewhere before. */
  press(platform: PlatformName, button: string | Button, who: PersonName, guise?: Guise): Promise<Answered>
  /** A request as it is, which no platform waits for. */
  send(path: string, request: ChatRequest): Promise<{ status: number; body: unknown }>
  /** All that people see now, oldest first. */
  read(platform: PlatformName): Shown[]
  /** The newest of it; fails where there is none. */
  newest(platform: PlatformName): Shown
  /** Waits for what goes on behind an acknowledgement. */
  until<Value>(
    what: string,
    look: () => Value | Promise<Value>,
    seconds?: number,
  ): Promise<NonNullable<Value>>
  /** The next minute's tick, later than all before and than the present; or that many minutes later. */
  tick(minutes?: number): Promise<'ok' | 'exception' | 'died'>
  /** The next tick is that of the present again. */
  catchUp(): void
  /** What a platform would have refused, or was given too late; empties the list. */
  violations(): string[]
}

/** What every platform waits for an acknowledgement, in milliseconds. */
const PATIENCE = 3_000
const MINUTE = 60_000
/** Of Discord's, and no harm: the Worker can't know when its answer has arrived, and tries once more. */
const OVERTAKEN = 'an edit came before the first reply'

export async function openChatStage(openPair: () => Promise<Theatre>): Promise<ChatStage> {
  let minute = 0
  /** While a tick runs, the platforms live at its time. */
  let ticking: Date | null = null
  const sides = openSides(() => ticking ?? new Date())
  const secrets = Object.assign({}, ...PLATFORMS.map((platform) => sides[platform].secrets))
  const outside = (request: Request): Promise<Response> | null => {
    const platform = PLATFORMS.find((one) => request.url.startsWith(`${sides[one].origin}/`))
    return platform === undefined ? null : sides[platform].handle(request)
  }
  const key = newKey()
  const stage = await openStage(openPair, { secrets, outside }, key)
  const late: string[] = []

  const send: ChatStage['send'] = async (path, { headers, body }) => {
    const given = { method: 'POST', body, token: null, headers: Object.fromEntries(headers) }
    const response = await stage.worker.fetch(path, given)
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) }
  }
  const deliver = async ({ path, request, take }: Sent, what: string): Promise<Answered> => {
    const begun = Date.now()
    const { status, body } = await send(path, request)
    const took = Date.now() - begun
    if (took >= PATIENCE) late.push(`${what} was acknowledged after ${took} ms`)
    take(status, body)
    return { status, body, request, path }
  }
  const read: ChatStage['read'] = (platform) => sides[platform].shown()
  const until: ChatStage['until'] = async (what, look, seconds = 20) => {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
      const found = await look()
      if (found) return found as NonNullable<typeof found>
    }
    const shown = PLATFORMS.flatMap((platform) => read(platform).slice(-3))
    const last = JSON.stringify({ shown, logged: stage.worker.logged() }, null, 1)
    throw new Error(`never came: ${what}; at last: ${last}`)
  }
  const type: ChatStage['type'] = (platform, text, who) =>
    deliver(sides[platform].command(text, who), `/backup ${text} (${platform})`)
  const newest: ChatStage['newest'] = (platform) => {
    const message = read(platform).at(-1)
    if (message === undefined) throw new Error(`nothing is shown on ${platform}`)
    return message
  }
  return {
    ...stage,
    ...{ type, read, newest, send, until, relayKey: key.secret.toString('base64') },
    async ask(platform, text, who) {
      const before = read(platform).length
      await type(platform, text, who)
      return until(`an answer to ${text} on ${platform}`, () => read(platform)[before])
    },
    press(platform, button, who, guise) {
      const found =
        typeof button === 'string'
          ? read(platform)
              .flatMap(({ buttons }) => buttons)
              .findLast(({ label }) => label === button)
          : button
      if (found === undefined) throw new Error(`no button ${String(button)} is shown on ${platform}`)
      const sent = sides[platform].press(found.token, who, guise)
      return deliver(sent, `the button ${found.label} (${platform})`)
    },
    async tick(minutes = 1) {
      minute = Math.max(minute, Math.ceil(Date.now() / MINUTE) * MINUTE) + minutes * MINUTE
      ticking = new Date(minute)
      try {
        return await stage.worker.tick(ticking)
      } finally {
        ticking = null
      }
    },
    catchUp() {
      minute = 0
    },
    violations() {
      const found = [...late.splice(0), ...PLATFORMS.flatMap((one) => sides[one].violations.splice(0))]
      return found.filter((violation) => violation !== OVERTAKEN)
    },
  }
}
