import fc from 'fast-check'
import { type ParseError, parse } from 'jsonc-parser'
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
  { name: 'the last of two members of one name', text: '{"a": 1, "a": 2}', as: { a: 2 } },
]

test.each(read)('$name: read', ({ text, as }) => {
  expect(parseJsonc(text)).toEqual({ ok: true, value: as })
})

test('a member called __proto__ is a member like others', () => {
  const parsed = parseJsonc('{"__proto__": {"a": 1}}')
  expect(parsed.ok && Object.keys(parsed.value as object)).toEqual(['__proto__'])
})

const refused: { name: string; text: string; line: number; problem: string }[] = [
  { name: 'nothing', text: '', line: 1, problem: 'expected a value' },
  { name: 'a comment alone', text: '// a\n', line: 2, problem: 'expected a value' },
  { name: 'a missing comma', text: '{\n"a": 1\n"b": 2\n}', line: 3, problem: 'expected "," or "}"' },
  { name: 'a missing colon', text: '{"a"\n1}', line: 2, problem: 'expected ":"' },
  { name: 'a missing value', text: '{"a":\n}', line: 2, problem: 'expected a value' },
  {
    name: 'a name without quotes',
    text: '{\n\n a: 1}',
    line: 3,
    problem: 'expected a name in double quotes or "}"',
  },
  { name: 'single quotes', text: "['a']", line: 1, problem: 'expected a value or "]"' },
  { name: 'a list that is not closed', text: '[1,\n2\n', line: 3, problem: 'expected "," or "]"' },
  { name: 'the wrong bracket', text: '[1}', line: 1, problem: 'expected "," or "]"' },
  { name: 'a comma alone', text: '[,]', line: 1, problem: 'expected a value or "]"' },
  { name: 'two commas', text: '[1,,]', line: 1, problem: 'expected a value or "]"' },
  { name: 'a comma after everything', text: '{},', line: 1, problem: 'expected nothing more' },
  { name: 'two values', text: '{}\n{}', line: 2, problem: 'expected nothing more' },
  { name: 'a string over two lines', text: '[\n"a\nb"]', line: 2, problem: 'expected a value or "]"' },
  { name: 'an unknown escape', text: String.raw`["\x"]`, line: 1, problem: 'expected a value or "]"' },
  { name: 'a comment that is not closed', text: '{}\n/* a', line: 2, problem: 'expected nothing more' },
  { name: 'an octal number', text: '[01]', line: 1, problem: 'expected a value or "]"' },
  { name: 'a number and a word', text: '[1a]', line: 1, problem: 'expected a value or "]"' },
  { name: 'another word', text: '[nulls]', line: 1, problem: 'expected a value or "]"' },
]

test.each(refused)('$name: refused with its line', ({ text, line, problem }) => {
  expect(parseJsonc(text)).toEqual({ ok: false, error: { line, problem } })
})

describe('against others', () => {
  test('JSON is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJsonc(text)).toEqual({ ok: true, value: JSON.parse(text) })
      }),
    )
  })

  test('any text of the pieces of JSON is taken and refused as jsonc-parser does', () => {
    const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '1', 'null', '/* , */', '// ]\n', ' ']
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((all) => all.join(''))
    let taken = 0
    const agrees = (given: string): void => {
      const errors: ParseError[] = []
      const value: unknown = parse(given, errors, { allowTrailingComma: true })
      const ours = parseJsonc(given)
      if (ours.ok) taken += 1
      expect({ given, ok: ours.ok }).toEqual({ given, ok: errors.length === 0 })
      if (ours.ok) expect(ours.value).toEqual(value)
    }
    fc.assert(fc.property(text, agrees), { numRuns: 5000 })
    expect(taken).toBeGreaterThan(20)
  })

  test('two million characters of anything are no trouble', () => {
    const many = 2 * 1024 * 1024
    const deep = parseJsonc('['.repeat(many))
    expect(deep).toMatchObject({ ok: false, error: { line: 1 } })
    expect(parseJsonc(`["${'a'.repeat(many)}"]`).ok).toBe(true)
    expect(parseJsonc(`["${'a'.repeat(many)}`).ok).toBe(false)
    expect(parseJsonc(`${' \n'.repeat(many / 2)}1`)).toEqual({ ok: true, value: 1 })
    expect(parseJsonc(`${'/**/'.repeat(many / 4)}1`)).toEqual({ ok: true, value: 1 })
    expect(parseJsonc(`/*${'*'.repeat(many)}`).ok).toBe(false)
  })
})
