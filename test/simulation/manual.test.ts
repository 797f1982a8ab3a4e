/** Snapshots on request, in the whole product: their own names and expiries, here and on the copy. */
import { describe, expect, test } from 'vitest'
import { run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { pass } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')

type Policy = Record<string, object | string>

async function begin(policies: Record<string, Policy>): Promise<World> {
  const world = createWorld({ start: START })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'data', 1000)
  await world.apply({ defaults: { remotes: ['main'] }, policies })
  return world
}

const ask = (world: World, request: BackupRequest, place = 0): Promise<Run> =>
  world.clock.settle(
    run({ kind: 'run', at: new Date(world.clock.now()), request }, world.places[place] as never),
  )

const now: BackupRequest = { do: 'snapshot', instances: ['web'], reason: 'requested by ann' }

const on = (world: World, remote: 'main' | 'backup' = 'main'): string[] =>
  [...instanceOf(world.incus[remote], { name: 'web' }).snapshots.keys()].sort()
const manualsOn = (world: World, remote: 'main' | 'backup' = 'main'): string[] =>
  on(world, remote).filter((name) => name.startsWith('manual-'))
const expiryOn = (world: World, remote: 'main' | 'backup', name: string): string | undefined =>
  instanceOf(world.incus[remote], { name: 'web' }).snapshots.get(name)?.expires.text

const seconds = (text = ''): number => Math.floor(Date.parse(text) / 1000)

describe('the history', () => {
  test('is not pushed out by an operator who takes a snapshot each minute', async () => {
    const world = await begin({ hourly: { schedule: '@hourly', keep: { last: 4 } } })
    await pass(world, 6 * HOUR)
    const before = on(world)
    for (let minute = 0; minute < 30; minute++) {
      await ask(world, now)
      await pass(world, MINUTE)
    }
    expect(manualsOn(world)).toHaveLength(30)
    expect(on(world).filter((name) => !name.startsWith('manual-'))).toEqual(before)
    await pass(world, 2 * HOUR)
    // By its slots, as if nobody had asked for anything.
    expect(on(world).filter((name) => name.startsWith('hourly-'))).toEqual([
      ...['hourly-20261120T0400Z', 'hourly-20261120T0500Z', 'hourly-20261120T0600Z'],
      ...['hourly-20261120T0700Z', 'hourly-20261120T0800Z'],
    ])
    expect(manualsOn(world)).toHaveLength(30)
  })

  test('has its slot’s snapshot also where somebody asked for one in that minute, or just after', async () => {
    const world = await begin({ hourly: { schedule: '@hourly', keep: { last: 4 } } })
    await pass(world, 2 * HOUR - 30_000)
    await ask(world, now)
    await pass(world, 5 * MINUTE)
    expect(on(world)).toEqual(
      expect.arrayContaining(['hourly-20261120T0200Z', expect.stringContaining('manual-20261120T0')]),
    )
  })
})

describe('one on request', () => {
  test('is one, however often it is asked for within a minute, and from wherever', async () => {
    const world = await begin({ hourly: { schedule: '@hourly' }, daily: { schedule: '@daily' } })
    await pass(world, HOUR + 10 * MINUTE)
    await ask(world, now)
    await ask(world, { ...now, policies: ['hourly', 'daily'] })
    await ask(world, now, 1)
    expect(manualsOn(world)).toHaveLength(1)
  })

  test('ends after the policy’s manual.expiry, which is 30 days where nothing is said', async () => {
    for (const [manual, end] of [
      [undefined, '2026-12-20T'],
      [{ expiry: '2d' }, '2026-11-22T'],
      [{ expiry: 'never' }, '0001-01-01T'],
    ] as const) {
      const world = await begin({
        hourly: { schedule: '@hourly', keep: { last: 1 }, expiry: '6H', ...(manual ? { manual } : {}) },
      })
      await pass(world, HOUR + 10 * MINUTE)
      await ask(world, now)
      const [name = ''] = manualsOn(world)
      expect(expiryOn(world, 'main', name)).toMatch(new RegExp(`^${end}`))
    }
  })

  test('is removed by Incus at its end, and not by retention before', async () => {
    const world = await begin({
      hourly: { schedule: '@hourly', keep: { last: 1 }, manual: { expiry: '12H' } },
    })
    await pass(world, HOUR + 10 * MINUTE)
    await ask(world, now)
    await pass(world, 11 * HOUR, 5 * MINUTE)
    expect(manualsOn(world)).toHaveLength(1)
    await pass(world, 2 * HOUR, 5 * MINUTE)
    expect(manualsOn(world)).toEqual([])
    expect(on(world).length).toBeGreaterThan(0)
  })

  test('is restored to', async () => {
    const world = await begin({ hourly: { schedule: '@hourly' } })
    await pass(world, HOUR + 10 * MINUTE)
    await ask(world, now)
    const [snapshot = ''] = manualsOn(world)
    write(instanceOf(world.incus.main, { name: 'web' }), 'other data', 1000)
    const asked = await ask(world, {
      ...{ do: 'restore', instance: 'main/default/web', snapshot, reason: 'requested by ann' },
    } as BackupRequest)
    expect(asked).toMatchObject({ state: 'ran', refusal: null })
    await pass(world, 5 * MINUTE)
    expect(instanceOf(world.incus.main, { name: 'web' }).disk.marker).toBe('data')
  })

  test('is expired by its name, and held until it is released', async () => {
    const world = await begin({ hourly: { schedule: '@hourly', manual: { expiry: '12H' } } })
    await pass(world, HOUR + 10 * MINUTE)
    await ask(world, now)
    const [snapshot = ''] = manualsOn(world)
    const one = { instance: 'main/default/web', snapshot, reason: 'requested by ann' }
    await ask(world, { do: 'hold', note: 'x', ...one } as BackupRequest)
    expect(expiryOn(world, 'main', snapshot)).toMatch(/^0001/)
    await pass(world, 13 * HOUR, 5 * MINUTE)
    const expire = {
      do: 'expire',
      snapshots: ['manual-*'],
      grace: 0,
      reason: 'requested by ann',
    } as BackupRequest
    await ask(world, expire)
    expect(manualsOn(world)).toEqual([snapshot])
    await ask(world, { do: 'release', ...one } as BackupRequest)
    // A day at least, as for every snapshot that is released.
    expect(expiryOn(world, 'main', snapshot)).toMatch(/^2026-11-21T/)
    await ask(world, expire)
    expect(manualsOn(world)).toEqual([])
  })
})

describe('on the copy', () => {
  const copied = (manual: object = { expiry: '10d' }): Record<string, Policy> => ({
    hourly: {
      schedule: '@hourly',
      keep: { last: 2 },
      manual,
      copy: { remote: 'backup', keep: { last: 1 }, expiry: '90d' },
    },
  })

  test('it is verified, ends there as on the source, and counts for no rule', async () => {
    const world = await begin(copied())
    await pass(world, HOUR + 10 * MINUTE)
    await ask(world, now)
    const [name = ''] = manualsOn(world)
    await pass(world, 10 * MINUTE)
    expect(manualsOn(world, 'backup')).toEqual([name])
    expect(instanceOf(world.incus.backup, { name: 'web' }).config['user.stapes.verified']).toContain(name)
    const end = expiryOn(world, 'main', name)
    expect(end).toMatch(/^2026-11-30T01:1/)
    expect(seconds(expiryOn(world, 'backup', name))).toBe(seconds(end))
    await pass(world, 6 * HOUR, 5 * MINUTE)
    expect(seconds(expiryOn(world, 'backup', name))).toBe(seconds(end))
    expect(manualsOn(world, 'backup')).toEqual([name])
    expect(on(world, 'backup').filter((one) => one.startsWith('hourly-')).length).toBeGreaterThan(0)
  })

  test('it ends there as meant also where its end was near, and so postponed for the transfer', async () => {
    const world = await begin(copied({ expiry: '3d' }))
    await pass(world, HOUR + 10 * MINUTE)
    await ask(world, now)
    const [name = ''] = manualsOn(world)
    const end = expiryOn(world, 'main', name)
    await pass(world, 10 * MINUTE)
    // Once no refresh builds on it any more, and it isn't the newest that is verified.
    expect(seconds(expiryOn(world, 'main', name))).toBeGreaterThan(seconds(end))
    expect(seconds(expiryOn(world, 'backup', name))).toBeGreaterThan(seconds(end))
    await pass(world, 2 * HOUR)
    expect(seconds(expiryOn(world, 'main', name))).toBe(seconds(end))
    expect(seconds(expiryOn(world, 'backup', name))).toBe(seconds(end))
    await pass(world, 3 * DAY, 10 * MINUTE)
    expect([manualsOn(world), manualsOn(world, 'backup')]).toEqual([[], []])
    expect(on(world, 'backup').length).toBeGreaterThan(0)
  })

  test('the last one that is verified there doesn’t end while there is no other', async () => {
    const world = await begin({
      yearly: { schedule: '0 0 1 1 *', manual: { expiry: '10d' }, copy: { remote: 'backup' } },
    })
    await ask(world, now)
    const [name = ''] = manualsOn(world)
    await pass(world, 10 * MINUTE)
    expect(manualsOn(world, 'backup')).toEqual([name])
    expect(expiryOn(world, 'backup', name)).toMatch(
      on(world, 'backup').length === 1 ? /^0001/ : /^2026-11-30/,
    )
  })
})
