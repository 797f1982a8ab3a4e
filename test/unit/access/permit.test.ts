import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Access, Grant, Role } from '../../../shared/access/access.ts'
import {
  deniedKeys,
  describeAccess,
  includesRole,
  type Permission,
  permit,
  reachOf,
} from '../../../shared/access/permit.ts'

const ADA = { id: 'slack:T1/U1', principals: ['slack:T1/U1'] }
const BOB = { id: 'discord:7/8', principals: ['discord:7/8', 'discord:7/@9'] }

const grant = (who: string, role: Role, more: Partial<Grant> = {}): Grant => ({
  who: [who],
  role,
  commands: null,
  instances: null,
  ...more,
})

const access = (...grants: Grant[]): Access => ({ groups: { ops: ['slack:T1/U1'] }, grants })

const status = { name: 'status', role: 'viewer' as const }
const now = { name: 'now', role: 'operator' as const }
const restore = { name: 'restore', role: 'admin' as const }

describe('nobody may do anything', () => {
  const none = 'no grant in stapes.jsonc names you (your id is slack:T1/U1)'

  test.each<[string, Access | undefined]>([
    ['where no configuration says who', undefined],
    ['without grants', access()],
    ['by grants to others', access(grant('slack:T1/U2', 'admin'), grant('discord:7/@9', 'admin'))],
    ['by being in a group that nothing is granted to', access(grant('group:dev', 'admin'))],
    ['by a group that every object has', access(grant('group:constructor', 'admin'))],
    ['by the same user in another team', access(grant('slack:T2/U1', 'admin'))],
    ['by an id that only begins alike', access(grant('slack:T1/U', 'admin'), grant('slack:T1/U12', 'admin'))],
    ['by a glob', access(grant('slack:T1/*', 'admin'), grant('*', 'admin'))],
  ])('%s', (_, given) => {
    expect(permit(given, ADA, status)).toEqual({ allowed: false, reason: none })
    expect(describeAccess(given, ADA)).toEqual([none])
  })
})

describe('a grant', () => {
  test.each<[string, typeof ADA, Grant]>([
    ['to an id', ADA, grant('slack:T1/U1', 'viewer')],
    ['to a group', ADA, grant('group:ops', 'viewer')],
    ['to a role of Discord', BOB, grant('discord:7/@9', 'viewer')],
    ['to one of several', BOB, grant('slack:T1/U1', 'viewer', { who: ['slack:T1/U1', 'discord:7/8'] })],
  ])('%s gives what its role may', (_, actor, given) => {
    expect(permit(access(given), actor, status)).toEqual({ allowed: true, instances: null })
  })

  test.each<[Role, string, boolean[]]>([
    ['viewer', 'status, but neither now nor restore', [true, false, false]],
    ['operator', 'status and now, but not restore', [true, true, false]],
    ['admin', 'all of them', [true, true, true]],
  ])('as %s gives %s', (role, _, expected) => {
    const given = access(grant('group:ops', role))
    expect([status, now, restore].map((command) => permit(given, ADA, command).allowed)).toEqual(expected)
  })

  test('for some commands gives none of the others, whatever its role', () => {
    const given = access(grant('group:ops', 'admin', { commands: ['status', 'now'] }))
    expect(permit(given, ADA, now).allowed).toBe(true)
    expect(permit(given, ADA, restore)).toEqual({
      allowed: false,
      reason: 'your grant as admin is for status, now only, and restore is not among them',
    })
  })

  test('for a command that is above its role does not give it', () => {
    const given = access(grant('group:ops', 'operator', { commands: ['restore'] }))
    expect(permit(given, ADA, restore)).toEqual({
      allowed: false,
      reason: 'restore needs the role admin, and yours is operator',
    })
  })

  test('says the highest of several roles when none suffices', () => {
    const given = access(grant('group:ops', 'viewer'), grant('slack:T1/U1', 'operator'))
    expect(permit(given, ADA, restore)).toMatchObject({
      reason: 'restore needs the role admin, and yours is operator',
    })
  })
})

describe('several grants', () => {
  const given = access(
    grant('group:ops', 'viewer'),
    grant('slack:T1/U1', 'operator', { instances: ['web*', 'db1'] }),
    grant('group:ops', 'operator', { instances: ['web*', 'main/shop/*'], commands: ['now'] }),
    grant('slack:T1/U2', 'admin'),
  )

  test('add up to all their globs, each said once', () => {
    expect(permit(given, ADA, now)).toEqual({ allowed: true, instances: ['web*', 'db1', 'main/shop/*'] })
  })

  test('reach everything where one of them does', () => {
    expect(permit(given, ADA, status)).toEqual({ allowed: true, instances: null })
  })

  test('lend no role of one to the instances of another', () => {
    const hold = { name: 'hold', role: 'operator' as const }
    expect(permit(given, ADA, hold)).toEqual({ allowed: true, instances: ['web*', 'db1'] })
  })

  test('are told one by one', () => {
    expect(describeAccess(given, ADA)).toEqual([
      'viewer: all commands of the role viewer on everything (granted to group:ops)',
      'operator: all commands of the role operator on web*, db1 (granted to slack:T1/U1)',
      'operator: now on web*, main/shop/* (granted to group:ops)',
    ])
  })
})

describe('what is permitted', () => {
  const some: Permission = { allowed: true, instances: ['web*', 'shop/*', 'main/books/db1'] }

  test.each<[string, boolean]>([
    ['main/default/web1', true],
    ['main/shop/db1', true],
    ['main/books/db1', true],
    ['backup/books/db1', false],
    ['main/default/db1', false],
    ['main/default', false],
    ['main', false],
    ['', false],
    ['main/shop/', false],
    ['main/shop/db1/root', false],
    ['policy web1', false],
  ])('on web*, shop/* and main/books/db1 reaches "%s": %s', (key, reached) => {
    expect(deniedKeys(some, [key])).toEqual(reached ? [] : [key])
  })

  test('keeps the order of what is beyond it', () => {
    expect(deniedKeys(some, ['main/default/b', 'main/default/web1', 'main/default/a'])).toEqual([
      'main/default/b',
      'main/default/a',
    ])
  })

  test('by a star reaches every instance, and nothing that is none', () => {
    const all: Permission = { allowed: true, instances: ['*'] }
    expect(reachOf(all)('main/default/web1')).toBe(true)
    expect(reachOf(all)('main/default/')).toBe(false)
    expect(reachOf(all)('/default/web1')).toBe(false)
  })

  test('on everything reaches what is no instance, too', () => {
    expect(deniedKeys({ allowed: true, instances: null }, ['policy hourly', 'main/default/web1'])).toEqual([])
    expect(reachOf({ allowed: true, instances: null })('remote:main')).toBe(true)
  })

  test('on no instance reaches none', () => {
    expect(deniedKeys({ allowed: true, instances: [] }, ['main/default/web1'])).toEqual(['main/default/web1'])
  })

  test('nowhere reaches nothing', () => {
    const denied: Permission = { allowed: false, reason: 'no' }
    expect(deniedKeys(denied, ['main/default/web1'])).toEqual(['main/default/web1'])
    expect(reachOf(denied)('main/default/web1')).toBe(false)
  })
})

const role = fc.constantFrom<Role>('viewer', 'operator', 'admin')
const globs = fc.option(fc.subarray(['web*', 'db1', 'shop/*', 'main/*/*'], { minLength: 1 }))
const commands = fc.option(fc.subarray(['status', 'now', 'restore'], { minLength: 1 }))
const who = fc.subarray(['slack:T1/U1', 'slack:T1/U2', 'group:ops', 'discord:7/@9', 'group:none'], {
  minLength: 1,
})
const grants = fc.array(fc.record({ who, role, commands, instances: globs }), { maxLength: 6 })
const command = fc.constantFrom(status, now, restore)
const key = fc.constantFrom('main/default/web1', 'main/default/db1', 'backup/shop/x', 'backup/default/x')

/** The rule itself, asked of each grant alone. */
const gives = (one: Grant, wanted: { name: string; role: Role }, instance: string): boolean =>
  one.who.some((name) => name === 'slack:T1/U1' || name === 'group:ops') &&
  includesRole(one.role, wanted.role) &&
  (one.commands === null || one.commands.includes(wanted.name)) &&
  deniedKeys({ allowed: true, instances: one.instances }, [instance]).length === 0

test('an instance is reached exactly when one grant alone gives it', () => {
  fc.assert(
    fc.property(grants, command, key, (given, wanted, instance) => {
      const reached = deniedKeys(permit(access(...given), ADA, wanted), [instance]).length === 0
      expect(reached).toBe(given.some((one) => gives(one, wanted, instance)))
    }),
    { numRuns: 1000 },
  )
})

test('another grant never takes anything away', () => {
  fc.assert(
    fc.property(grants, grants, command, key, (given, added, wanted, instance) => {
      const before = permit(access(...given), ADA, wanted)
      const after = permit(access(...given, ...added), ADA, wanted)
      expect(deniedKeys(before, [instance])).toEqual(expect.arrayContaining(deniedKeys(after, [instance])))
    }),
    { numRuns: 1000 },
  )
})
