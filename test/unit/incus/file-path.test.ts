import { describe, expect, test } from 'vitest'
import { parsePath } from '../../../shared/incus/file-path.ts'

describe('a path of a file', () => {
  test.each([
    ['/', '/'],
    ['//etc///hosts/', '/etc/hosts'],
    ['/with space/and "quote"', '/with space/and "quote"'],
    ['/.hidden/..more', '/.hidden/..more'],
  ])('%j is %j', (given, path) => {
    expect(parsePath(given)).toEqual({ ok: true, value: path })
  })

  test.each([
    ['etc/hosts', 'begins with "/"'],
    ['', 'begins with "/"'],
    ['/etc/../root', 'no ".."'],
    ['/./etc', 'no "."'],
    ['/etc/..', 'no ".."'],
    ['/a\0b', 'no NUL'],
    ['/\ud800', 'well-formed'],
    [`/${'x'.repeat(5000)}`, 'at most'],
  ])('%j is refused', (given, why) => {
    expect(parsePath(given)).toEqual({ ok: false, error: expect.stringContaining(why) })
  })
})
