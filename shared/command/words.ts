/**
 * Splits a line into words as a shell does. The quotation marks and dashes of phones count as those of a
 * keyboard.
 */
import { ok, type Result } from '../result.ts'
import { type Mistake, mistake, show } from './mistake.ts'

export type Word = {
  /** Without its quotes. */
  text: string
  /** Where it begins in the line. */
  start: number
  /** Its first character is neither quoted nor escaped, so it may be a flag. */
  unquoted: boolean
}

const LONGEST_LINE = 2000
const LONGEST_WORD = 300
const MOST_WORDS = 100

const DOUBLE = '"“”„‟'
const SINGLE = "'‘’‚‛"

/** Control characters except white space, lone surrogates, and characters that change the direction of text. */
const UNREADABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]|[\u202a-\u202e\u2066-\u2069]/u

export function splitWords(line: string): Result<Word[], Mistake> {
  if (line.length > LONGEST_LINE)
    return mistake(
      'too-long',
      `A command has at most ${LONGEST_LINE} characters; this one has ${line.length}.`,
    )
  if (UNREADABLE.test(line))
    return mistake('unreadable', 'The command contains an invisible character. Type it by hand.')
  const words: Word[] = []
  for (let start = pastSpace(line, 0); start < line.length; ) {
    const read = readWord(line, start)
    if (read === null)
      return mistake('quote', `A quote is not closed, after ${show(line.slice(start))}: add the closing one.`)
    if (read.text.length > LONGEST_WORD)
      return mistake(
        'too-long',
        `A word has at most ${LONGEST_WORD} characters: ${show(read.text)} is longer.`,
      )
    words.push({ text: read.text, start, unquoted: !`\\${DOUBLE}${SINGLE}`.includes(line.charAt(start)) })
    start = pastSpace(line, read.end)
  }
  if (words.length > MOST_WORDS)
    return mistake('too-long', `A command has at most ${MOST_WORDS} words; this one has ${words.length}.`)
  return ok(words)
}

function pastSpace(line: string, from: number): number {
  let at = from
  while (at < line.length && isSpace(line, at)) at++
  return at
}

const isSpace = (line: string, at: number): boolean => /\s/.test(line.charAt(at))

type Piece = { text: string; end: number }

/** Null: a quote is not closed. */
function readWord(line: string, start: number): Piece | null {
  let word: Piece = { text: '', end: start }
  while (word.end < line.length && !isSpace(line, word.end)) {
    const piece = readPiece(line, word.end)
    if (piece === null) return null
    word = { text: word.text + piece.text, end: piece.end }
  }
  return word
}

function readPiece(line: string, at: number): Piece | null {
  const char = line.charAt(at)
  if (char === '\\' && at + 1 < line.length) return { text: line.charAt(at + 1), end: at + 2 }
  if (DOUBLE.includes(char)) return readQuoted(line, at + 1, DOUBLE)
  if (SINGLE.includes(char) && !isApostrophe(line, at)) return readQuoted(line, at + 1, SINGLE)
  return { text: char, end: at + 1 }
}

/** A quote is closed by any mark of the same kind. In single quotes a backslash is literal. */
function readQuoted(line: string, from: number, marks: string): Piece | null {
  let text = ''
  for (let at = from; at < line.length; at++) {
    const char = line.charAt(at)
    const next = line.charAt(at + 1)
    if (marks === DOUBLE && char === '\\' && next !== '' && `\\${DOUBLE}`.includes(next)) {
      text += next
      at++
    } else if (marks.includes(char) && !isApostrophe(line, at)) return { text, end: at + 1 }
    else text += char
  }
  return null
}

/** As in "don't": between two letters or digits, a single quote quotes nothing. */
const isApostrophe = (line: string, at: number): boolean =>
  SINGLE.includes(line.charAt(at)) && /^[\p{L}\p{N}].[\p{L}\p{N}]$/u.test(line.slice(at - 1, at + 2))

/** The word as one types it, quoted where needed. */
export const quoteWord = (word: string): string =>
  /^(?!-)[\w*?/.:@,%=+-]+$/.test(word) ? word : `"${word.replace(/[\\"“”„‟]/g, '\\$&')}"`
