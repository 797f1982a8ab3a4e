/**
 * JSON with comments and trailing commas, as people write it; each error has its place. A name that
 * stands twice in one object is an error: whichever of the two won, the other would be lost in silence.
 */

import { type JSONVisitor, printParseErrorCode, visit } from 'jsonc-parser'
import { own } from './own.ts'
import { err, ok, type Result } from './result.ts'

/** Both count from 1. */
type Place = { line: number; column: number }

type Misread = Place & { problem: string }

/** A document of ours has less than ten levels; the parser calls itself for each. */
const DEEPEST = 100

class Misreading extends Error {
  readonly misread: Misread

  constructor(misread: Misread) {
    super(misread.problem)
    this.misread = misread
  }
}

/** An object or a list that is not closed yet. */
type Open = {
  entries: [string, unknown][] | null
  items: unknown[]
  places: Map<string, Place>
  name: string
}

export function parseJsonc(text: string): Result<unknown, Misread> {
  try {
    return ok(read(text.replace(/^\uFEFF/, '')))
  } catch (error) {
    if (error instanceof Misreading) return err(error.misread)
    throw error
  }
}

/** Such as `line 3, column 5: expected ":"`. */
export const describeMisread = ({ line, column, problem }: Misread): string =>
  `line ${line}, column ${column}: ${problem}`

function read(text: string): unknown {
  const root: Open = openOf(null)
  const open: Open[] = [root]
  const innermost = (): Open => open.at(-1) ?? root
  const add = (value: unknown): void => {
    const { entries, items, name } = innermost()
    if (entries === null) items.push(value)
    else entries.push([name, value])
  }
  const begin = (opened: Open, place: Place): void => {
    if (open.length > DEEPEST) throw misreading(place, 'too many levels of brackets')
    open.push(opened)
  }
  const visitor: JSONVisitor = {
    onObjectBegin: (_offset, _length, line, column) => begin(openOf([]), placeOf(line, column)),
    onArrayBegin: (_offset, _length, line, column) => begin(openOf(null), placeOf(line, column)),
    onObjectProperty: (name, _offset, _length, line, column) =>
      openMember(innermost(), name, placeOf(line, column)),
    onLiteralValue: add,
    onObjectEnd: () => add(Object.fromEntries(open.pop()?.entries ?? [])),
    onArrayEnd: () => add(open.pop()?.items ?? []),
    onError: (code, _offset, _length, line, column) => {
      const within = innermost().entries === null ? 'list' : 'object'
      throw misreading(placeOf(line, column), problemOf(printParseErrorCode(code), within))
    },
  }
  visit(text, visitor, { allowTrailingComma: true })
  return root.items[0]
}

const openOf = (entries: Open['entries']): Open => ({ entries, items: [], places: new Map(), name: '' })

function openMember(open: Open, name: string, place: Place): void {
  const first = open.places.get(name)
  if (first !== undefined) {
    const where = `on line ${first.line}, column ${first.column}`
    throw misreading(place, `${JSON.stringify(name)} is given here again, first ${where}: remove one of them`)
  }
  open.places.set(name, place)
  open.name = name
}

/** The parser counts from 0. */
const placeOf = (line: number, column: number): Place => ({ line: line + 1, column: column + 1 })

const misreading = (place: Place, problem: string): Misreading => new Misreading({ ...place, problem })

function problemOf(code: string, within: 'object' | 'list'): string {
  switch (code) {
    case 'CommaExpected':
      return within === 'object' ? 'expected "," or "}"' : 'expected "," or "]"'
    case 'PropertyNameExpected':
      return 'expected a name in double quotes or "}"'
    default:
      return own(PROBLEMS, code) ?? 'this is not JSON: names and texts are in double quotes'
  }
}

const PROBLEMS: Record<string, string> = {
  ColonExpected: 'expected ":"',
  ValueExpected: 'expected a value',
  CloseBraceExpected: 'expected "}"',
  CloseBracketExpected: 'expected "]"',
  EndOfFileExpected: 'expected nothing more',
  UnexpectedEndOfComment: 'expected the "*/" of this comment',
  UnexpectedEndOfString: 'expected the double quote that ends this text, on the same line',
  InvalidUnicode: 'expected four hex digits after "\\u" in this text',
  InvalidEscapeCharacter: 'expected one of "\\/bfnrtu after the backslash in this text',
  InvalidCharacter: 'expected no control character in this text: write it as "\\u0000"',
}
