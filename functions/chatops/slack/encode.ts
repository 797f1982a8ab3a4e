/** A message in Slack's form: sections of mrkdwn, which Slack folds where they are long, and buttons. */

import type { Block, Button, Message, Piece } from '../../../shared/chat/message.ts'
import { minuteText } from '../../../shared/minute.ts'
import { own } from '../../../shared/own.ts'
import { visible } from '../../../shared/safe-text.ts'
import { type Fenced, headOf, lineOf, partsOf } from '../lines.ts'

/** Characters of a text object. */
const TEXT = 3000
const LINE = 1000
/** A message may hold 50 blocks; so many are still read. */
const SECTIONS = 10
const LABEL = 75

const SIGNS: Record<Message['tone'], string> = { good: '✅ ', info: '', warning: '⚠️ ', bad: '❌ ' }

/** `text` is what notifications show. */
export function encode({ tone, headline, details, buttons }: Message) {
  const text = `${SIGNS[tone]}${lineOf(headline, mark, TEXT - 10)}`
  const sections = [text, ...partsOf(details.map(fenced), { longest: TEXT, most: SECTIONS })]
  return { text, blocks: [...sections.map(section), ...(buttons.length === 0 ? [] : [actions(buttons)])] }
}

/** `verbatim`: Slack makes no links or mentions of what is written. */
const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } })

const actions = (buttons: readonly Button[]) => ({
  type: 'actions',
  elements: buttons.map(({ label, token, style }, index) => ({
    type: 'button',
    action_id: `button${index + 1}`,
    text: { type: 'plain_text', text: headOf(label, LABEL) },
    value: token,
    ...(style === 'danger' ? { style } : {}),
  })),
})

const fenced = (block: Block): Fenced =>
  block.kind === 'lines'
    ? { open: '', lines: block.lines.map((line) => quoteless(lineOf(line, mark, LINE))), close: '' }
    : { open: '```\n', lines: block.text.split('\n').map(codeLine), close: '\n```' }

const codeLine = (line: string): string => lineOf([line], (piece) => coded(String(piece), '```'), LINE)

function mark(piece: Piece): string {
  if (typeof piece === 'string') return escaped(piece)
  if ('code' in piece) return piece.code === '' ? '' : `\`${coded(piece.code, '`')}\``
  if ('strong' in piece) return piece.strong === '' ? '' : `*${escaped(piece.strong.trim())}*`
  // A mention would notify; an id in code does not.
  return 'user' in piece ? mark({ code: piece.user }) : momentOf(piece.at)
}

/** In the reader's own zone; Slack has no form for ages. */
function momentOf(at: string): string {
  const seconds = Math.floor(new Date(at).getTime() / 1000)
  return Number.isNaN(seconds)
    ? escaped(at)
    : `<!date^${seconds}^{date_short_pretty} {time}|${minuteText(at)}>`
}

const entities = (text: string): string =>
  visible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const coded = (text: string, fence: string): string =>
  entities(text.replaceAll(fence, fence.replaceAll('`', 'ˋ')))

const LOOKALIKES: Record<string, string> = { '*': '∗', '~': '∼', '`': 'ˋ', _: 'ˍ' }

/** Slack can't escape its marks, so similar characters replace them; `_` is a mark only at the edge of a word. */
const escaped = (text: string): string =>
  entities(text).replace(
    /[*~`]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu,
    (mark) => own(LOOKALIKES, mark) ?? mark,
  )

const quoteless = (line: string): string => line.replace(/^(?=\s*&gt;)/, '\u200b')
