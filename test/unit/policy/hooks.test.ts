/** Hooks that the relay doesn't have, or not for an instance. */
import { describe, expect, test } from 'vitest'
import { hookWarnings } from '../../../shared/policy/hooks.ts'

const KEY = 'main/default/shop'
const REF = { remote: 'main', project: 'default', instance: 'shop' }

const covered = (together: object | null, type = 'container') =>
  [{ ref: REF, key: KEY, record: { type }, policy: { together } }] as never

const relay = (hooks?: Record<string, string[]>) =>
  ({ main: { ok: true, inventory: { rules: { ...(hooks === undefined ? {} : { hooks }) } } } }) as never

const POLICY = { name: 'hourly', paused: false }
const DB = { pause: 30, hook: { name: 'db', otherwise: 'fail' } }

describe('a hook', () => {
  test.each([
    ['that the relay lacks', { web: ['main/*'] }, 'policy hourly', 'no hook "db" (relay.jsonc knows web)'],
    ['where it has none at all', {}, 'policy hourly', 'no hook "db" (relay.jsonc has no hooks)'],
    [
      'for other instances',
      { db: ['main/default/db-*'] },
      KEY,
      "isn't for it, so while it runs it gets no snapshots",
    ],
  ])('%s is told', (_, hooks, about, reason) => {
    expect(hookWarnings(POLICY, covered(DB), relay(hooks as never))).toEqual([
      { about, reason: expect.stringContaining(reason) },
    ])
  })

  test('says what is done instead, where the policy says so', () => {
    const otherwise = { ...DB, hook: { name: 'db', otherwise: 'pause' } }
    const [told] = hookWarnings(POLICY, covered(otherwise), relay({}))
    expect(told?.reason).toContain('it stands still instead')
  })

  test.each([
    ['that fits', covered(DB), relay({ db: ['main/default/sh*'] })],
    ['of a volume, which runs none', covered(DB, 'volume'), relay({})],
    ['that nobody names', covered({ pause: 30 }), relay({})],
    ['of a relay that doesn’t say which it has', covered(DB), relay()],
    ['on a server that gave no answer', covered(DB), { main: { ok: false, error: {} } } as never],
  ])('%s is no reason for a warning', (_, all, replies) => {
    expect(hookWarnings(POLICY, all, replies)).toEqual([])
  })

  test('of a policy that is paused is none either', () => {
    expect(hookWarnings({ ...POLICY, paused: true }, covered(DB), relay({}))).toEqual([])
  })
})
