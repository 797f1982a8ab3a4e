import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonc } from '../../shared/jsonc.ts'

const read: { name: string; text: string; as: unknown }[] = [
  { name: 'comments', text: '// a\n{ /* b */ "c" /**/ : 1 // d\n}\n// e', as: { c: 1 } },
  { name: 'trailing commas', text: '{ "a": [1, 2,], "b": {"c": 3 , } , }', as: { a: [1, 2], b: { c: 3 } } },
  { name: 'a comment after the last comma', text: '[1, // one\n]', as: [1] },
  {
    name: 'what looks like a comment in a string',
    text: '["//", "/*", "*/", ",]"]',
    as: ['//', '/*', '*/', ',]'],
  },
  { name: 'escapes', text: String.raw`["\"\\\/\n\u00fc", "}"]`, as: ['"\\/\nü', '}'] },
  { name: 'numbers', text: '[0, -1, 1.5, 2e3, -0.1E-2]', as: [0, -1, 1.5, 2000, -0.001] },
  { name: 'a single value', text: ' true ', as: true },
  { name: 'a byte order mark', text: '\ufeff{}', as: {} },
  { name: 'what is empty', text: '{"a": [], "b": {}}', as: { a: [], b: {} } },
]

test.each(read)('$name: read', ({ text, as }) => {
  expect(parseJsonc(text)).toEqual({ ok: true, value: as })
})

test('a member called __proto__ is a member like others', () => {
  const parsed = parseJsonc('{"__proto__": {"a": 1}}')
  expect(parsed.ok && Object.keys(parsed.value as object)).toEqual(['__proto__'])
})

const NO_JSON = 'this is not JSON: names and texts are in double quotes'
const AGAIN = (name: string, line: number, column: number): string =>
  `"${name}" is given here again, first on line ${line}, column ${column}: remove one of them`

/** Line and column, and what is said of them. */
const refused: [name: string, text: string, line: number, column: number, problem: string][] = [
  ['nothing', '', 1, 1, 'expected a value'],
  ['a comment alone', '// a\n', 2, 1, 'expected a value'],
  ['a missing comma', '{\n"a": 1\n"b": 2\n}', 3, 1, 'expected "," or "}"'],
  ['a missing comma in a list', '[1 2]', 1, 4, 'expected "," or "]"'],
  ['a missing colon', '{"a"\n1}', 2, 1, 'expected ":"'],
  ['a missing value', '{"a":\n}', 2, 1, 'expected a value'],
  ['a number as a name', '{1: 2}', 1, 2, 'expected a name in double quotes or "}"'],
  ['a name without quotes', '{\n\n a: 1}', 3, 2, NO_JSON],
  ['single quotes', "['a']", 1, 2, NO_JSON],
  ['a list that is not closed', '[1,\n2\n', 3, 1, 'expected "]"'],
  ['an object that is not closed', '{"a": {}', 1, 9, 'expected "}"'],
  ['the wrong bracket', '[1}', 1, 3, 'expected "," or "]"'],
  ['a comma alone', '[,]', 1, 2, 'expected a value'],
  ['two commas', '[1,,]', 1, 4, 'expected a value'],
  ['a comma after everything', '{},', 1, 3, 'expected nothing more'],
  ['two values', '{}\n{}', 2, 1, 'expected nothing more'],
  [
    'a text over two lines',
    '[\n"a\nb"]',
    2,
    1,
    'expected the double quote that ends this text, on the same line',
  ],
  [
    'an unknown escape',
    String.raw`["\x"]`,
    1,
    2,
    'expected one of "\\/bfnrtu after the backslash in this text',
  ],
  ['an escape that is cut', String.raw`["\u12"]`, 1, 2, 'expected four hex digits after "\\u" in this text'],
  ['a tab in a text', '["\t"]', 1, 2, 'expected no control character in this text: write it as "\\u0000"'],
  ['a comment that is not closed', '{}\n/* a', 2, 1, 'expected the "*/" of this comment'],
  ['an octal number', '[01]', 1, 3, 'expected "," or "]"'],
  ['a number and a word', '[1a]', 1, 3, NO_JSON],
  ['another word', '[nulls]', 1, 2, NO_JSON],
  ['two members of one name', '{"a": 1,\n  "a": 2}', 2, 3, AGAIN('a', 1, 2)],
  ['two members of one name, inside', '[{"b": {"a": 1, /* \n */ "a": 1}}]', 2, 5, AGAIN('a', 1, 9)],
  ['one name in two spellings', String.raw`{"a": 1, "\u0061": 2}`, 1, 10, AGAIN('a', 1, 2)],
  ['two members called __proto__', '{"__proto__": 1, "__proto__": 2}', 1, 18, AGAIN('__proto__', 1, 2)],
]

test.each(refused)('%s: refused with its place', (_, text, line, column, problem) => {
  expect(parseJsonc(text)).toEqual({ ok: false, error: { line, column, problem } })
})

test('one name may stand in two objects', () => {
  expect(parseJsonc('{"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}').ok).toBe(true)
})

test('a file of Windows is read, and its lines are counted as an editor counts them', () => {
  expect(parseJsonc('\ufeff{\r\n "a": 1\r\n}\r\n')).toEqual({ ok: true, value: { a: 1 } })
  expect(parseJsonc('\ufeff{\r\n "a": 1\r\n "b": 1}')).toMatchObject({ error: { line: 3, column: 2 } })
})

describe('against others', () => {
  test('JSON is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJsonc(text)).toEqual({ ok: true, value: JSON.parse(text) })
      }),
    )
  })

  test('any text of the pieces of JSON is read as JSON.parse reads it without comments, or refused', () => {
    const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"b"', '1', 'null', '/* , */', '// ]\n', ' ']
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 })
    let taken = 0
    const agrees = (given: string[]): void => {
      const ours = parseJsonc(given.join(''))
      const bare = given.map((piece) => (piece.startsWith('/') ? ' ' : piece)).join('')
      const strict = bare.replaceAll(/,(?=\s*[\]}])/g, '')
      if (ours.ok) {
        taken += 1
        expect(ours.value).toEqual(JSON.parse(strict))
      } else if (bare === strict && !ours.error.problem.includes('again')) {
        expect(() => JSON.parse(bare)).toThrow()
      }
    }
    fc.assert(fc.property(text, agrees), { numRuns: 5000 })
    expect(taken).toBeGreaterThan(20)
  })

  test('two million characters of anything are no trouble', () => {
    const many = 2 * 1024 * 1024
    const deep = parseJsonc('['.repeat(many))
    expect(deep).toMatchObject({ ok: false, error: { line: 1, column: 101 } })
    expect(parseJsonc(`["${'a'.repeat(many)}"]`).ok).toBe(true)
    expect(parseJsonc(`["${'a'.repeat(many)}`).ok).toBe(false)
    expect(parseJsonc(`${' \n'.repeat(many / 2)}1`)).toEqual({ ok: true, value: 1 })
    expect(parseJsonc(`${'/**/'.repeat(many / 4)}1`)).toEqual({ ok: true, value: 1 })
    expect(parseJsonc(`/*${'*'.repeat(many)}`).ok).toBe(false)
  })
})
