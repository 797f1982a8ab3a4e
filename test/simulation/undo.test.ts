/** Removals that can be undone: Incus executes them later, and until then somebody can take them back. */
import { describe, expect, test } from 'vitest'
import type { Step } from '../../shared/relay/steps.ts'
import { parseVerified } from '../../shared/work/copy/marks.ts'
import { write } from '../emulator/scene.ts'
import { ask, attack } from './asking.ts'
import { pass } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { begin, endOf, MARK, NAME, remove, undo, web } from './undo-scene.ts'

describe('a snapshot that somebody removes by its name', () => {
  test('is there for two days, says so, and then Incus removes it', async () => {
    const world = await begin({ keep: { last: 99 } })
    const removed = await remove(world)
    const at = world.clock.now()
    expect(removed.lines).toMatchObject([
      {
        sign: '-',
        what: NAME,
        reason: expect.stringMatching(/^named \(requested by ann\); Incus removes it on/),
      },
    ])
    expect(Math.abs((endOf(world) ?? 0) - at - 2 * DAY)).toBeLessThan(2 * MINUTE)
    expect(web(world).config[MARK]).toMatch(/^2026-11-22T04:1\d:\d\d\.\d{3}Z never$/)
    const end = endOf(world)
    await pass(world, HOUR)
    const again = await remove(world)
    expect(again.lines).toMatchObject([{ what: NAME, reason: expect.stringMatching(/^named before/) }])
    expect(endOf(world)).toBe(end)
    await pass(world, 2 * DAY - 2 * HOUR, 15 * MINUTE)
    expect(endOf(world)).toBeDefined()
    await pass(world, 2 * HOUR, 15 * MINUTE)
    expect(endOf(world)).toBeUndefined()
  })

  test('goes at once where that is said', async () => {
    const world = await begin({ keep: { last: 99 } })
    await remove(world)
    await remove(world, { grace: 0 })
    expect(endOf(world)).toBeUndefined()
  })

  test.each([
    ['had no end', {}, null],
    ['had one', { expiry: '9d' }, Date.parse('2026-11-29T02:00:30Z')],
  ])('stays by an undo, as it was before: it %s', async (_, policy, end) => {
    const world = await begin({ keep: { last: 99 }, ...policy })
    const before = endOf(world)
    await remove(world)
    await pass(world, DAY, 15 * MINUTE)
    const undone = await undo(world)
    expect(undone.results).toMatchObject([{ line: { sign: '#', what: NAME }, state: 'done' }])
    expect(endOf(world)).toBe(before)
    if (end !== null) expect(Math.abs((before ?? 0) - end)).toBeLessThan(5 * MINUTE)
    expect(web(world).config).not.toHaveProperty([MARK])
    await pass(world, 3 * DAY, 15 * MINUTE)
    expect(endOf(world)).toBe(before)
    expect((await undo(world)).lines).toMatchObject([{ reason: expect.stringContaining('nothing to undo') }])
  })

  test('counts for no rule, so that retention keeps as many others as it would without it', async () => {
    const world = await begin({ keep: { last: 3 } })
    await remove(world)
    await pass(world, 3 * HOUR)
    // Three before the newest, which is not counted yet, and the removed one.
    expect([...web(world).snapshots.keys()].sort()).toEqual([
      NAME,
      ...['04', '05', '06', '07'].map((hour) => `hourly-20261120T${hour}00Z`),
    ])
  })

  test('is unmarked with the next removal, once it is gone', async () => {
    const world = await begin({ keep: { last: 99 } })
    await remove(world, { grace: 3600 })
    await pass(world, 2 * HOUR)
    expect(endOf(world)).toBeUndefined()
    await ask(world, { do: 'expire', instances: ['web'], snapshots: ['hourly-20261120T0300Z'] })
    expect(Object.keys(web(world).config).filter((key) => key.startsWith('user.stapes.undo.'))).toEqual([
      'user.stapes.undo.hourly-20261120T0300Z',
    ])
  })

  test.each([
    ['after copies that see its end', undefined],
    ['before any copy sees that', 1800],
  ])('goes from its copy as if retention had removed it, %s: nothing is held back', async (_, grace) => {
    const world = await begin({ keep: { last: 99 }, copy: { remote: 'backup', mirror: true } })
    expect(web(world, 'backup').snapshots.has(NAME)).toBe(true)
    await remove(world, { grace })
    await pass(world, 3 * DAY, 15 * MINUTE)
    expect(endOf(world)).toBeUndefined()
    expect(web(world, 'backup').snapshots.has(NAME)).toBe(false)
    const newest = [...web(world).snapshots.keys()].sort().at(-2) ?? ''
    expect(
      parseVerified(web(world, 'backup').config['user.stapes.verified']).map(([name]) => name),
    ).toContain(newest)
    expect(await statusIn(world)).toMatchObject({ health: 'good', warnings: [] })
  })

  test.each([0, undefined])(
    'is refused while its copy is to keep it, which would wait for it (grace %s)',
    async (grace) => {
      const world = await begin({ keep: { last: 99 }, copy: { remote: 'backup', keep: { last: 99 } } })
      const refused = await remove(world, { grace })
      expect(refused.results).toEqual([])
      expect(refused.lines).toMatchObject([
        { sign: '=', reason: expect.stringMatching(/^its copy on backup is to keep it/) },
      ])
      await pass(world, 3 * DAY, 15 * MINUTE)
      expect(endOf(world)).toBeNull()
      expect(await statusIn(world)).toMatchObject({ health: 'good', warnings: [] })
    },
  )

  test.each([
    ['had no end', {}, Number.POSITIVE_INFINITY],
    [
      'had one within the week that a copy postpones ends by',
      { expiry: '5d' },
      Date.parse('2026-11-25T02:00:00Z'),
    ],
  ])('stays by an undo also while its copy has postponed its end: it %s', async (_, policy, least) => {
    const world = await begin({
      keep: { last: 99 },
      copy: { remote: 'backup', keep: { last: 2 } },
      ...policy,
    })
    await remove(world)
    const end = endOf(world) ?? 0
    world.incus.main.bandwidth = 1
    write(web(world), 'more', 2 * 3600)
    while ((endOf(world) ?? 0) <= end) await pass(world, MINUTE)
    const undone = await undo(world)
    expect(undone.results).toMatchObject([{ state: 'done' }])
    world.incus.main.bandwidth = 1e9
    await pass(world, 3 * DAY, 15 * MINUTE)
    expect(web(world).snapshots.has(NAME)).toBe(true)
    expect(endOf(world) ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(least)
  })
})

test('what retention removes goes later where the policy says so, and can be taken back until then', async () => {
  const world = await begin({ keep: { last: 6 }, grace: '3h' })
  const names = () => [...web(world).snapshots.keys()].sort().map((name) => name.slice(16, 18))
  await pass(world, 5 * HOUR)
  // Six before the newest, and those that the last three slots removed.
  expect(names()).toEqual(['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'])
  const undone = await undo(world)
  expect(undone.results).toMatchObject([
    {
      state: 'done',
      line: { reason: expect.stringContaining('hold it, if hourly is not to remove it again') },
    },
  ])
  await pass(world, 30 * MINUTE)
  expect(endOf(world)).toBeNull()
  await pass(world, 8 * HOUR)
  // At its next slot the policy removed it again.
  expect(names()).toEqual(['08', '09', '10', '11', '12', '13', '14', '15', '16', '17'])
  expect(await statusIn(world)).toMatchObject({ health: 'good', warnings: [] })
})

test('of those that can be taken back no more are going than stay, and nothing fails for that', async () => {
  const world = await begin({ keep: { last: 2 }, grace: '12h' })
  await pass(world, DAY)
  const going = Object.keys(web(world).config).filter(
    (key) =>
      key.startsWith('user.stapes.undo') && web(world).snapshots.has(key.slice('user.stapes.undo.'.length)),
  )
  expect(going.length).toBeGreaterThan(4)
  expect(going.length).toBeLessThanOrEqual(web(world).snapshots.size / 2)
  expect(await statusIn(world)).toMatchObject({ health: 'good', warnings: [] })
})

test('what its own expiry ends earlier anyway is left to that', async () => {
  const world = await begin({ keep: { last: 2 }, expiry: '3H', grace: '6h' })
  expect(Object.keys(web(world).config).filter((key) => key.startsWith('user.stapes.undo'))).toEqual([])
  await pass(world, 3 * HOUR)
  expect([...web(world).snapshots.keys()].length).toBeLessThan(5)
})

test('asked for again after a copy has postponed it, an undo still sets the end that it had at first', async () => {
  const world = await begin({ keep: { last: 99 } })
  await remove(world, { grace: 3600 })
  const postponed = new Date(world.clock.now() + 7 * DAY).toISOString()
  const ref = { remote: 'main', project: 'default', instance: 'web' }
  await attack(world, [{ do: 'postpone', ref, snapshot: NAME, expiresAt: postponed }])
  expect(endOf(world)).toBe(Date.parse(postponed))
  await remove(world, { grace: 7200 })
  expect(endOf(world)).toBeLessThan(world.clock.now() + 3 * HOUR)
  await undo(world)
  expect(endOf(world)).toBeNull()
})

describe('whoever has stolen the signing key, or may edit the instance', () => {
  const ref = { remote: 'main', project: 'default', instance: 'web' }

  test('ends nothing earlier by a forged mark, which only undo reads', async () => {
    const world = await begin({ keep: { last: 99 }, expiry: '9d' })
    const before = endOf(world)
    web(world).config[MARK] = '2026-11-25T00:00:00.000Z 2026-11-20T05:00:00.000Z'
    await attack(world, [{ do: 'undo', ref, snapshot: NAME }])
    await undo(world)
    expect(endOf(world)).toBe(before)
  })

  test('ends no more of them than they could remove, and none that is held', async () => {
    const world = await begin({ keep: { last: 99 } })
    await pass(world, 6 * HOUR)
    const names = [...web(world).snapshots.keys()]
    web(world).config[`user.stapes.hold.${NAME}`] = 'audit'
    const soon = new Date(world.clock.now() + MINUTE).toISOString()
    for (const snapshot of names)
      await attack(world, [{ do: 'expire-later', ref, snapshot, expiresAt: soon }])
    await pass(world, HOUR)
    const left = names.filter((name) => web(world).snapshots.has(name))
    expect(left).toContain(NAME)
    expect(left.length).toBeGreaterThanOrEqual(Math.floor(names.length / 2))
  })

  test('does neither on a copy', async () => {
    const world = await begin({ keep: { last: 99 }, copy: { remote: 'backup' } }, 'both')
    const copy = { ...ref, remote: 'backup' }
    web(world, 'backup').config[MARK] = '2026-11-25T00:00:00.000Z 2026-11-29T05:00:00.000Z'
    const before = structuredClone(web(world, 'backup').config)
    const far = new Date(world.clock.now() + 30 * DAY).toISOString()
    const later: Step = { do: 'expire-later', ref: copy, snapshot: NAME, expiresAt: far }
    expect(await attack(world, [later])).toContain('it is a copy')
    expect(await attack(world, [{ do: 'undo', ref: copy, snapshot: NAME }])).toContain('it is a copy')
    expect(web(world, 'backup').config).toEqual(before)
    expect(web(world, 'backup').snapshots.get(NAME)?.expires.ms).toBeNull()
  })
})

test.each([
  [0, 3 * DAY],
  [1, 3 * DAY],
  [0, MINUTE],
  [1, MINUTE],
])(
  'cut off after %i of its changes, it stays, and goes when it is asked for again %i ms later',
  async (made, later) => {
    const world = await begin({ keep: { last: 99 } })
    let changes = 0
    world.incus.main.faults = ({ method, path }) => {
      if (method !== 'PATCH' || !path.startsWith('/1.0/instances/web')) return null
      changes += 1
      return changes > made ? { before: { status: 500, error: 'cut off' } } : null
    }
    await remove(world)
    world.incus.main.faults = () => null
    await pass(world, later, Math.min(later, 15 * MINUTE))
    expect(endOf(world)).toBeNull()
    await remove(world)
    await pass(world, 2 * DAY + HOUR, 15 * MINUTE)
    expect(endOf(world)).toBeUndefined()
  },
)

test.each(['never', '2026-11-29T02:00:00Z'])(
  'removed again with another grace, it goes then, and an undo sets the end that it had at first: %s',
  async (own) => {
    const world = await begin({ keep: { last: 99 } })
    if (own !== 'never') {
      const path = `/1.0/instances/web/snapshots/${NAME}`
      await world.incus.main.handle({ method: 'PATCH', path, body: { expires_at: own } })
      await pass(world, MINUTE)
    }
    for (const hours of [48, 24, 72]) {
      await remove(world, { grace: hours * 3600 })
      expect(Math.abs((endOf(world) ?? 0) - world.clock.now() - hours * HOUR)).toBeLessThan(5 * MINUTE)
      await pass(world, 10 * MINUTE)
    }
    await undo(world)
    expect(endOf(world)).toBe(own === 'never' ? null : Date.parse(own))
  },
)
