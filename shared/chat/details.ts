/** The folded part of a message, within the limits of every platform. */
import { type Line, renderLines } from '../plan/line.ts'
import type { Block, Piece, Text } from './message.ts'
import { cut, plain } from './words.ts'

/** Characters, in all blocks of one message together. */
export const MAX_CHARS = 2400

/** The longest form of a date or a mention on any platform. */
const WIDEST = 40

const widthOf = (piece: Piece): number => {
  if (typeof piece === 'string') return piece.length
  if ('code' in piece) return piece.code.length + 2
  return 'strong' in piece ? piece.strong.length + 4 : WIDEST
}

const lengthOf = (text: Text): number => text.reduce((sum, piece) => sum + widthOf(piece), 1)

/** As many lines as there is room for; the last one counts the others, and says how to see them. */
export function fold(lines: readonly Text[], how: Text, room = MAX_CHARS): Block[] {
  if (lines.length === 0) return []
  const shown: Text[] = []
  let left = room - lengthOf(how) - 20
  for (const line of lines) {
    left -= lengthOf(line)
    if (left < 0) break
    shown.push(line)
  }
  const hidden = lines.length - shown.length
  return [{ kind: 'lines', lines: hidden === 0 ? shown : [...shown, [`… and ${hidden} more: `, ...how]] }]
}

/** Changes and problems are shown before what stays as it is. */
const ORDER: readonly Line['sign'][] = ['<', '*', '-', '!', '+', '#', '^', '>', '»', '✓', '…', '·', '=']

/** A plan's lines as `renderLines` groups them. */
export function foldPlan(lines: readonly Line[], how: string, room = MAX_CHARS): Block[] {
  if (lines.length === 0) return []
  const ranked = lines
    .map((line) => ({ ...line, reason: cut(plain(line.reason)) }))
    .sort((a, b) => ORDER.indexOf(a.sign) - ORDER.indexOf(b.sign))
  const most = longestThatFits(ranked, room - how.length - 40)
  const hidden = lines.length - most
  const more = hidden === 0 ? '' : `… and ${hidden} more: ${how}`
  return [{ kind: 'code', text: `${renderLines(ranked.slice(0, most))}${more}`.trimEnd() }]
}

function longestThatFits(lines: readonly Line[], room: number): number {
  let [fits, exceeds] = [0, lines.length + 1]
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2)
    if (renderLines(lines.slice(0, middle)).length <= room) fits = middle
    else exceeds = middle
  }
  return Math.max(1, fits)
}
