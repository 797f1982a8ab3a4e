/**
 * `filter=` of lists: `eq ne and or not ( )`. Values are case-insensitive, anchored regular expressions;
 * keys walk into the objects and may themselves hold dots (`config.user.x`).
 */
import { Refusal } from './envelope.ts'

type Row = Record<string, unknown>
type Test = (row: Row) => boolean

export function matcher(filter: string): Test {
  const tokens = filter.match(/[()]|"[^"]*"|[^\s()]+/g) ?? []
  const at = { tokens, next: 0 }
  const test = either(at)
  if (at.next < tokens.length) throw new Refusal(400, 'Invalid filter: clause has no operator')
  return test
}

type Position = { tokens: string[]; next: number }

function either(at: Position): Test {
  const tests = [both(at)]
  while (at.tokens[at.next] === 'or') {
    at.next++
    tests.push(both(at))
  }
  return (row) => tests.some((test) => test(row))
}

function both(at: Position): Test {
  const tests = [clause(at)]
  while (at.tokens[at.next] === 'and') {
    at.next++
    tests.push(clause(at))
  }
  return (row) => tests.every((test) => test(row))
}

function clause(at: Position): Test {
  const token = at.tokens[at.next++]
  if (token === 'not') {
    const test = clause(at)
    return (row) => !test(row)
  }
  if (token !== '(') return comparison(token, at.tokens[at.next++], at.tokens[at.next++])
  const test = either(at)
  if (at.tokens[at.next++] !== ')') throw new Refusal(400, 'Invalid filter: unterminated expression')
  return test
}

function comparison(key: string | undefined, operator: string | undefined, value: string | undefined): Test {
  if (key === undefined || operator === undefined)
    throw new Refusal(400, 'Invalid filter: clause has no operator')
  if (value === undefined) throw new Refusal(400, 'Invalid filter: clause has no value')
  if (operator !== 'eq' && operator !== 'ne')
    throw new Refusal(400, `Invalid filter: unknown operator "${operator}"`)
  const pattern = new RegExp(`^(?:${value.replace(/^"|"$/g, '')})$`, 'i')
  return (row) => pattern.test(textOf(row, key)) === (operator === 'eq')
}

function textOf(row: Row, key: string): string {
  const value = walk(row, key)
  if (typeof value === 'object' || value === undefined) return missing(row, key)
  return String(value)
}

/** A config key that isn't set is empty; any other unknown field is an error. */
function missing(row: Row, key: string): string {
  if (typeof row[key.split('.')[0] ?? ''] === 'object') return ''
  throw new Refusal(500, `Invalid type "invalid" for field "${key}"`)
}

function walk(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.hasOwn(value, key)) return (value as Row)[key]
  const dot = key.indexOf('.')
  return dot < 0 ? undefined : walk((value as Row)[key.slice(0, dot)], key.slice(dot + 1))
}
