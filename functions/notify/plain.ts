/** A message as plain text, for services that show no marks. */

import type { Message, Piece } from '../../shared/chat/message.ts'
import { minuteText } from '../../shared/minute.ts'
import { visible } from '../../shared/safe-text.ts'
import { lineOf } from '../chatops/lines.ts'

const LINE = 1000

type Plain = { title: string; body: string }

/** Cut to so many characters; a body that is empty becomes the title. */
export function plainOf({ headline, details }: Message, longest = { title: 250, body: 3500 }): Plain {
  const title = lineOf(headline, mark, longest.title)
  const blocks = details.map((block) =>
    block.kind === 'lines'
      ? block.lines.map((line) => lineOf(line, mark, LINE)).join('\n')
      : visible(block.text),
  )
  const body = blocks.filter((block) => block !== '').join('\n\n')
  const whole = title.endsWith('…') ? [lineOf(headline, mark, LINE), body].join('\n\n').trim() : body
  const cut = whole.length <= longest.body ? whole : `${whole.slice(0, longest.body - 1)}…`
  return { title, body: cut === '' ? title : cut }
}

function mark(piece: Piece): string {
  if (typeof piece === 'string') return visible(piece)
  if ('code' in piece) return visible(piece.code)
  if ('strong' in piece) return visible(piece.strong)
  return 'user' in piece ? visible(piece.user) : minuteText(piece.at)
}
