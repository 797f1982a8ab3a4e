/** Cuts lines of text to a platform's limits; each platform marks and escapes by itself. */
import type { Piece, Text } from '../../shared/chat/message.ts'

type Mark = (piece: Piece) => string

/** A block's lines, and what each part that they are split into begins and ends with. */
export type Fenced = { open: string; lines: readonly string[]; close: string }

const MORE = '… and more'
/** One line, of at most `longest` characters. */
export function lineOf(text: Text, mark: Mark, longest: number): string {
  let line = ''
  for (const piece of text) {
    const room = Math.max(0, longest - 2 - line.length)
    let left: Piece = piece
    while (mark(left).length > room) left = shortened(left)
    const next = mark(left)
    // The marks of two adjacent pieces of the same kind would merge.
    line += next !== '' && /[`*]$/.test(line) && line.at(-1) === next[0] ? `\u200b${next}` : next
    if (left !== piece) return `${line}…`
  }
  return line
}

/** By a quarter; what can't be shortened is left out. */
function shortened(piece: Piece): Piece {
  if (typeof piece === 'string') return headOf(piece, Math.floor(piece.length * 0.75))
  if ('code' in piece) return { code: headOf(piece.code, Math.floor(piece.code.length * 0.75)) }
  if ('strong' in piece) return { strong: headOf(piece.strong, Math.floor(piece.strong.length * 0.75)) }
  return ''
}

/** Never splits a surrogate pair. */
export const headOf = (text: string, length: number): string =>
  text.slice(0, length).replace(/[\ud800-\udbff]$/, '')

/** Parts of at most `longest` characters, split between lines; no more than `most` parts. */
export function partsOf(
  blocks: readonly Fenced[],
  { longest, most }: { longest: number; most: number },
): string[] {
  const parts = blocks.flatMap(({ open, lines, close }) =>
    split(lines, longest - open.length - close.length).map((part) => `${open}${part}${close}`),
  )
  return parts.length <= most ? parts : [...parts.slice(0, most - 1), MORE]
}

function split(lines: readonly string[], longest: number): string[] {
  const parts: string[] = []
  for (const line of lines) {
    const joined = `${parts.at(-1)}\n${line}`
    if (parts.length > 0 && joined.length <= longest) parts[parts.length - 1] = joined
    else parts.push(line)
  }
  return parts.filter((part) => part.trim() !== '')
}
