/** Small parts of sentences. */
import { minuteText } from '../minute.ts'
import type { Piece, Text } from './message.ts'

/** A command as one types it in chat. */
export const typed = (line: string): Piece => ({ code: `/backup ${line}` })

/** "1 copy", "3 copies". */
export const count = (many: number, one: string, several = `${one}s`): string =>
  `${many} ${many === 1 ? one : several}`

/** "a", "a and b", "a, b and c". */
export const enumerate = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`

export const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

const INSTANT = /\b(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z)(?![\w-])/

/** The engine's reasons hold moments in ISO 8601; in a sentence each is shown in the reader's own zone. */
export const spoken = (text: string): Text =>
  text
    .split(INSTANT)
    .map((part, index): Piece => (index % 2 === 0 ? part : { at: part, style: 'full' }))
    .filter((piece) => piece !== '')

const INSTANTS = new RegExp(INSTANT.source, 'g')

/** Where only plain text can stand: "2026-11-22 03:00 UTC". */
export const plain = (text: string): string => text.replace(INSTANTS, minuteText)

/** Cut, because a reason may hold a server's text of any length. */
const LONGEST = 300

export const cut = (text: string, longest = LONGEST): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`
