import { describe, expect, test } from 'vitest'
import type { InstanceRecord } from '../../../shared/incus/inventory.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { configOf, recordOf, replyOf, type Sketch } from './instances.ts'

/** What becomes of one instance under one policy: covered, a stranger, or the reason it is left out. */
function fateOf(select: object, sketch: Sketch = {}, name = 'web1'): string {
  const config = configOf({
    hourly: { select },
    daily: { select: { instances: ['none'] } },
    far: { select: { remotes: ['far'] }, copy: { remote: 'main' } },
  })
  const [coverage] = coverInstances(config, { main: replyOf([recordOf(name, sketch)], ['default', 'other']) })
  if (coverage?.covered.length === 1) return 'covered'
  return coverage?.skipped[0]?.reason ?? 'stranger'
}

describe('a policy covers', () => {
  test.each<[string, object, Sketch, string]>([
    ['all of project default by itself', {}, {}, 'covered'],
    ['nothing of another project by itself', {}, { project: 'other' }, 'stranger'],
    ['every project by a star', { projects: ['*'] }, { project: 'other' }, 'covered'],
    ['names by glob', { instances: ['web*'] }, {}, 'covered'],
    ['no other names', { instances: ['db*'] }, {}, 'stranger'],
    ['no other types', { types: ['virtual-machine'] }, {}, 'stranger'],
    [
      'what carries a key',
      { config: { 'user.tier': 'g*' } },
      { profile: { 'user.tier': 'gold' } },
      'covered',
    ],
    [
      'not what carries another value',
      { config: { 'user.tier': 'gold' } },
      { own: { 'user.tier': 'tin' } },
      'stranger',
    ],
    ['not what lacks the key', { config: { 'user.tier': '*' } }, {}, 'stranger'],
    ['what stands still', {}, { status: 'Stopped' }, 'covered'],
    ['what is frozen, as running', { running: true }, { status: 'Frozen' }, 'covered'],
    ['what says it is ready, as running', { running: true }, { status: 'Ready' }, 'covered'],
  ])('%s', (_, select, sketch, fate) => {
    expect(fateOf(select, sketch)).toBe(fate)
  })
})

describe('of an instance whose cluster member is away, no key is known, so that it', () => {
  const away: Sketch = { status: 'Error', location: 'n2', pool: '', snapshots: null, offline: true }

  test.each<[string, object, string]>([
    [
      'is covered where a key alone would put it under the policy',
      { config: { 'user.tier': 'gold' } },
      'covered',
    ],
    ['is covered where only running ones are', { running: true }, 'covered'],
    ['stays a stranger by its name', { instances: ['db*'] }, 'stranger'],
    ['stays excluded by its name', { exclude: ['web1'] }, 'excluded by the policy\'s "web1"'],
  ])('%s', (_, select, fate) => {
    expect(fateOf(select, away)).toBe(fate)
  })

  test('is no source where a copy of another policy is put: its mark isn’t seen, but its place is', () => {
    const config = configOf({
      out: { select: { remotes: ['main'], config: { 'user.tier': 'gold' } } },
      in: { select: { remotes: ['other'] }, copy: { remote: 'main' } },
    })
    const here = replyOf([recordOf('web1', away), recordOf('web2', away)])
    const [out] = coverInstances(config, { main: here, other: replyOf([recordOf('web1')]) })
    expect(out?.covered.map(({ key }) => key)).toEqual(['main/default/web2'])
    expect(out?.skipped).toEqual([
      {
        key: 'main/default/web1',
        reason: 'its keys can’t be read now; by its place, it is the copy of other/default/web1',
      },
    ])
  })

  test('is told of once for each member, also where no policy reaches it', () => {
    const config = configOf({ hourly: { select: { instances: ['none'] } }, daily: {} })
    const sketches = [1, 2, 3, 4, 5, 6, 7].map((at) => recordOf(`i${at}`, away))
    const records = [...sketches, recordOf('other', { ...away, location: 'n3' }), recordOf('web1')]
    const [hourly, daily] = coverInstances(config, { main: replyOf(records) })
    expect(daily?.problems).toEqual([])
    expect(hourly?.problems).toEqual([
      {
        about: 'main, member n2',
        reason:
          'it gives no answer, so stapes leaves these alone until it is back: main/default/i1, main/default/i2, main/default/i3, main/default/i4, main/default/i5 and 2 more',
      },
      {
        about: 'main, member n3',
        reason: 'it gives no answer, so stapes leaves these alone until it is back: main/default/other',
      },
    ])
  })
})

describe('what becomes of an instance in reach, in words', () => {
  test.each<[string, object, Sketch, string]>([
    [
      'stopped',
      { running: true },
      { status: 'Stopped' },
      'not running (Stopped), and the policy covers only running instances',
    ],
    [
      'its member offline: whether it runs is not known, so that it stays covered',
      { running: true },
      { status: 'Error' },
      'covered',
    ],
    [
      'excluded by the document',
      { exclude: ['x', 'main/*/web?'] },
      {},
      'excluded by the policy\'s "main/*/web?"',
    ],
    [
      'excluded by itself',
      {},
      { own: { 'user.stapes.exclude': 'true' } },
      'excluded by user.stapes.exclude on the instance',
    ],
    [
      'excluded by a profile',
      {},
      { profile: { 'user.stapes.exclude': 'true' } },
      'excluded by user.stapes.exclude in a profile',
    ],
    [
      'excluded from one policy',
      {},
      { own: { 'user.stapes.hourly.exclude': '1' } },
      'excluded by user.stapes.hourly.exclude on the instance',
    ],
    ['paused', {}, { own: { 'user.stapes.paused': 'true' } }, 'paused by user.stapes.paused on the instance'],
    [
      'given to another policy',
      {},
      { own: { 'user.stapes.policy': 'daily' } },
      'covered by only daily, as user.stapes.policy on the instance says',
    ],
    [
      'given to none',
      {},
      { own: { 'user.stapes.policy': 'none' } },
      'covered by no policy, as user.stapes.policy on the instance says',
    ],
    [
      'a copy',
      {},
      { own: { 'user.stapes.replica-of': 'far/default/web1' } },
      'a copy that stapes made, of far/default/web1',
    ],
  ])('%s', (_, select, sketch, fate) => {
    expect(fateOf(select, sketch)).toBe(fate)
  })
})

describe('what the instance says goes before the document', () => {
  test.each<[string, object, Sketch, string]>([
    [
      'exclude=false passes the document’s globs',
      { exclude: ['*'] },
      { own: { 'user.stapes.exclude': 'false' } },
      'covered',
    ],
    [
      'but not its other conditions',
      { running: true },
      { status: 'Stopped', own: { 'user.stapes.exclude': 'false' } },
      'not running (Stopped), and the policy covers only running instances',
    ],
    [
      'the instance’s exclude beats its profile’s',
      {},
      { own: { 'user.stapes.exclude': 'false' }, profile: { 'user.stapes.exclude': 'true' } },
      'covered',
    ],
    [
      'exclude for one policy beats exclude for all',
      {},
      { own: { 'user.stapes.exclude': 'true', 'user.stapes.hourly.exclude': 'false' } },
      'covered',
    ],
    [
      'a policy that is named covers it, whatever it selects',
      { instances: ['db*'], projects: ['other'], running: true, exclude: ['*'] },
      { status: 'Stopped', own: { 'user.stapes.policy': 'daily, hourly' } },
      'covered',
    ],
    [
      'exclude beats even that',
      {},
      { own: { 'user.stapes.policy': 'hourly', 'user.stapes.exclude': 'true' } },
      'excluded by user.stapes.exclude on the instance',
    ],
    [
      'a copy is never a source',
      {},
      { own: { 'user.stapes.policy': 'hourly', 'user.stapes.replica-of': 'far/default/web1' } },
      'a copy that stapes made, of far/default/web1',
    ],
    [
      'an unknown policy’s name leaves the document’s choice',
      {},
      { own: { 'user.stapes.policy': 'weekly' } },
      'covered',
    ],
    ['so does an exclude of no meaning', {}, { own: { 'user.stapes.exclude': 'perhaps' } }, 'covered'],
  ])('%s', (_, select, sketch, fate) => {
    expect(fateOf(select, sketch)).toBe(fate)
  })

  test('but never beyond the policy’s remotes', () => {
    const config = configOf({ hourly: {}, far: { remotes: ['far'] } })
    const web1 = recordOf('web1', { own: { 'user.stapes.policy': 'far' } })
    const [, far] = coverInstances(config, { main: replyOf([web1]), far: replyOf([]) })
    expect(far?.covered).toEqual([])
  })
})

describe('what was not observed', () => {
  test('is a remote that can’t be read, with its reason', () => {
    const config = configOf({ hourly: { remotes: ['main', 'far', 'lost'] } })
    const far = { ok: false as const, error: { code: 'unreachable' as const, message: 'no route to far' } }
    const [coverage] = coverInstances(config, { main: replyOf([recordOf('web1')]), far })
    expect(coverage?.covered.map(({ key }) => key)).toEqual(['main/default/web1'])
    expect(coverage?.unreadable).toEqual([
      { key: 'remote:far', reason: 'no route to far' },
      { key: 'remote:lost', reason: 'the relay gave no answer for it' },
    ])
  })

  test('is a project that the policy names and the remote doesn’t have', () => {
    const config = configOf({ hourly: { select: { projects: ['default', 'shop', 'lab-*'] } } })
    const [coverage] = coverInstances(config, { main: replyOf([], ['default']) })
    expect(coverage?.problems.map(({ about, reason }) => `${about}: ${reason}`)).toEqual([
      'main/shop: there is no project "shop" on main, or the relay\'s certificate may not see it: policy hourly covers nothing there',
    ])
  })
})

describe('a coverage', () => {
  const config = configOf({
    hourly: { keep: { hourly: 24 } },
    daily: { schedule: '@daily', keep: { daily: 7 }, copy: { remote: 'backup' } },
  })
  const cover = (records: InstanceRecord[]) =>
    coverInstances(config, { main: replyOf(records), backup: replyOf([]) })

  test('has every policy, in the document’s order, over the same instance', () => {
    expect(cover([recordOf('web1')]).map(({ policy, covered }) => [policy.name, covered[0]?.key])).toEqual([
      ['hourly', 'main/default/web1'],
      ['daily', 'main/default/web1'],
    ])
  })

  test('carries the merged policy, its provenance, what blocks and what is held', () => {
    const web1 = recordOf('web1', {
      own: { 'user.stapes.keep.daily': '30', 'user.stapes.hold.x': 'true', 'user.stapes.hourly.expiry': '?' },
    })
    const [hourly, daily] = cover([web1]).map(({ covered }) => covered[0])
    expect(hourly?.policy.keep).toEqual({ hourly: 24, daily: 30 })
    expect(hourly?.blocked).toContain('user.stapes.hourly.expiry')
    expect(daily?.blocked).toBeNull()
    expect(daily?.from['keep.daily']).toEqual({ kind: 'instance', key: 'user.stapes.keep.daily' })
    expect([...(daily?.held ?? [])]).toEqual(['x'])
  })

  test('tells an override’s problem once, also of an instance that nothing covers', () => {
    const lost = recordOf('lost', { project: 'other', own: { 'user.stapes.polcy': 'daily' } })
    const problems = cover([lost]).flatMap((coverage) => coverage.problems)
    expect(problems).toEqual([
      {
        about: 'main/other/lost',
        reason: 'main/other/lost user.stapes.polcy: unknown key, did you mean "user.stapes.policy"?',
      },
    ])
  })

  test('says nothing about the keys that a copy has from its source', () => {
    const policies = configOf({ far: { select: { remotes: ['far'] }, copy: { remote: 'main' } }, daily: {} })
    const copy = recordOf('copy', {
      own: { 'user.stapes.replica-of': 'far/default/copy', 'user.stapes.polcy': 'daily' },
    })
    const coverages = coverInstances(policies, { main: replyOf([copy]) })
    expect(coverages.flatMap((coverage) => coverage.problems)).toEqual([])
  })

  test('shares one policy among all instances that override nothing', () => {
    const [hourly] = cover([recordOf('web1'), recordOf('web2', { own: { 'user.tier': 'gold' } })])
    expect(hourly?.covered.map(({ policy }) => policy === config.policies[0])).toEqual([true, true])
  })
})
