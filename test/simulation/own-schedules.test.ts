/** Incus's own scheduler, watched: what it misses is told within two minutes, and is over with its next slot. */
import { describe, expect, test } from 'vitest'
import { customOf } from '../emulator/custom.ts'
import { attachVolume, instanceOf, seedInstance } from '../emulator/scene.ts'
import { ask, attack } from './asking.ts'
import { statusIn, warningsOf } from './status.ts'
import { createWorld, type World } from './world.ts'

const START = '2026-11-22T13:50:00Z'
const minute = (count: number): Date => new Date(Date.parse(START) + count * 60_000)
const HALF = { 'snapshots.schedule': '30 * * * *', 'snapshots.expiry': '7d' }

async function begin(db: Record<string, string>): Promise<World> {
  const world = createWorld({ start: new Date(Date.parse(START) + 10_000) })
  seedInstance(world.incus.main, { name: 'db1', running: true, config: { ...HALF, ...db } })
  seedInstance(world.incus.main, { name: 'web1', running: true, config: HALF })
  await world.apply({ policies: { daily: { remotes: ['main'], schedule: '@daily', keep: { last: 9 } } } })
  return world
}

async function pass(world: World, from: number, until: number): Promise<void> {
  for (let at = from; at < until; at++) await world.tick(minute(at), at % 2)
}

const told = async (world: World): Promise<string[]> =>
  (await warningsOf(world)).filter((text) => text.includes('own schedule'))

test('one failing instance that cancels the others of its minute is told within two minutes, and when it is over', async () => {
  const world = await begin({ 'snapshots.pattern': 'x%d%d' })
  await pass(world, 1, 40)
  expect(await told(world)).toEqual([])
  await pass(world, 40, 42)
  expect(instanceOf(world.incus.main, { name: 'web1' }).snapshots.has('snap0')).toBe(false)
  expect(await told(world)).toEqual([
    expect.stringMatching(/missed the slot 2026-11-22T14:30Z .* of main\/default\/db1 \(and 1 more there\)/),
  ])
  expect((await statusIn(world)).ownSchedules.main?.slots).toMatchObject([{ outcome: 'missed', served: 0 }])
  instanceOf(world.incus.main, { name: 'db1' }).config['snapshots.pattern'] = 'x%d'
  await pass(world, 42, 102)
  expect(await told(world)).toEqual([])
  expect((await statusIn(world)).ownSchedules.main?.slots).toMatchObject([
    { outcome: 'served', served: 2 },
    { outcome: 'missed' },
  ])
})

test('a server that is down at its slot has missed it as soon as it answers', async () => {
  const world = await begin({})
  await pass(world, 1, 35)
  world.incus.main.kill()
  await pass(world, 35, 45)
  world.incus.main.start()
  await pass(world, 45, 47)
  expect(await told(world)).toEqual([expect.stringContaining('missed the slot 2026-11-22T14:30Z')])
})

describe('a request', () => {
  const config = (world: World) => instanceOf(world.incus.main, { name: 'web1' }).config

  test('shows it, and sets and unsets it, with what that means', async () => {
    const world = await begin({})
    const request = { do: 'schedule', instance: 'web1' }
    expect(JSON.stringify(await ask(world, { ...request, config: {} }))).toContain(
      'by \\"30 * * * *\\", which it removes after 7d',
    )
    const ran = await ask(world, {
      ...request,
      config: { 'snapshots.schedule': '@hourly', 'snapshots.expiry': '' },
    })
    expect(ran.results).toMatchObject([{ state: 'done' }])
    expect(JSON.stringify(ran)).toContain('until the pool is full')
    expect(config(world)['snapshots.schedule']).toBe('@hourly')
    expect(config(world)).not.toHaveProperty('snapshots.expiry')
  })

  test('has a policy take over, after which Incus takes none and what it has taken stays', async () => {
    const world = await begin({})
    await pass(world, 1, 42)
    const ran = await ask(world, { do: 'take-over', instance: 'web1' })
    expect(ran.results).toMatchObject([
      { line: { reason: expect.stringContaining('policy daily') }, state: 'done' },
    ])
    expect(JSON.stringify(ran)).toContain('what Incus has taken of it stays')
    await pass(world, 42, 105)
    const { snapshots } = instanceOf(world.incus.main, { name: 'web1' })
    expect([...snapshots.keys()].filter((name) => name.startsWith('snap'))).toEqual(['snap0'])
    expect(Object.keys((await statusIn(world)).ownSchedules.main?.instances ?? {})).toEqual([
      'main/default/db1',
    ])
  })

  test('has a policy take over a custom volume, of which Incus knows no @never', async () => {
    const world = await begin({})
    attachVolume(world.incus.main, { name: 'web1' }, 'data')
    const data = customOf(world.incus.main, { name: 'data' })
    Object.assign(data.config, HALF)
    await pass(world, 1, 2)
    const select = { remotes: ['main'], volumes: ['attached'] }
    await world.apply({ policies: { daily: { select, schedule: '@daily', keep: { last: 9 } } } })
    const instance = 'main/default/default:data'
    const config = { 'snapshots.schedule': '@never' }
    expect((await ask(world, { do: 'schedule', instance, config })).refusal?.reason).toContain('none ends')
    const ran = await ask(world, { do: 'take-over', instance })
    expect(ran.results).toMatchObject([{ state: 'done' }])
    expect(data.config).not.toHaveProperty('snapshots.schedule')
  })

  test('without a policy says which one would do it', async () => {
    const world = await begin({})
    await pass(world, 1, 2)
    await world.apply({
      policies: { daily: { select: { remotes: ['main'], instances: ['db*'] }, schedule: '@daily' } },
    })
    const ran = await ask(world, { do: 'take-over', instance: 'web1' })
    const reason = ran.refusal?.reason ?? ''
    const said = /"web1": (\{.*\})/.exec(reason)?.[1] ?? ''
    expect(JSON.parse(said)).toEqual({
      select: { remotes: ['main'], projects: ['default'], instances: ['web1'] },
      ...{ schedule: '30 * * * *', expiry: '7d' },
    })
    await pass(world, 2, 3)
    await world.apply({ policies: { web: JSON.parse(said) } })
    expect(config(world)['snapshots.schedule']).toBe('30 * * * *')
  })

  test('changes nothing that somebody has changed since, and no copy', async () => {
    const world = await begin({})
    const step = { do: 'schedule', config: { 'snapshots.schedule': '@never' }, was: '@daily' } as const
    const at = { project: 'default', instance: 'web1' }
    expect(await attack(world, [{ ...step, ref: { remote: 'main', ...at } }])).toContain(
      'somebody has changed it',
    )
    const named = { 'snapshots.pattern': "daily-{{creation_date|date:'20060102T1504Z'}}" }
    const forged = { ...step, config: named, was: '30 * * * *', ref: { remote: 'main', ...at } }
    expect(await attack(world, [forged])).toContain('those of stapes')
    expect(await attack(world, [{ ...step, ref: { remote: 'backup', ...at } }])).toContain(
      'only a backup target',
    )
    expect(config(world)['snapshots.schedule']).toBe('30 * * * *')
  })
})
