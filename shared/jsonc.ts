/**
 * JSON with comments and trailing commas. Its tokens are checked against the grammar here, because an error
 * of JSON.parse doesn't always tell where it is; JSON.parse itself then makes the value of them.
 */
import { err, ok, type Result } from './result.ts'

/** `line` counts from 1; `problem` says what was expected there. */
export type Misread = { line: number; problem: string }

const GAP = /(?:\s+|\/\/.*|\/\*[\s\S]*?\*\/)*/y
/** Control characters don't stand in strings. */
const TOKEN =
  /[{}[\],:]|"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)|(?:true|false|null)(?!\w)/uy

/** What may come next, and how it is called. */
const PLACES = {
  value: [/^["[{\-\dtfn]/, 'a value'],
  item: [/^["[{\-\dtfn\]]/, 'a value or "]"'],
  key: [/^["}]/, 'a name in double quotes or "}"'],
  colon: [/^:/, '":"'],
  afterItem: [/^[,\]]/, '"," or "]"'],
  afterMember: [/^[,}]/, '"," or "}"'],
  end: [/^$/, 'nothing more'],
} as const

type Place = keyof typeof PLACES

export function parseJsonc(text: string): Result<unknown, Misread> {
  const open: string[] = []
  let strict = ''
  let comma = ''
  let place: Place = 'value'
  for (let at = endOf(GAP, text, 0); at < text.length || place !== 'end'; ) {
    const end = endOf(TOKEN, text, at)
    const token = text.slice(at, end)
    const [expected, name] = PLACES[place]
    if (token === '' || !expected.test(token))
      return err({ line: text.slice(0, at).split('\n').length, problem: `expected ${name}` })
    if (token === '[' || token === '{') open.push(token)
    else if (token === ']' || token === '}') open.pop()
    place = next(place, token, open.at(-1))
    // A comma waits for what comes after it: before an end it is one too many.
    if (token !== ',') strict += /[\]}]/.test(token[0] ?? '') ? token : comma + token
    comma = token === ',' ? token : ''
    at = endOf(GAP, text, end)
  }
  return ok(JSON.parse(strict))
}

/** `within`: the bracket that is open. */
function next(place: Place, token: string, within: string | undefined): Place {
  if (token === ':') return 'value'
  if (token === '[' || (token === ',' && within === '[')) return 'item'
  if (token === '{' || token === ',') return 'key'
  if (place === 'key' && token !== '}') return 'colon'
  if (within === undefined) return 'end'
  return within === '[' ? 'afterItem' : 'afterMember'
}

/** Where it ends that begins `at`, or `at` itself. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
