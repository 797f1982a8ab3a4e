/** Texts in Discord's Markdown, escaped. */
import type { Block, Piece, Text } from '../../../shared/chat/message.ts'
import { visible } from '../../../shared/safe-text.ts'
import { type Fenced, headOf, lineOf as joined } from '../lines.ts'

const MORE = '\n… and more'
const LONGEST_LINE = 1000
const FULL: Record<'ago' | 'full', string> = { ago: 'R', full: 'f' }

/** One line, of at most `longest` characters; room is left for the backslash of what would make a list of it. */
export const lineOf = (text: Text, longest: number): string =>
  joined(text, marked, longest - 2)
    .replace(/^(\s*)([#-])/, '$1\\$2')
    .replace(/^(\s*\d+)\.(?=\s)/, '$1\\.')

function marked(piece: Piece): string {
  if (typeof piece === 'string') return escaped(piece)
  if ('code' in piece) return piece.code === '' ? '' : `\`${visible(piece.code).replaceAll('`', 'ˋ')}\``
  if ('strong' in piece) return piece.strong === '' ? '' : `**${escaped(piece.strong)}**`
  if ('at' in piece) return `<t:${Math.floor(new Date(piece.at).getTime() / 1000)}:${FULL[piece.style]}>`
  return /^\d{1,20}$/.test(piece.user) ? `<@${piece.user}>` : escaped(piece.user)
}

/** Prevents links, and texts that look like a mention of `@everyone`. */
const escaped = (text: string): string =>
  visible(text)
    .replace(/[\\*_~`|[\]()<>]/g, '\\$&')
    .replace(/:(?=\/\/)/g, '\\:')
    .replace(/@(?=everyone|here)/gi, '@\u200b')

/** Blocks, with an empty line between them; whole lines are left out where they are too many. */
export function blocksOf(blocks: readonly Block[], longest: number): string {
  let text = ''
  for (const block of blocks) {
    const { open, lines, close } = fenced(block)
    for (const [index, line] of lines.entries()) {
      const added = index > 0 ? `\n${line}` : `${text === '' ? '' : '\n\n'}${open}${line}`
      if (text.length + added.length + close.length + MORE.length > longest)
        return `${text}${index > 0 ? close : ''}${MORE}`
      text += added
    }
    if (lines.length > 0) text += close
  }
  return text
}

function fenced(block: Block): Fenced {
  if (block.kind === 'lines')
    return { open: '', lines: block.lines.map((line) => lineOf(line, LONGEST_LINE)), close: '' }
  const lines = block.text.trimEnd().replaceAll('```', 'ˋˋˋ').split('\n').map(visible)
  const whole = (line: string): boolean => line.length <= LONGEST_LINE
  return {
    open: '```\n',
    lines: lines.map((line) => (whole(line) ? line : `${headOf(line, LONGEST_LINE - 1)}…`)),
    close: '\n```',
  }
}
