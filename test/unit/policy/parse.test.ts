import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../shared/policy/parse.ts'
import type { Policy } from '../../../shared/policy/policy.ts'
import { listDocuments, pathOf, readDocument } from './documents.ts'

function policyOf(settings: object, defaults: object = {}): Policy {
  const parsed = parseConfig({ defaults, policies: { p: settings } })
  const policy = parsed.ok ? parsed.value.policies[0] : undefined
  if (policy === undefined) throw new Error(JSON.stringify(parsed))
  return policy
}

function errorsOf(document: unknown): string[] {
  const parsed = parseConfig(document)
  return parsed.ok ? [] : parsed.error.map(({ message }) => message)
}

const least = { remotes: ['main'], schedule: '@daily' }

describe('the documents of the repository', () => {
  test.each(['stapes.jsonc', ...listDocuments('docs/examples').map((name) => `docs/examples/${name}`)])(
    '%s holds',
    (name) => {
      expect(errorsOf(readDocument(name))).toEqual([])
    },
  )

  test('stapes.jsonc copies from main to backup, which is what the demo shows', () => {
    const parsed = parseConfig(readDocument('stapes.jsonc'))
    const policies = parsed.ok ? parsed.value.policies : []
    expect(policies.map(({ name, select, copy }) => [name, select.remotes, copy?.remote])).toEqual([
      ['hourly', ['main'], undefined],
      ['daily', ['main'], 'backup'],
    ])
  })

  test.each(listDocuments('test/fixtures/invalid'))('%s is refused in these words', async (name) => {
    const errors = errorsOf(readDocument(`test/fixtures/invalid/${name}`))
    expect(errors).not.toEqual([])
    const golden = pathOf(`test/fixtures/invalid/${name.replace('.jsonc', '.txt')}`)
    await expect(`${errors.join('\n')}\n`).toMatchFileSnapshot(golden)
  })
})

describe('what is not said', () => {
  test('is filled in', () => {
    expect(policyOf(least)).toMatchObject({
      name: 'p',
      select: {
        remotes: ['main'],
        projects: ['default'],
        instances: ['*'],
        types: ['container', 'virtual-machine'],
        running: false,
        config: {},
        exclude: [],
      },
      schedule: ['0 0 * * *'],
      timezone: 'UTC',
      jitter: 0,
      catchup: 86_400,
      paused: false,
      stateful: false,
      keep: {},
      grace: 0,
      expiry: null,
      copy: null,
      approval: 'self',
      brake: { share: 0.5, number: 10 },
    })
  })

  test('is filled in for a copy', () => {
    expect(policyOf({ ...least, copy: { remote: 'backup' } }).copy).toEqual({
      remote: 'backup',
      project: null,
      pool: null,
      target: null,
      transferMode: 'pull',
      allow: 'inconsistent',
      keep: {},
      expiry: null,
      mirror: false,
    })
  })

  test('comes from "defaults" first', () => {
    const policy = policyOf({ schedule: '@hourly' }, { ...least, timezone: 'Europe/Berlin' })
    expect(policy).toMatchObject({ schedule: ['0 * * * *'], timezone: 'Europe/Berlin' })
    expect(policy.filled).toMatchObject({
      timezone: 'defaults',
      jitter: 'default',
      'select.remotes': 'defaults',
    })
    expect(policy.filled).not.toHaveProperty('schedule')
  })
})

describe('a policy and "defaults"', () => {
  test('merge select key by key', () => {
    const defaults = { ...least, select: { instances: ['db*'], running: true } }
    const policy = policyOf({ select: { instances: ['web*'] } }, defaults)
    expect(policy.select).toMatchObject({ remotes: ['main'], instances: ['web*'], running: true })
    expect(policy.filled).toMatchObject({ 'select.running': 'defaults' })
    expect(policy.filled).not.toHaveProperty('select.instances')
  })

  test('merge copy key by key', () => {
    const policy = policyOf(
      { ...least, copy: { pool: 'big' } },
      { copy: { remote: 'backup', expiry: '90d' } },
    )
    expect(policy.copy).toMatchObject({ remote: 'backup', pool: 'big', expiry: '90d' })
    expect(policy.filled).toMatchObject({ 'copy.remote': 'defaults', 'copy.transferMode': 'default' })
  })

  test('don’t merge keep, whose rules would add up', () => {
    expect(policyOf({ ...least, keep: { hourly: 24 } }, { keep: { daily: 7 } }).keep).toEqual({ hourly: 24 })
  })

  test.each([
    ['copy', { copy: false }, { copy: { remote: 'backup' } }],
    ['expiry', { expiry: 'never' }, { expiry: '7d' }],
  ] as const)('let a policy undo %s', (key, own, defaults) => {
    expect(policyOf({ ...least, ...own }, defaults)[key]).toBeNull()
  })

  test('let a policy have a copy where the default is none', () => {
    expect(policyOf({ ...least, copy: { remote: 'backup' } }, { copy: false }).copy?.remote).toBe('backup')
  })
})

test.each([
  ['counts', { last: 0, daily: 0 }],
  ['spans', { within: '0d', withinHourly: '0h' }],
])('a keep of nothing but zero %s is an empty one, and removes nothing', (_, keep) => {
  expect(policyOf({ ...least, keep }).keep).toEqual({})
})

test('values of use to a machine are there beside the sentence', () => {
  const parsed = parseConfig({ policies: { hourly: { ...least, keep: { daily: 'seven' } } } })
  expect(parsed).toEqual({
    ok: false,
    error: [
      {
        path: 'policies.hourly.keep.daily',
        expected: 'a whole number from -1 (all of them) to 100000',
        found: '"seven"',
        message:
          'policies.hourly.keep.daily: expected a whole number from -1 (all of them) to 100000, got "seven"',
      },
    ],
  })
})

test('policies of sound shape are checked together even when another is broken', () => {
  const errors = errorsOf({
    policies: { broken: { ...least, keep: 7 }, selfish: { ...least, copy: { remote: 'main' } } },
  })
  expect(errors.map((message) => message.split(':')[0])).toEqual([
    'policies.broken.keep',
    'policies.selfish.copy.remote',
  ])
})

describe('two policies with copies to one place', () => {
  const copying = (select: object, pool: string) => ({
    schedule: '@daily',
    select: { remotes: ['main'], ...select },
    copy: { remote: 'backup', pool },
  })
  test.each([
    ['the same instances', {}, {}, false],
    ['globs that may meet', { instances: ['web*'] }, { instances: ['*1'] }, false],
    ['a name and a glob that takes it in', { instances: ['web1'] }, { instances: ['web?'] }, false],
    ['names apart', { instances: ['web1', 'web2'] }, { instances: ['db1'] }, true],
    ['globs with beginnings apart', { instances: ['web*'] }, { instances: ['db*'] }, true],
    ['projects apart', { projects: ['a'] }, { projects: ['b'] }, true],
    ['remotes apart', { remotes: ['main'] }, { remotes: ['other'] }, true],
    ['types apart', { types: ['container'] }, { types: ['virtual-machine'] }, true],
  ])('%s', (_, one, other, fine) => {
    const errors = errorsOf({ policies: { a: copying(one, 'fast'), b: copying(other, 'big') } })
    expect(errors.length === 0).toBe(fine)
    if (!fine) expect(errors[0]).toContain('policies.b.copy.pool')
  })
})

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'policies'],
  ['policies as a list', { policies: [] }],
  ['a key that would vanish', JSON.parse('{ "policies": {}, "__proto__": {} }')],
  ['a policy that would vanish', JSON.parse('{ "policies": { "__proto__": {} } }')],
  ['a policy of null', { policies: { p: null } }],
  ['defaults of null', { defaults: null, policies: {} }],
])('%s is refused', (_, document) => {
  expect(errorsOf(document)).not.toEqual([])
})

describe('who confirms', () => {
  test.each([
    ['the policy itself', least, { approval: 'self' }, 'second', undefined],
    ['"defaults"', least, {}, 'second', 'defaults'],
    ['nobody', least, {}, 'self', 'default'],
  ])('may be said by %s', (by, settings, defaults, approval, from) => {
    const own = by === 'the policy itself' ? { ...settings, approval } : settings
    const policy = policyOf(own, by === '"defaults"' ? { approval } : defaults)
    expect([policy.approval, policy.filled?.approval]).toEqual([approval, from])
  })
})

describe('who may do what', () => {
  const configOf = (document: object) => {
    const parsed = parseConfig({ policies: {}, ...document })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    return parsed.value
  }

  test('is nobody’s where nothing is said', () => {
    expect(configOf({})).toEqual({ policies: [] })
  })

  test('is filled in', () => {
    const who = ['discord:7/@9']
    expect(configOf({ access: { grants: [{ who, role: 'viewer' }] } }).access).toEqual({
      groups: {},
      grants: [{ who, role: 'viewer', commands: null, instances: null }],
    })
  })

  test('keeps what it says', () => {
    const access = {
      groups: { ops: ['discord:7/8'] },
      grants: [{ who: ['group:ops'], role: 'operator', commands: ['now'], instances: ['web*'] }],
    }
    expect(configOf({ access }).access).toEqual(access)
  })

  test('keeps to groups that somebody wrote down', () => {
    const grants = [{ who: ['group:constructor', 'group:__proto__', 'group:'], role: 'admin' }]
    expect(errorsOf({ policies: {}, access: { grants } })).toHaveLength(3)
  })
})
