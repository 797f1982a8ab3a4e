/** A message as text, the form in which tests of what stapes says are written. */
import type { Block, Message, Piece, Text } from '../../shared/chat/message.ts'

/** `code`, *strong*, <2026-11-22 03:00> for a moment (<~ where it is shown as an age), @user. */
function pieceText(piece: Piece): string {
  if (typeof piece === 'string') return piece
  if ('code' in piece) return `\`${piece.code}\``
  if ('strong' in piece) return `*${piece.strong}*`
  if ('user' in piece) return `@${piece.user}`
  return `<${piece.style === 'ago' ? '~' : ''}${piece.at.slice(0, 16).replace('T', ' ')}>`
}

const lineText = (text: Text): string => text.map(pieceText).join('')

const blockLines = (block: Block): string[] =>
  block.kind === 'lines'
    ? block.lines.map((line) => `  ${lineText(line)}`)
    : block.text
        .trimEnd()
        .split('\n')
        .map((line) => `  | ${line}`)

export const messageText = ({ to, tone, headline, details, buttons }: Message): string =>
  [
    `${tone}, to the ${to}: ${lineText(headline)}`,
    ...details.flatMap(blockLines),
    ...buttons.map(({ label, token, style }) => `  [${label}] ${style} ${token}`),
  ].join('\n')

const lengthOf = (block: Block): number =>
  block.kind === 'code' ? block.text.length : block.lines.map(lineText).join('\n').length

/** Characters of all details as people see them. */
export const detailsLength = ({ details }: Message): number =>
  details.reduce((sum, block) => sum + lengthOf(block), 0)
