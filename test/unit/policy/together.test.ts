/** What is taken as one: how it is said, and which it is. */
import { describe, expect, test } from 'vitest'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { NO_VOLUMES } from '../../../shared/policy/marks.ts'
import { parseConfig } from '../../../shared/policy/parse.ts'
import { groupsIn } from '../../../shared/policy/together.ts'
import { configOf, recordOf, replyOf } from './instances.ts'

const ATTACHED = { select: { volumes: ['attached'] } }

function errorsOf(policy: object): string[] {
  const parsed = parseConfig({
    defaults: { remotes: ['main'], schedule: '@hourly' },
    policies: { p: policy },
  })
  return parsed.ok ? [] : parsed.error.map(({ message }) => message)
}

describe('"together"', () => {
  test.each<[unknown, number | null]>([
    [true, 30],
    [{}, 30],
    [{ pause: '2m' }, 120],
    [false, null],
  ])('%j is read as a pause of %s s', (together, pause) => {
    const [policy] = configOf({ p: { ...ATTACHED, together } }).policies
    expect(policy?.together).toEqual(pause === null ? null : { pause })
  })

  test('is for policies that cover attached volumes', () => {
    expect(errorsOf({ together: true })).toEqual([
      expect.stringMatching(/select\.volumes.*"attached" among them.*\[\].*as one/),
    ])
    expect(errorsOf({ together: true, select: { volumes: ['default:*'] } })).toHaveLength(1)
    expect(errorsOf({ together: false })).toEqual([])
  })

  test('may name a hook, also for instances without volumes', () => {
    const together = (said: object) => configOf({ p: { together: said } }).policies[0]?.together
    expect(together({ hook: 'db' })).toEqual({ pause: 30, hook: { name: 'db', otherwise: 'fail' } })
    expect(together({ hook: 'db', otherwise: 'pause', pause: '5s' })).toEqual({
      ...{ pause: 5, hook: { name: 'db', otherwise: 'pause' } },
    })
    expect(errorsOf({ ...ATTACHED, together: { otherwise: 'pause' } })).toEqual([
      expect.stringMatching(/together\.otherwise.*say "hook", too/),
    ])
    expect(errorsOf({ together: { hook: 'rm -rf' } })).toEqual([
      expect.stringMatching(/together\.hook.*the name of a hook as the relay knows it/),
    ])
  })

  test('is without memory, and no longer than a moment', () => {
    expect(errorsOf({ ...ATTACHED, together: true, stateful: true })).toEqual([
      expect.stringMatching(/stateful.*false beside "together"/),
    ])
    for (const pause of ['0s', '6m', '1d'])
      expect(errorsOf({ ...ATTACHED, together: { pause } })).toEqual([
        expect.stringMatching(/together\.pause.*from 1s to 5m/),
      ])
    expect(errorsOf({ ...ATTACHED, together: { pauses: '1m' } })).toHaveLength(1)
  })
})

const volume = (name: string, users: string[], snapshots: [string, number][] = []) =>
  recordOf(`default:${name}`, { type: 'volume', status: '', users, snapshots })

describe('one group', () => {
  const groups = (records: Parameters<typeof replyOf>[0], policy: object = {}) => {
    const config = configOf({ p: { ...ATTACHED, together: true, ...policy } })
    return coverInstances(config, { main: replyOf(records) }).map((coverage) => ({
      groups: groupsIn(coverage).map((group) => group.map(({ ref }) => ref.instance)),
      told: coverage.warnings.map(({ about, reason }) => `${about}: ${reason}`),
    }))[0]
  }

  test('is an instance and its volumes; what has none is by itself', () => {
    const records = [
      volume('data', ['default/web']),
      recordOf('web'),
      recordOf('alone'),
      volume('logs', ['default/web']),
    ]
    expect(groups(records)?.groups).toEqual([['web', 'default:data', 'default:logs']])
    expect(groups(records, { together: false })?.groups).toEqual([])
  })

  test('is all of what writes to one volume', () => {
    const records = [
      recordOf('web1'),
      recordOf('web2'),
      recordOf('db'),
      volume('shared', ['default/web1', 'default/web2']),
      volume('own', ['default/web2']),
      volume('tables', ['default/db']),
    ]
    expect(groups(records)?.groups).toEqual([
      ['web1', 'web2', 'default:own', 'default:shared'],
      ['db', 'default:tables'],
    ])
  })

  test('tells who writes to one of its volumes and does not stand still', () => {
    const records = [recordOf('web'), recordOf('ci'), volume('shared', ['default/web', 'default/ci'])]
    const found = groups(records, { select: { volumes: ['attached'], instances: ['web'] } })
    expect(found?.groups).toEqual([['web', 'default:shared']])
    expect(found?.told).toEqual([
      expect.stringMatching(/default:shared: .*also attached to main\/default\/ci,/),
    ])
  })
})

test('a hold on one of it holds what the others have of that name', () => {
  const at = Date.parse('2026-11-20T01:00:00Z') / 1000
  const pair: [string, number] = ['p-20261120T0100Z', at]
  const records = [
    recordOf('web', { snapshots: [pair], own: { [`user.stapes.hold.${pair[0]}`]: 'why' } }),
    volume('data', ['default/web'], [pair]),
    volume('new', ['default/web']),
  ]
  const [coverage] = coverInstances(configOf({ p: { ...ATTACHED, together: true } }), {
    main: replyOf(records),
  })
  expect(coverage?.covered.map(({ ref, held }) => [ref.instance, [...held]])).toEqual([
    ['web', [pair[0]]],
    ['default:data', [pair[0]]],
    ['default:new', []],
  ])
})

describe('where a pool can not be listed', () => {
  const why = 'the custom volumes of its pool "slow" can\'t be listed: timeout'
  const pairs: [string, number][] = [['p-20261120T0100Z', 1]]
  const seen = (policy: object, web: Parameters<typeof recordOf>[1], unlisted: string[] = [why]) => {
    const reply = replyOf([
      recordOf('web', { snapshots: pairs, ...web }),
      recordOf('alone', { snapshots: pairs }),
      volume('data', ['default/web'], pairs),
    ])
    if (reply.ok && unlisted.length > 0) reply.inventory.unlisted = unlisted
    const [coverage] = coverInstances(configOf({ p: { ...ATTACHED, together: true, ...policy } }), {
      main: reply,
    })
    return coverage?.covered.map(({ ref, record }) => [ref.instance, record.problem ?? record.snapshots])
  }

  test('what is taken together with a volume of it counts as not known, and nothing else does', () => {
    const hidden = `it is taken together with its custom volumes, of which not all are known: ${why}`
    const volumes = ['default/data', 'slow/logs']
    const others = [
      ['alone', pairs],
      ['default:data', pairs],
    ]
    expect(seen({}, { volumes })).toEqual([['web', hidden], ...others])
    expect(seen({}, { volumes }, [])).toEqual([['web', pairs], ...others])
    expect(seen({ together: false }, { volumes })).toEqual([['web', pairs], ...others])
    expect(seen({}, { volumes: ['default/data'] })).toEqual([['web', pairs], ...others])
    // It says itself that its volumes are none of ours.
    const own = { [NO_VOLUMES]: 'true' }
    expect(seen({}, { volumes, own })?.[0]).toEqual(['web', pairs])
  })

  test('a glob counts as what is attached does', () => {
    const select = { volumes: ['attached', 'slow:*'] }
    expect(seen({ select }, { volumes: ['slow/logs'] })?.[0]?.[1]).toContain('not all are known')
  })
})
