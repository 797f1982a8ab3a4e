/** A message where there are no marks but text, such as a terminal. */
import { minuteText } from '../minute.ts'
import { visible } from '../safe-text.ts'
import type { Message, Piece } from './message.ts'

/** How each piece is shown. */
export type Mark = (piece: Piece) => string

const bare: Mark = (piece) => {
  if (typeof piece === 'string') return piece
  if ('code' in piece) return piece.code
  if ('strong' in piece) return piece.strong
  return 'user' in piece ? piece.user : minuteText(piece.at)
}

/** Lines, each with its end: the headline, and what it is folded over. Nothing in it can move a cursor. */
export function plainText(
  { headline, details }: Pick<Message, 'headline' | 'details'>,
  mark: Mark = bare,
): string {
  const lines = details.flatMap((block) =>
    block.kind === 'lines' ? block.lines : block.text.split('\n').map((line) => [line]),
  )
  return [headline, ...lines].map((line) => `${line.map(safely(mark)).join('')}\n`).join('')
}

const safely =
  (mark: Mark): Mark =>
  (piece) => {
    if (typeof piece === 'string') return mark(visible(piece))
    const clean = Object.entries(piece).map(([name, value]) => [name, visible(String(value))])
    return mark(Object.fromEntries(clean) as Piece)
  }
