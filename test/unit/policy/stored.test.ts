import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseStored, type StoredConfig } from '../../../shared/policy/stored.ts'
import { EVIL, pathsOf, replaced } from '../ledger/malformed.ts'

/** As the first published version wrote it. */
const WRITTEN = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/state/config-2026-11.json'), 'utf8'),
) as StoredConfig

test('what an earlier version wrote is read whole', () => {
  const { stored, problems } = parseStored(WRITTEN)
  expect(problems).toEqual([])
  expect(stored).toEqual({ ...WRITTEN, config: stored?.config })
  expect(stored?.config).toMatchObject(WRITTEN.config)
})

describe('a document that this version refuses', () => {
  const refused = { ...WRITTEN, document: { policies: { daily: { sometimes: true } } } }

  test('holds as an earlier version understood it, and that is told', () => {
    const { stored, problems } = parseStored(refused)
    expect(stored?.config).toMatchObject(WRITTEN.config)
    expect(problems).toEqual([expect.stringMatching(/rejects the applied configuration.*apply your stapes/)])
    expect(stored?.problems).toEqual(problems)
  })

  test('what came into the form of a policy since has its default', () => {
    const [first, ...others] = WRITTEN.config.policies
    const { approval: _, ...older } = first ?? {}
    const config = { ...WRITTEN.config, policies: [{ ...older, catchup: 600 }, ...others] }
    // Of what every version wrote, nothing may be absent: such a policy is lost alone.
    const { stored, problems } = parseStored({ ...refused, config })
    expect(stored?.config.policies.map(({ name }) => name)).toEqual(others.map(({ name }) => name))
    expect(problems[1]).toMatch(/can't be read: a policy/)
  })
})

test.each(EVIL)('%s anywhere never throws, and nothing that holds is malformed', (evil) => {
  const without = { ...WRITTEN, document: null }
  for (const base of [WRITTEN, without])
    for (const path of pathsOf(base)) {
      const { stored, problems } = parseStored(replaced(base, path, evil))
      if (stored === null) expect(problems).toHaveLength(1)
      else
        expect(parseStored({ ...stored, document: null }).stored?.config.policies).toEqual(
          stored.config.policies,
        )
    }
})

test('a pause that can’t be read holds until the configuration is applied again, and costs no other one', () => {
  const good = { by: 'ann', at: '2026-11-21T00:00:00.000Z', until: null }
  const pauses = { hourly: good, daily: { ...good, until: '9999' } }
  const found = parseStored({ ...WRITTEN, pauses })
  expect(found.pauses).toEqual({ hourly: good })
  expect(found.stored?.pauses).toMatchObject({ hourly: good, daily: { until: null } })
  expect(found.problems).toEqual([
    expect.stringContaining('the pause of daily, which counts as paused until then'),
  ])
  const began = { at: '2026-11-01T00:00:00.000Z', nonce: 'n' }
  expect(parseStored({ pauses, began })).toMatchObject({ stored: null, pauses: { hourly: good }, began })
})

test('nothing readable says what to do', () => {
  for (const value of [null, 7, [], {}, { config: [] }, { document: {}, config: { policies: 'all' } }])
    expect(parseStored(value)).toMatchObject({
      stored: null,
      problems: [expect.stringMatching(/nothing is backed up.*apply your stapes\.jsonc again/)],
    })
})
