import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileGlobs, compilePaths, mayOverlap } from '../../../shared/policy/glob.ts'

describe('a glob', () => {
  test.each([
    ['web1', 'web1', true],
    ['web1', 'web10', false],
    ['web1', 'aweb1', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['web*', 'web', true],
    ['web*', 'db-web1', false],
    ['*web*', 'db-web1', true],
    ['web?', 'web1', true],
    ['web?', 'web', false],
    ['web?', 'web12', false],
    ['?*', '', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['*ab', 'aab', true],
    ['a.c', 'abc', false],
    ['Web*', 'web1', false],
    ['[a-z]', 'b', false],
  ])('%s over "%s": %s', (pattern, name, fits) => {
    expect(compileGlobs([pattern])(name)).toBe(fits)
  })

  test('says what the same pattern says as an anchored expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, (glob, name) => {
        const source = glob.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')
        expect(compileGlobs([glob])(name)).toBe(new RegExp(`^${source}$`).test(name))
      }),
      { numRuns: 2000 },
    )
  })

  // Backtracking would take longer than any test may.
  test('ends on patterns that make expressions backtrack', () => {
    const glob = compileGlobs([`${'*a'.repeat(60)}*b`])
    expect(glob('a'.repeat(5000))).toBe(false)
  })
})

test.each([
  ['tmp-*', true],
  ['default/tmp-*', true],
  ['main/default/tmp-*', true],
  ['*/default/tmp-1', true],
  ['other/tmp-*', false],
  ['backup/default/tmp-*', false],
  ['*tmp-1', true],
  ['main*tmp-1', false],
  ['*/*/*', true],
])('over main/default/tmp-1, the path %s matches: %s', (pattern, fits) => {
  expect(compilePaths([pattern])(['main', 'default', 'tmp-1'])).toBe(fits)
})

test('two globs that share a name are never said to be apart', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 5 })
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 5 })
  fc.assert(
    fc.property(pattern, pattern, name, (one, other, shared) => {
      fc.pre(compileGlobs([one])(shared) && compileGlobs([other])(shared))
      expect(mayOverlap([one], [other])).toBe(true)
    }),
    { numRuns: 1000 },
  )
})
