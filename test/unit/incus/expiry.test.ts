import { describe, expect, test } from 'vitest'
import { expiresAt, parseExpiry } from '../../../shared/incus/expiry.ts'

describe('parseExpiry', () => {
  test.each([
    ['7d', { d: 7 }],
    ['1m 12H', { m: 1, H: 12 }],
    [' 3d ', { d: 3 }],
    ['1S 2M 3H 4d 5w 6m 7y', { S: 1, M: 2, H: 3, d: 4, w: 5, m: 6, y: 7 }],
    ['007d', { d: 7 }],
  ])('takes "%s"', (text, expiry) => {
    expect(parseExpiry(text)).toEqual({ ok: true, value: expiry })
  })

  test.each([
    ['', '"" is not a number with its unit'],
    ['1h', '"1h" is not a number with its unit'],
    ['1D', '"1D" is not'],
    ['3d4w', '"3d4w" is not'],
    ['3d  4w', '"" is not'],
    ['-1d', '"-1d" is not'],
    ['1.5d', '"1.5d" is not'],
    ['7', '"7" is not'],
    ['0d', '"0d" would expire at once'],
    ['1w 0H', '"0H" would expire at once'],
    ['1d 2d', 'd is there twice'],
    ['9999y', 'more than 1000 years'],
    ['99999999999999999999d', 'more than 1000 years'],
  ])('refuses "%s"', (text, problem) => {
    const parsed = parseExpiry(text)
    expect(parsed).toMatchObject({ ok: false, error: expect.stringContaining(problem) })
    expect(parsed).toMatchObject({
      error: expect.stringMatching(/^expected an Incus expiry like "7d".* got "/),
    })
  })
})

describe('expiresAt', () => {
  test.each([
    ['1S', '2026-11-22T03:00:00Z', '2026-11-22T03:00:01.000Z'],
    ['90M', '2026-11-22T03:00:00Z', '2026-11-22T04:30:00.000Z'],
    ['36H', '2026-11-22T03:00:00Z', '2026-11-23T15:00:00.000Z'],
    ['7d', '2026-11-22T03:00:00Z', '2026-11-29T03:00:00.000Z'],
    ['2w 1d', '2026-11-22T03:00:00Z', '2026-12-07T03:00:00.000Z'],
    ['1m', '2026-11-22T03:00:00Z', '2026-12-22T03:00:00.000Z'],
    ['1y', '2026-11-22T03:00:00Z', '2027-11-22T03:00:00.000Z'],
    ['1m', '2026-01-31T03:00:00Z', '2026-03-03T03:00:00.000Z'],
    ['1y', '2028-02-29T03:00:00Z', '2029-03-01T03:00:00.000Z'],
    ['2m', '2026-12-31T23:30:00.250Z', '2027-03-03T23:30:00.250Z'],
  ])('%s after %s is %s', (expression, from, at) => {
    expect(expiresAt(expression, new Date(from)).toISOString()).toBe(at)
  })

  test('leaves the date it was given alone', () => {
    const from = new Date('2026-11-22T03:00:00Z')
    expiresAt('1y', from)
    expect(from.toISOString()).toBe('2026-11-22T03:00:00.000Z')
  })

  test('throws on an expression that should not have come so far', () => {
    expect(() => expiresAt('0d', new Date(0))).toThrow('would expire at once')
  })
})
