import { describe, expect, test } from 'vitest'
import { parseDuration } from '../../../shared/schedule/duration.ts'

describe('parseDuration', () => {
  test.each([
    ['90s', 90],
    ['15m', 900],
    ['12h', 43_200],
    ['1d', 86_400],
    ['1h30m', 5400],
    ['2d3h4m5s', 183_845],
    ['0s', 0],
    [' 5m ', 300],
  ])('"%s" is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: seconds })
  })

  test.each(['', ' ', '5', 'm', '30m1h', '1h1h', '1h 30m', '1w', '1.5h', '-1h', '1H', '5min', '1234567s'])(
    'refuses "%s" and says what is expected',
    (text) => {
      expect(parseDuration(text)).toMatchObject({
        ok: false,
        error: expect.stringMatching(/^expected a duration .* like "90s", "15m" or "1h30m", got "/),
      })
    },
  )
})
