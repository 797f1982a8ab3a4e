/** Pieces of text in Discord's Markdown, in which nothing that people wrote means anything. */
import type { Block, Piece, Text } from '../../../shared/chat/message.ts'

const MORE = '\n… and more'
const LONGEST_LINE = 1000
/** Also turns of the writing direction, which can make a name look like another. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu
const FULL: Record<'ago' | 'full', string> = { ago: 'R', full: 'f' }

/** One line, of at most `longest` characters. */
export function lineOf(text: Text, longest: number): string {
  let line = ''
  for (const piece of text) {
    const next = marked(piece)
    const room = longest - 2 - line.length
    if (next.length >= room) {
      line += `${cut(piece, room)}…`
      break
    }
    // Two pieces of the same kind would make one fence or one star of theirs.
    line += /[`*]$/.test(line) && line.at(-1) === next[0] ? `\u200b${next}` : next
  }
  return line.replace(/^(\s*)([#-])/, '$1\\$2').replace(/^(\s*\d+)\.(?=\s)/, '$1\\.')
}

/** Escaping at most doubles a text; a fence takes four. */
function cut(piece: Piece, room: number): string {
  const length = Math.floor(room / 2) - 2
  if (typeof piece === 'string') return escaped(headOf(piece, length))
  if ('code' in piece) return marked({ code: headOf(piece.code, length) })
  return 'strong' in piece ? marked({ strong: headOf(piece.strong, length) }) : ''
}

function marked(piece: Piece): string {
  if (typeof piece === 'string') return escaped(piece)
  if ('code' in piece) return piece.code === '' ? '' : `\`${plain(piece.code).replaceAll('`', 'ˋ')}\``
  if ('strong' in piece) return piece.strong === '' ? '' : `**${escaped(piece.strong)}**`
  if ('at' in piece) return `<t:${Math.floor(new Date(piece.at).getTime() / 1000)}:${FULL[piece.style]}>`
  return /^\d{1,20}$/.test(piece.user) ? `<@${piece.user}>` : escaped(piece.user)
}

const plain = (text: string): string => text.replace(UNSEEN, ' ')

/** Addresses would become links, and `@everyone` would look as if it had been called. */
const escaped = (text: string): string =>
  plain(text)
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

function fenced(block: Block): { open: string; lines: string[]; close: string } {
  if (block.kind === 'lines')
    return { open: '', lines: block.lines.map((line) => lineOf(line, LONGEST_LINE)), close: '' }
  const lines = block.text.trimEnd().replaceAll('```', 'ˋˋˋ').split('\n').map(plain)
  const whole = (line: string): boolean => line.length <= LONGEST_LINE
  return {
    open: '```\n',
    lines: lines.map((line) => (whole(line) ? line : `${headOf(line, LONGEST_LINE - 1)}…`)),
    close: '\n```',
  }
}

/** Never half a character. */
const headOf = (text: string, length: number): string =>
  text.slice(0, Math.max(0, length)).replace(/[\ud800-\udbff]$/, '')
