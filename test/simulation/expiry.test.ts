/** Somebody has a snapshot stay longer than it would. */
import { describe, expect, test } from 'vitest'
import { ask, attack } from './asking.ts'
import { pass } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { begin, endOf, NAME, remove, web } from './undo-scene.ts'

const keepFor = (world: Parameters<typeof ask>[0], expiry: string | null) =>
  ask(world, { do: 'expiry', instance: 'web', snapshot: NAME, expiry })

describe('the expiry of a snapshot', () => {
  test('is made later, and stays so', async () => {
    const world = await begin({ keep: { last: 999 }, expiry: '2d' })
    const before = endOf(world) ?? 0
    const ran = await keepFor(world, '30d')
    expect(ran.results).toMatchObject([{ line: { sign: '#', what: NAME }, state: 'done' }])
    expect(Math.abs((endOf(world) ?? 0) - (world.clock.now() + 30 * DAY))).toBeLessThan(MINUTE)
    expect(before).toBeLessThan(world.clock.now() + 3 * DAY)
    await pass(world, 4 * DAY, 15 * MINUTE)
    expect(web(world).snapshots.has(NAME)).toBe(true)
    expect(web(world).snapshots.has('hourly-20261120T0300Z')).toBe(false)
  })

  test('is lifted', async () => {
    const world = await begin({ keep: { last: 999 }, expiry: '2d' })
    await keepFor(world, null)
    expect(web(world).snapshots.get(NAME)?.expires.ms ?? 0).toBeLessThanOrEqual(0)
    await pass(world, 4 * DAY, 15 * MINUTE)
    expect(web(world).snapshots.has(NAME)).toBe(true)
  })

  test.each([
    ['earlier than it is', { expiry: '2d' }, '1d', /not earlier: to remove it sooner, use expire/],
    ['set where there is none', {}, '30d', /it never expires.*use expire with a grace/],
  ])('is never %s', async (_, policy, expiry, said) => {
    const world = await begin({ keep: { last: 999 }, ...policy })
    const before = endOf(world)
    const ran = await keepFor(world, expiry)
    expect(JSON.stringify(ran)).toMatch(said)
    expect(endOf(world)).toBe(before)
  })

  test('waits for an undo where somebody has removed it', async () => {
    const world = await begin({ keep: { last: 999 } })
    await remove(world)
    const before = endOf(world)
    expect(JSON.stringify(await keepFor(world, null))).toContain('take that back first, with undo')
    expect(endOf(world)).toBe(before)
  })

  test('that somebody made later is not taken back by the copies', async () => {
    const world = await begin({ keep: { last: 999 }, expiry: '1d', copy: { remote: 'backup' } })
    await keepFor(world, '9d')
    const end = endOf(world)
    await pass(world, 3 * DAY, 15 * MINUTE)
    expect(Math.abs((endOf(world) ?? 0) - (end ?? 0))).toBeLessThan(2 * HOUR)
  })

  test('is not for a copy, whoever asks the relay', async () => {
    const world = await begin({ keep: { last: 999 }, copy: { remote: 'backup' } })
    await pass(world, 2 * HOUR)
    const step = { do: 'prolong', snapshot: NAME, expiresAt: '2027-01-01T00:00:00.000Z' } as const
    const at = { project: 'default', instance: 'web' }
    expect(await attack(world, [{ ...step, ref: { remote: 'backup', ...at } }])).toMatch(
      /only a backup target/,
    )
  })
})
