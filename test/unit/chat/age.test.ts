import { describe, expect, test } from 'vitest'
import { ageOf, parseProgress, sizeOf, spanOf } from '../../../shared/chat/age.ts'

const HOUR = 3_600_000

test.each([
  ['nothing', 0, '0 s'],
  ['the past of the future', -5, '0 s'],
  ['a minute', 60_000, '60 s'],
  ['an hour', HOUR, '60 min'],
  ['three hours and a half', 3.5 * HOUR, '3 h'],
  ['a day', 24 * HOUR, '24 h'],
  ['two days', 48 * HOUR, '2 days'],
  ['half a year', 182 * 24 * HOUR, '6 months'],
  ['three years', 1100 * 24 * HOUR, '3 years'],
])('%s is said in one unit', (_, ms, said) => {
  expect(spanOf(ms)).toBe(said)
})

test('an age is counted from its moment', () => {
  expect(ageOf('2026-11-22T03:00:00.000Z', new Date('2026-11-22T12:30:00Z'))).toBe('9 h')
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1400, '1.4 kB'],
  [9_960_000, '10 MB'],
  [999_600_000, '1.0 GB'],
  [1_210_000_000, '1.2 GB'],
  [5e21, '5000 EB'],
])('%d bytes are %s', (bytes, said) => {
  expect(sizeOf(bytes)).toBe(said)
})

describe('Incus’s progress', () => {
  test('is an amount and a rate, of what is transferred now', () => {
    expect(parseProgress('rootfs: 1.21GB (120.50MB/s)')).toEqual({
      of: 'rootfs',
      bytes: 1_210_000_000,
      bytesPerSecond: 120_500_000,
      percent: null,
    })
    expect(parseProgress('c1/snap2: 69.66MB (34.82MB/s)')?.of).toBe('c1/snap2')
    expect(parseProgress('512B (0B/s)')).toEqual({ of: null, bytes: 512, bytesPerSecond: 0, percent: null })
  })

  test('and the relay’s own is of a whole that is known', () => {
    expect(parseProgress('export (45 %): 1.21GB (120.50MB/s)')).toMatchObject({ of: 'export', percent: 45 })
  })

  test('is left as it is in any other form', () => {
    for (const text of ['', 'rootfs: 45%', 'rootfs: 1.2GB', '1.2.3GB (1MB/s)'])
      expect(parseProgress(text)).toBeNull()
  })
})
