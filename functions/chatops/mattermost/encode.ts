/**
 * A message in Mattermost's form: the headline as its text, the details as attachments, which it folds, and
 * buttons.
 */

import type { Block, Button, Message, Piece } from '../../../shared/chat/message.ts'
import { minuteText } from '../../../shared/minute.ts'
import { visible } from '../../../shared/safe-text.ts'
import { type Fenced, headOf, lineOf, partsOf } from '../lines.ts'

/** In all less than the 16,383 characters of a post, because an answer to the caller is a single text. */
const TEXT = 3000
const LINE = 1000
const PART = { longest: 4000, most: 3 }
const LABEL = 75

const SIGNS: Record<Message['tone'], string> = { good: '✅ ', info: '', warning: '⚠️ ', bad: '❌ ' }

export type Encoded = { text: string; attachments: Attachment[] }

type Attachment = { fallback: string; text: string; actions?: ReturnType<typeof actionOf>[] }

/** `origin`: where this Worker is reached, for buttons; without it there are none. */
export function encode({ to, tone, headline, details, buttons }: Message, origin: string | null): Encoded {
  const text = `${SIGNS[tone]}${lineStart(lineOf(headline, mark, TEXT))}`
  const attachments: Attachment[] = partsOf(details.map(fenced), PART).map((part) => ({
    fallback: text,
    text: part,
  }))
  if (origin === null || buttons.length === 0) return { text, attachments }
  const context = to === 'caller' ? { hidden: true } : {}
  const actions = buttons.map((button, index) => actionOf(button, index, origin, context))
  return { text, attachments: [...attachments, { fallback: text, text: '', actions }] }
}

/** For answers without attachments. */
export function encodeText(message: Message): string {
  const { text, attachments } = encode(message, null)
  return [text, ...attachments.map((attachment) => attachment.text)].join('\n\n')
}

/** Mattermost doesn't show the context to clients, and sends it with a press. */
const actionOf = (
  { label, token, style }: Button,
  index: number,
  origin: string,
  context: { hidden?: boolean },
) => ({
  id: `button${index + 1}`,
  type: 'button',
  name: headOf(label, LABEL),
  style: style === 'danger' ? 'danger' : 'default',
  integration: { url: `${origin}/chat/mattermost/press`, context: { ...context, token } },
})

const fenced = (block: Block): Fenced =>
  block.kind === 'lines'
    ? { open: '', lines: block.lines.map((line) => lineStart(lineOf(line, mark, LINE))), close: '' }
    : { open: '```\n', lines: block.text.split('\n').map(codeLine), close: '\n```' }

const codeLine = (line: string): string => lineOf([line], (piece) => coded(String(piece), '```'), LINE)

function mark(piece: Piece): string {
  if (typeof piece === 'string') return escaped(piece)
  if ('code' in piece) return piece.code === '' ? '' : `\`${coded(piece.code, '`')}\``
  if ('strong' in piece) return piece.strong === '' ? '' : `**${escaped(piece.strong.trim())}**`
  // A mention needs a name, and would notify.
  return 'user' in piece ? mark({ code: piece.user }) : escaped(minuteText(piece.at))
}

/** In webhooks and attachments, Slack's mentions and links are looked for in code as well. */
const coded = (text: string, fence: string): string =>
  visible(text)
    .replaceAll(fence, fence.replaceAll('`', 'ˋ'))
    .replace(/<(?=[!@#]|\w+:)/g, '<\u200b')

/** Escapes marks, mentions, channels, tags, addresses, entities, Slack's links and ends of code. */
const escaped = (text: string): string =>
  visible(text)
    .replaceAll('`', 'ˋ')
    .replace(/[\\*_~#[\]>|]/g, '\\$&')
    .replace(/[@~<&]|:(?=\/\/)/g, '$&\u200b')

/** What would make a list of a line. */
const lineStart = (line: string): string =>
  line.replace(/^(\s*)([-+])/, '$1\\$2').replace(/^(\s*\d+)([.)])(?=\s)/, '$1\\$2')
