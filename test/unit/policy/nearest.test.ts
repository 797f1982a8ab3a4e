import { expect, test } from 'vitest'
import { nearest } from '../../../shared/policy/nearest.ts'

const known = ['last', 'hourly', 'daily', 'weekly', 'withinHourly', 'transferMode', 'keep']

test.each([
  ['a letter wrong', 'dayly', 'daily'],
  ['letters swapped', 'huorly', 'hourly'],
  ['letters of a short word swapped', 'dialy', 'daily'],
  ['a letter missing', 'kep', 'keep'],
  ['another spelling', 'within-hourly', 'withinHourly'],
  ['another case', 'TRANSFER_MODE', 'transferMode'],
  ['nothing like it', 'retention', null],
  ['a short word that is another', 'cron', null],
  ['nothing at all', '', null],
])('%s: %s means %s', (_, word, meant) => {
  expect(nearest(word, known)).toBe(meant)
})
