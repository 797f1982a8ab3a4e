/** The `export` of a policy. */
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../shared/policy/parse.ts'
import { parseStored } from '../../../shared/policy/stored.ts'

const configOf = (policy: object, defaults: object = {}) =>
  parseConfig({ defaults: { remotes: ['main'], schedule: '@hourly', ...defaults }, policies: { p: policy } })

const exportOf = (policy: object, defaults: object = {}) => {
  const parsed = configOf(policy, defaults)
  if (!parsed.ok) throw new Error(parsed.error[0]?.message)
  return parsed.value.policies[0]?.export
}

describe('exports by policy', () => {
  test('are daily and read again every 30 days, unless the policy or the defaults say otherwise', () => {
    expect(exportOf({})).toBeNull()
    expect(exportOf({ export: { to: 'nas' } })).toEqual({
      ...{ to: 'nas', schedule: ['0 0 * * *'], optimized: false, check: 30 * 86_400, keep: {} },
    })
    const defaults = { export: { to: 'nas', check: 'never' } }
    expect(exportOf({}, defaults)).toMatchObject({ to: 'nas', check: null })
    expect(exportOf({ export: { schedule: '@weekly' } }, defaults)).toMatchObject({
      ...{ to: 'nas', schedule: ['0 0 * * 0'], check: null },
    })
    expect(exportOf({ export: false }, defaults)).toBeNull()
  })

  test('keep what they say, each policy or the defaults, and all of it where nobody says so', () => {
    const defaults = { export: { to: 'nas', keep: { daily: 7 } } }
    expect(exportOf({}, defaults)).toMatchObject({ keep: { daily: 7 } })
    expect(exportOf({ export: { keep: { monthly: 12, daily: 0 } } }, defaults)).toMatchObject({
      keep: { monthly: 12 },
    })
    expect(exportOf({ export: { to: 'nas', keep: { within: '0d' } } })).toMatchObject({ keep: {} })
    expect(configOf({ export: { to: 'nas', keep: { weeks: 3 } } })).toMatchObject({ ok: false })
  })

  test.each([
    [{ schedule: '@weekly' }, /policies\.p\.export\.to: expected the store/],
    [{ to: 'NAS' }, /export\.to: expected the name of a store/],
    [
      { to: 'nas', check: 'often' },
      /export\.check: expected a duration .*, got "often" \("never" for none\)/,
    ],
    [{ to: 'nas', schedule: 'sometimes' }, /export\.schedule/],
    [{ to: 'nas', keeps: 3 }, /export\.keeps/],
  ])('%j is refused', (wish, said) => {
    const parsed = configOf({ export: wish })
    expect(parsed.ok ? '' : parsed.error.map(({ path, message }) => `${path}: ${message}`).join()).toMatch(
      said,
    )
  })

  test('are still there in a configuration that a later version rejects, and absent in an earlier one', () => {
    const parsed = configOf({ export: { to: 'nas' }, promise: { export: '8d' } })
    if (!parsed.ok) throw new Error(parsed.error[0]?.message)
    const stored = {
      version: '1',
      appliedAt: '2026-11-20T00:00:00.000Z',
      document: { policies: { p: { a: 1 } } },
    }
    const found = parseStored({ ...stored, config: parsed.value }).stored?.config.policies[0]
    expect(found).toMatchObject({ export: { to: 'nas' }, promise: { export: 8 * 86_400 } })
    const [policy] = parsed.value.policies
    const { export: _, ...earlier } = policy ?? {}
    const before = parseStored({ ...stored, config: { policies: [earlier] } }).stored?.config.policies[0]
    expect(before?.export ?? null).toBeNull()
  })
})
