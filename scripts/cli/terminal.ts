/** Where a command prints: text for people, or one JSON document for programs. */
import type { Message, Piece } from '../../shared/chat/message.ts'
import { plainText } from '../../shared/chat/plain-text.ts'
import { commands } from '../../shared/command/commands.ts'
import { visible } from '../../shared/safe-text.ts'
import type { Refusal } from '../session.ts'

/** Of the JSON that every command prints; a change that breaks its readers makes it another one. */
const VERSION = 1

export type Streams = {
  stdout: { write(text: string): unknown; isTTY?: boolean }
  stderr: { write(text: string): unknown; isTTY?: boolean }
}

export type Terminal = {
  /** Nothing where JSON is wanted. */
  say(text: string): void
  show(message: Pick<Message, 'tone' | 'headline' | 'details'>): void
  /** What isn't the answer itself, such as a warning; on stderr. */
  note(text: string): void
  fail(refusal: Refusal): void
  /** Once, the whole answer; nothing where people read. */
  data(data: object): void
  /** Somebody sees what is printed as it comes. */
  isWatched: boolean
}

type Settings = { json: boolean; command: string; env: Readonly<Record<string, string | undefined>> }

export function createTerminal({ stdout, stderr }: Streams, { json, command, env }: Settings): Terminal {
  const colours = stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
  const mark = (piece: Piece): string => {
    if (typeof piece === 'string') return inShell(piece)
    if ('code' in piece) return paint(CYAN, inShell(piece.code))
    if ('strong' in piece) return paint(BOLD, inShell(piece.strong))
    return plainText({ headline: [piece], details: [] }).trimEnd()
  }
  const whole = (data: object): void =>
    void stdout.write(`${unseenEscaped(JSON.stringify({ version: VERSION, command, ...data }, null, 2))}\n`)
  return {
    say: (text) => void (json || stdout.write(inShell(text))),
    show({ tone, headline, details }) {
      if (json) return
      stdout.write(`${paint(...SIGNS[tone])} ${plainText({ headline, details }, mark)}`)
    },
    note: (text) => void stderr.write(`${inShell(visible(text))}\n`),
    fail(refusal) {
      if (json) whole({ error: refusal.map(inShell) })
      for (const line of refusal) stderr.write(`${inShell(visible(line))}\n`)
    },
    data: (data) => void (json && whole(data)),
    isWatched: !json && stdout.isTTY === true,
  }
}

const [BOLD, RED, GREEN, YELLOW, CYAN] = [1, 31, 32, 33, 36]

const SIGNS: Record<Message['tone'], [number, string]> = {
  good: [GREEN, '✓'],
  info: [CYAN, '·'],
  warning: [YELLOW, '!'],
  bad: [RED, '✗'],
}

/** The same JSON: JSON itself escapes not all that a terminal obeys, such as U+009B in the name of a guest's file. */
const unseenEscaped = (json: string): string =>
  json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** With the command that follows it: a path may be called so, too. */
const IN_CHAT = new RegExp(
  `(?<![\\w./-])/backup(?= (?:${commands.map(({ name }) => name).join('|')})(?![\\w/-]))`,
  'g',
)

/** The same command is called otherwise in chat. */
export const inShell = (text: string): string => text.replace(IN_CHAT, 'stapes')
