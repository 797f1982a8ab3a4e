import { expect, test } from 'vitest'
import { whoTakes } from '../../../../shared/work/schedule/take-over.ts'

test.each([
  [['daily'], 'policy daily takes'],
  [['hourly', 'daily'], 'policies hourly and daily take'],
])('%s are named with their verb', (names, said) => {
  expect(whoTakes(names)).toBe(said)
})
