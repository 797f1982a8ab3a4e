/** The interface of a chat platform. All other code uses it and knows no platform. */
import type { Actor, PlatformName } from '../../shared/chat/actor.ts'
import type { Message } from '../../shared/chat/message.ts'
import type { Result } from '../../shared/result.ts'

/** Where a later message can be posted, for a while. It is stored in KV, so it is plain data. */
export type ReplyTo = {
  platform: PlatformName
  /** The response URL; of Discord the interaction's token. */
  address: string
  /** ISO 8601: not to be used after this. */
  until: string
  /** How many more messages or edits it takes; null: no limit is known. */
  uses: number | null
  /** The channel in which our bot may post as well; empty: none. */
  channel: string
  /** The platform's id of our bot's message there, which the bot can edit. */
  own: string | null
  /** A message was posted already: the next one replaces it where the platform can. */
  placed: boolean
}

/** A command as it was typed, or as the platform's own menus gave it. */
type Words = { text: string } | { command: string; options: Readonly<Record<string, string>> }

export type Incoming =
  | { kind: 'ping' }
  /** `id`: a replay has the same one. `at`: when the platform says it was sent (else now). */
  | { kind: 'command'; id: string; at: Date; actor: Actor; words: Words; reply: ReplyTo }
  /** A button; `reply` replaces the message it stands in. */
  | { kind: 'press'; id: string; at: Date; actor: Actor; token: string; reply: ReplyTo }
  /** Asks for completions of `option`. */
  | {
      kind: 'complete'
      actor: Actor
      command: string
      option: string
      typed: string
      options: Readonly<Record<string, string>>
    }

export type Repliable = Extract<Incoming, { reply: ReplyTo }>

/** `reason` is for the log: the caller only gets the status. */
export type Rejected = { status: 400 | 401 | 413; reason: string }

/** A whole HTTP answer. */
export type Answer = { status: number; body: unknown }

/** A request to the platform, to be sent as JSON. */
export type Outgoing = {
  method: 'POST' | 'PATCH' | 'PUT'
  url: string
  body: unknown
  /** Bearer token of a bot. */
  token?: string
}

/** A bot account. It can always edit what it has posted, also when a command's own address has expired. */
export type Bot = {
  /** Posts to the channel, or edits its message there. */
  write(message: Message, channel: string, own: string | null, origin: string): Outgoing
  /**
   * The message's id, from the platform's answer; null: refused (the bot isn't in the channel, or the message
   * isn't its own).
   */
  read(answer: unknown): string | null
}

export type Platform = {
  name: PlatformName
  /** Verifies before it reads anything else. Never throws. */
  receive(request: { headers: Headers; body: string }, now: Date): Promise<Result<Incoming, Rejected>>
  pong(): Answer
  /**
   * Answers a command or a button at once. After a press, a message to the channel takes the place of the
   * one with the button, and a message to the caller stands beside it, which stays as it is. `outgoing`:
   * must be sent as well, where the answer itself can't carry the message (Slack's buttons). `origin` is
   * where this Worker is reached, for buttons that need it.
   */
  say(message: Message, to: Repliable, origin: string): { answer: Answer; outgoing: Outgoing | null }
  /** Acknowledges; the message follows at `reply`. */
  later(to: Message['to'], incoming: Repliable): Answer
  choose(choices: readonly { name: string; value: string }[]): Answer
  /**
   * The request that puts a message there (after a press: in the place of the one with the button), and what
   * is left of the address; null: it is used up or out of date.
   */
  put(
    message: Message,
    reply: ReplyTo,
    now: Date,
    origin: string,
  ): { outgoing: Outgoing; left: ReplyTo } | null
  /** Null: none is configured, or none is needed. */
  bot: Bot | null
  /** To the configured channel; null: none is configured. */
  post(message: Message): Outgoing | null
}
