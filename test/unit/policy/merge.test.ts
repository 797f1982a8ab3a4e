import { describe, expect, test } from 'vitest'
import { holdsOf } from '../../../shared/policy/marks.ts'
import { type Effective, merge, unmerged } from '../../../shared/policy/merge.ts'
import { readOverrides } from '../../../shared/policy/overrides.ts'
import { describeOrigin } from '../../../shared/policy/provenance.ts'
import { configOf, recordOf, type Sketch } from './instances.ts'

const config = configOf({
  hourly: { keep: { hourly: 24 }, copy: { remote: 'backup' }, expiry: '7d' },
  daily: { schedule: '@daily', keep: { daily: 7 } },
})
const ref = { remote: 'main', project: 'default', instance: 'web1' }

function effectiveOf(sketch: Sketch, name = 'hourly'): Effective {
  const policy = config.policies.find((one) => one.name === name)
  if (policy === undefined) throw new Error(name)
  return merge(unmerged(policy), readOverrides(ref, recordOf('web1', sketch), config.policies))
}

const problemsOf = (own: Record<string, string>): string[] =>
  (readOverrides(ref, recordOf('web1', { own }), config.policies)?.problems ?? []).map(
    ({ message }) => message,
  )

describe('an instance that says nothing', () => {
  test.each([
    ['no keys', {}],
    ['keys of others', { 'user.tier': 'gold' }],
    [
      'marks and holds',
      {
        'user.stapes.replica-of': 'x',
        'user.stapes.replica-of.server': 'y',
        'user.stapes.verified': '',
        'user.stapes.hold.before-upgrade': 'true',
      },
    ],
    ['an empty key', { 'user.stapes.keep.daily': '' }],
  ])('shares the policy’s own object (%s)', (_, own) => {
    const policy = config.policies[0]
    if (policy === undefined) throw new Error('no policy')
    const base = unmerged(policy)
    expect(merge(base, readOverrides(ref, recordOf('web1', { own }), config.policies))).toBe(base)
    expect(base.policy).toBe(policy)
  })
})

describe('an override', () => {
  test.each([
    ['keep.daily', '30', { keep: { hourly: 24, daily: 30 } }],
    ['keep.hourly', '-1', { keep: { hourly: -1 } }],
    ['keep.hourly', '0', { keep: {} }],
    ['keep.withinDaily', '1m', { keep: { hourly: 24, withinDaily: '1m' } }],
    ['expiry', '90d', { expiry: '90d' }],
    ['expiry', 'never', { expiry: null }],
    ['stateful', 'true', { stateful: true }],
    ['stateful', 'possible', { stateful: 'possible' }],
    ['copy', 'false', { copy: null }],
    ['copy', 'no', { copy: null }],
  ])('%s=%s beats the document', (setting, value, expected) => {
    const { policy, blocked } = effectiveOf({ own: { [`user.stapes.${setting}`]: value } })
    expect(policy).toMatchObject(expected)
    if ('keep' in expected) expect(policy.keep).toEqual(expected.keep)
    expect(blocked).toBeNull()
  })

  test('for one policy says nothing about the other', () => {
    const own = { 'user.stapes.hourly.keep.daily': '3' }
    expect(effectiveOf({ own }).policy.keep).toEqual({ hourly: 24, daily: 3 })
    expect(effectiveOf({ own }, 'daily').policy.keep).toEqual({ daily: 7 })
  })

  test.each([
    ['first', { 'user.stapes.hourly.keep.hourly': '3', 'user.stapes.keep.hourly': '5' }],
    ['last', { 'user.stapes.keep.hourly': '5', 'user.stapes.hourly.keep.hourly': '3' }],
  ])('for one policy beats one for all, also when it is said %s', (_, own) => {
    expect(effectiveOf({ own }).policy.keep).toEqual({ hourly: 3 })
    expect(effectiveOf({ own }, 'daily').policy.keep).toEqual({ daily: 7, hourly: 5 })
  })

  test('for one policy can give back the copy that one for all takes', () => {
    const own = { 'user.stapes.copy': 'false', 'user.stapes.hourly.copy': 'true' }
    expect(effectiveOf({ own }).policy.copy?.remote).toBe('backup')
  })

  test('leaves the policy itself as it was', () => {
    effectiveOf({ own: { 'user.stapes.keep.hourly': '1' } })
    expect(config.policies[0]?.keep).toEqual({ hourly: 24 })
  })
})

/** A rule of `keep` that wasn't overridden comes from where `keep` does. */
const originOf = ({ from }: Effective, path: string) => from[path] ?? from[path.replace(/\..*$/, '')]

test('every value knows where it comes from', () => {
  const effective = effectiveOf({
    own: { 'user.stapes.keep.daily': '30' },
    profile: { 'user.stapes.hourly.expiry': '14d' },
  })
  const words = Object.fromEntries(
    [
      'timezone',
      'schedule',
      'keep',
      'keep.hourly',
      'keep.daily',
      'expiry',
      'copy.remote',
      'select.remotes',
    ].map((path) => {
      const origin = originOf(effective, path)
      return [path, origin === undefined ? null : describeOrigin(origin)]
    }),
  )
  expect(words).toEqual({
    timezone: 'the built-in default',
    schedule: '"defaults" in stapes.jsonc',
    keep: 'policy hourly',
    'keep.hourly': 'policy hourly',
    'keep.daily': 'user.stapes.keep.daily on the instance',
    expiry: 'user.stapes.hourly.expiry in a profile',
    'copy.remote': 'policy hourly',
    'select.remotes': '"defaults" in stapes.jsonc',
  })
})

describe('an override that can’t be understood', () => {
  test.each([
    [
      'user.stapes.keep.daily',
      'seven',
      'expected a whole number from -1 (all of them) to 100000, got "seven"',
    ],
    ['user.stapes.keep.daily', '-2', 'expected a whole number from -1 (all of them) to 100000, got "-2"'],
    ['user.stapes.keep.within', '2w', 'there is no unit w (a week is 7d)'],
    ['user.stapes.expiry', '7D', '"7D" is not a number with its unit ("never" for none)'],
    ['user.stapes.exclude', 'maybe', 'expected true or false, got "maybe"'],
    [
      'user.stapes.policy',
      'houry',
      'expected names of policies (hourly, daily), or none, got "houry": did you mean "hourly"?',
    ],
    ['user.stapes.policy', 'weekly,none', 'there is no policy "weekly"'],
    ['user.stapes.daily.copy', 'true', 'no policy says where to copy to'],
    ['user.stapes.keep.dayly', '7', 'unknown key, did you mean "user.stapes.keep.daily"?'],
    ['user.stapes.houry.paused', 'true', 'unknown key, did you mean "user.stapes.hourly.paused"?'],
    ['user.stapes.hourly.policy', 'daily', 'unknown key'],
    ['user.stapes.approval', 'self', 'unknown key'],
    ['user.stapes.hourly.approval', 'self', 'unknown key'],
    ['user.stapes.hourly', 'true', 'unknown key'],
    ['user.stapes.', 'true', 'unknown key'],
  ])('%s=%s is told with its instance', (key, value, words) => {
    const [message = ''] = problemsOf({ [key]: value })
    expect(message).toMatch(`main/default/web1 ${key}: `)
    expect(message).toContain(words)
  })

  test('leaves the document in force, and nothing of the instance may expire', () => {
    const effective = effectiveOf({ own: { 'user.stapes.keep.hourly': 'many', 'user.stapes.expiry': '14d' } })
    expect(effective.policy).toMatchObject({ keep: { hourly: 24 }, expiry: '14d' })
    expect(effective.blocked).toContain('main/default/web1 user.stapes.keep.hourly')
  })

  test('about one policy blocks that one alone', () => {
    const own = { 'user.stapes.hourly.keep.hourly': 'many' }
    expect(effectiveOf({ own }).blocked).not.toBeNull()
    expect(effectiveOf({ own }, 'daily').blocked).toBeNull()
  })

  test.each(['user.stapes.kep.daily', 'user.stapes.houry.keep.daily'])(
    'with the unknown key %s blocks every policy, since it may be about any',
    (key) => {
      expect(effectiveOf({ own: { [key]: '99' } }).blocked).not.toBeNull()
      expect(effectiveOf({ own: { [key]: '99' } }, 'daily').blocked).not.toBeNull()
    },
  )
})

test('holds are the snapshots named by a key, unless it says false', () => {
  const record = recordOf('web1', {
    own: {
      'user.stapes.hold.before-upgrade': 'true',
      'user.stapes.hold.daily-20261122T0300Z': 'until the audit',
      'user.stapes.hold.v1.2': 'true',
      'user.stapes.hold.let-go': 'false',
    },
  })
  expect([...holdsOf(record)]).toEqual(['before-upgrade', 'daily-20261122T0300Z', 'v1.2'])
})
