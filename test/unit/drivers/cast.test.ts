import { expect, test } from 'vitest'
import { parseConfig } from '../../../shared/policy/parse.ts'
import { documentFor, PAIRS } from '../../drivers/cast.ts'

test('the configuration of the drivers’ suite is valid, and covers each pair by one policy', () => {
  const parsed = parseConfig(documentFor(new Date('2026-11-26T15:07:00Z')))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const covered = parsed.value.policies.flatMap(({ copy, select }) => (copy === null ? [] : select.instances))
  expect(covered.sort()).toEqual(PAIRS.map(({ instance }) => instance).sort())
})
