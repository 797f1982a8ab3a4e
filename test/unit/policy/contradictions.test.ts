/** What a policy or a hold wants and can't have. */
import { describe, expect, test } from 'vitest'
import type { InstanceRecord } from '../../../shared/incus/inventory.ts'
import { againstKeep, isEndless } from '../../../shared/policy/contradictions.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { warningsOf } from '../../../shared/policy/warnings.ts'
import { configOf, recordOf, replyOf } from './instances.ts'

const policyOf = (policy: object) => configOf({ p: policy }).policies[0] ?? expect.fail('there is one')

describe('an expiry that is shorter than what keep wants', () => {
  test.each<[object, string, RegExp | null]>([
    [{ daily: 7 }, '3d', /"expiry": "3d" .*"daily": 7/],
    [{ daily: 7 }, '5d', /"daily": 7/],
    [{ daily: 7 }, '6d', null],
    [{ daily: 7 }, '30d', null],
    [{ hourly: 48 }, '1d', /"hourly": 48/],
    [{ hourly: 24, weekly: 4 }, '14d', /"weekly": 4/],
    [{ monthly: 12, last: 99 }, '1y', null],
    [{ yearly: 3 }, '1y', /"yearly": 3/],
    [{ within: '14d' }, '7d', /"within": "14d"/],
    [{ withinMonthly: '1y' }, '6m', /"withinMonthly": "1y"/],
    [{ within: '12h' }, '1d', null],
    [{ last: 5 }, '1H', null],
    [{}, '1H', null],
  ])('%j with %s', (keep, expiry, told) => {
    const policy = policyOf({ keep, expiry })
    if (told === null) expect(againstKeep(policy)).toBeNull()
    else expect(againstKeep(policy)).toMatch(told)
    expect(warningsOf(configOf({ p: { keep, expiry } })).length).toBe(told === null ? 0 : 1)
  })

  test('is told with each look, of the policy once, and of an instance that has its own', () => {
    const own = { 'user.stapes.expiry': '1d' }
    const replies = { main: replyOf([recordOf('web1'), recordOf('db1', { own })]) }
    const [wide] = coverInstances(configOf({ p: { keep: { daily: 7 }, expiry: '30d' } }), replies)
    expect(wide?.warnings).toEqual([{ about: 'main/default/db1', reason: expect.stringContaining('"1d"') }])
    const [short] = coverInstances(configOf({ p: { keep: { daily: 7 }, expiry: '1d' } }), replies)
    expect(short?.warnings).toEqual([{ about: 'policy p', reason: expect.stringContaining('"1d"') }])
  })
})

test.each<[object, boolean]>([
  [{}, true],
  [{ keep: { daily: 0, within: '0d' } }, true],
  [{ keep: { last: 1 } }, false],
  [{ keep: { daily: -1 } }, false],
  [{ expiry: '7d' }, false],
])('a policy %j has no end: %s', (policy, endless) => {
  expect(isEndless(policyOf(policy))).toBe(endless)
})

describe('two policies that copy one instance to one place', () => {
  const copy = (more: object) => ({ schedule: '@daily', copy: { remote: 'backup', ...more } })
  const told = (policies: Record<string, object>) =>
    coverInstances(configOf(policies), { main: replyOf([recordOf('web1'), recordOf('web2')]) }).map(
      ({ warnings }) => warnings,
    )

  test('are told where they want another expiry there: the first one decides', () => {
    const [first, second] = told({ p: copy({ expiry: '30d' }), q: copy({ expiry: '90d' }) })
    expect(first).toEqual([])
    expect(second).toEqual([
      {
        about: 'policy q',
        reason: expect.stringMatching(
          /^policy p copies main\/default\/web1, main\/default\/web2 to the same place, with "copy\.expiry" "30d" and not "90d"/,
        ),
      },
    ])
  })

  test.each([
    [copy({ expiry: '30d' }), copy({ expiry: '30d' })],
    [copy({ expiry: '30d' }), copy({ expiry: '90d', project: 'long' })],
    [copy({ expiry: '30d' }), { ...copy({ expiry: '90d' }), select: { instances: ['db'] } }],
    [copy({ expiry: '30d' }), { ...copy({ expiry: '90d' }), paused: true }],
  ])(
    'are not where they want the same, other places or other instances, or are paused: %j and %j',
    (p, q) => {
      expect(
        told({ p, q })
          .flat()
          .filter(({ reason }) => reason.includes('same place')),
      ).toEqual([])
    },
  )
})

describe('a hold', () => {
  const told = (snapshots: [string, number][] | null) => {
    const own = { 'user.stapes.hold.before-upgrade': 'kept' }
    const record = recordOf('web1', { own, snapshots })
    const [coverage] = coverInstances(configOf({ p: {} }), { main: replyOf([record]) })
    return coverage?.warnings.map(({ reason }) => reason)
  }

  test('on a snapshot that isn’t there is told, with the command that removes it', () => {
    expect(told([['other', 1]])).toEqual([
      "it holds before-upgrade, which it doesn't have (any more): incus config unset web1 user.stapes.hold.before-upgrade",
    ])
    expect(told([['before-upgrade', 1]])).toEqual([])
  })

  test('is not judged where the snapshots aren’t known', () => {
    expect(told(null)).toEqual([])
  })
})

describe('custom volumes that are attached to a covered instance', () => {
  const told = (own: Record<string, string>) => {
    const record = recordOf('web1', { own, volumes: ['default/data', 'fast/db'] })
    const [coverage] = coverInstances(configOf({ p: {} }), { main: replyOf([record]) })
    return coverage?.warnings
  }

  test('are told not to be backed up, with the command that says it is meant so', () => {
    expect(told({})).toEqual([
      {
        about: 'main/default/web1',
        reason:
          'stapes doesn\'t back up its custom volumes default/data, fast/db: no snapshot or copy of an instance has the data of such a volume. Have a policy cover them ("volumes": ["attached"] in its "select"), or back them up in another way, then: incus config set web1 user.stapes.volumes.exclude=true',
      },
    ])
    expect(told({ 'user.stapes.volumes.exclude': 'true' })).toEqual([])
    expect(told({ 'user.stapes.volumes.exclude': 'false' })).toHaveLength(1)
  })

  test('are told without those that any policy covers, for each of their instances', () => {
    const volume = { type: 'volume' as const, pool: 'fast', users: ['default/web1'] }
    const policies = { p: {}, q: { select: { instances: ['none'], volumes: ['fast:db'] } } }
    const of = (...records: InstanceRecord[]): string =>
      JSON.stringify(coverInstances(configOf(policies), { main: replyOf(records) }))
    const [web1, web2] = ['web1', 'web2'].map((name) => recordOf(name, { volumes: ['fast/db'] })) as [
      InstanceRecord,
      InstanceRecord,
    ]
    expect(of(web1, recordOf('fast:db', volume))).not.toContain("doesn't back up")
    expect(of(web1, web2, recordOf('fast:db', volume))).toContain('web2","reason":"stapes doesn\'t back up')
  })
})
