import { describe, expect, test } from 'vitest'
import { matcher } from '../../emulator/filter.ts'

const rows = [
  { name: 'sc00', status: 'Running', config: { 'user.backup': 'daily' } },
  { name: 'sc005', status: 'Stopped', config: {} },
  { name: 'db', status: 'Running', config: { 'user.backup': 'weekly' } },
]

const found = (filter: string): string[] => rows.filter(matcher(filter)).map(({ name }) => name)

describe('a filter', () => {
  test.for<[string, string[]]>([
    ['name eq sc00', ['sc00']],
    ['name eq SC005', ['sc005']],
    ['name eq sc00.*', ['sc00', 'sc005']],
    ['name ne db', ['sc00', 'sc005']],
    ['config.user.backup eq daily', ['sc00']],
    ['status eq running and not name eq db', ['sc00']],
    ['name eq db or (status eq stopped and name eq sc.*)', ['sc005', 'db']],
  ])('%s', ([filter, names]) => {
    expect(found(filter)).toEqual(names)
  })

  test.for<[string, string]>([
    ['name eq', 'Invalid filter: clause has no value'],
    ['bogus eq x', 'Invalid type "invalid" for field "bogus"'],
  ])('%s is refused', ([filter, error]) => {
    expect(() => found(filter)).toThrow(error)
  })
})
