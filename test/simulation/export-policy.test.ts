/** Exports that policies want: one of each slot, from the newest complete snapshot, read again, and told where they are missing. */
import { describe, expect, test } from 'vitest'
import { type Io, run } from '../../functions/run.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import { passUntil } from './passing.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const MINUTE = 60_000
const START = Date.parse('2026-11-20T00:00:30Z')
const SIX = { to: 'nas', schedule: '20 */6 * * *' }

type Scene = { world: World; pass(until: string, each?: (at: Date) => Promise<void>): Promise<void> }

async function begin(wish: object = SIX, more: object = {}): Promise<Scene> {
  const world = createWorld({ start: new Date(START) })
  for (const name of ['web', 'db']) write(seedInstance(world.incus.main, { name, running: true }), name, 20e6)
  await world.clock.advance(world.clock.now() + 10)
  const policy = { remotes: ['main'], schedule: '@hourly', keep: { last: 30 }, export: wish, ...more }
  await world.apply({ policies: { p: policy } })
  return { world, pass: (until, each) => passUntil(world, until, each) }
}

/** What the store has, as `instance name snapshot`. */
const madeIn = ({ world }: Scene): string[] =>
  [...world.stores.made.values()]
    .map(({ manifest: { instance, name, snapshot } }) => `${instance.slice(13)} ${name} ${snapshot.name}`)
    .sort()

const promisedIn = async ({ world }: Scene) => {
  const { promises } = await statusIn(world, new Date(world.clock.now()))
  return promises
    .filter(({ kind }) => kind === 'export')
    .map(({ subject, state, target }) => `${subject.slice(13)} ${target} ${state}`)
}

const temporaries = ({ world }: Scene): string[] =>
  [...(world.incus.main.state.projects.get('default')?.instances.keys() ?? [])].filter((name) =>
    name.startsWith('stapes-export'),
  )

describe('each slot of a policy’s exports', () => {
  test('has one of each instance, of the newest snapshot, and the first one comes at once', async () => {
    const scene = await begin()
    await scene.pass('2026-11-20T13:00:00Z')
    for (const name of ['db', 'web'])
      expect(madeIn(scene).filter((line) => line.startsWith(name))).toEqual([
        `${name} 20261119T182000Z p-20261120T0000Z`,
        // Its slot had nothing newer yet.
        `${name} 20261120T002000Z p-20261120T0100Z`,
        `${name} 20261120T062000Z p-20261120T0600Z`,
        `${name} 20261120T122000Z p-20261120T1200Z`,
      ])
    expect(await promisedIn(scene)).toEqual(['db nas kept', 'web nas kept'])
    expect(temporaries(scene)).toEqual([])
  })

  test('also where everything is done twice, and what KV knows is lost again and again', async () => {
    const scene = await begin()
    const { world } = scene
    let minute = 0
    await scene.pass('2026-11-20T13:00:00Z', async (at) => {
      minute += 1
      if (minute % 47 === 0) world.kv.wipe(['ledger'])
      if (minute % 31 === 0) world.kv.wipe(['promises'])
      if (minute % 3 === 0) await world.tick(at, 1)
    })
    for (const name of ['db', 'web'])
      expect(madeIn(scene).flatMap((line) => (line.startsWith(name) ? line.split(' ')[1] : []))).toEqual([
        ...['20261119T182000Z', '20261120T002000Z', '20261120T062000Z', '20261120T122000Z'],
      ])
    expect(temporaries(scene)).toEqual([])
  })

  test('also where the relay and Incus are killed in the middle', async () => {
    const scene = await begin()
    const { world } = scene
    await scene.pass('2026-11-20T06:21:00Z')
    world.relay.kill()
    await scene.pass('2026-11-20T06:25:00Z')
    world.incus.main.kill()
    await scene.pass('2026-11-20T06:40:00Z')
    world.incus.main.start()
    await scene.pass('2026-11-20T08:00:00Z')
    expect(madeIn(scene).filter((line) => line.includes('T062000Z'))).toHaveLength(2)
    expect(temporaries(scene)).toEqual([])
  })
})

test('a store that fails breaks the promise, which says why, and what is missing comes once it works again', async () => {
  const scene = await begin(SIX, { promise: { export: '8h' } })
  await scene.pass('2026-11-20T05:00:00Z')
  scene.world.stores.failure = 'store "nas": there is no directory /srv/nas'
  await scene.pass('2026-11-20T10:00:00Z')
  expect(await promisedIn(scene)).toEqual(['db nas broken', 'web nas broken'])
  const { promises } = await statusIn(scene.world, new Date(scene.world.clock.now()))
  const [broken] = promises.filter(({ kind }) => kind === 'export')
  expect(broken?.reason).toContain('there is no directory /srv/nas')
  scene.world.stores.failure = null
  await scene.pass('2026-11-20T15:00:00Z')
  expect(await promisedIn(scene)).toEqual(['db nas kept', 'web nas kept'])
})

test('a store that can’t be read is asked every ten minutes, not each minute, and then it goes on', async () => {
  const scene = await begin()
  const { world } = scene
  await scene.pass('2026-11-20T06:19:00Z')
  const asked = world.stores.listed
  const { writes } = world.kv.counts
  world.stores.isDown = true
  await scene.pass('2026-11-20T10:19:00Z')
  // Two instances, for four hours.
  expect(world.stores.listed - asked).toBeGreaterThan(20)
  expect(world.stores.listed - asked).toBeLessThan(60)
  expect(world.kv.counts.writes - writes).toBeLessThan(80)
  world.stores.isDown = false
  await scene.pass('2026-11-20T11:00:00Z')
  expect(madeIn(scene).filter((line) => line.includes('T062000Z'))).toHaveLength(2)
})

test('slots without a newer snapshot owe nothing, and the next snapshot is owed by the slot after it', async () => {
  const scene = await begin({ to: 'nas', schedule: '@hourly' }, { schedule: '0 3 * * *' })
  const { world } = scene
  const broken = new Set<string>()
  const watch = async (at: Date): Promise<void> => {
    if (at.getMinutes() % 15 !== 0) return
    for (const line of await promisedIn(scene)) if (!line.endsWith('kept')) broken.add(line)
  }
  await scene.pass('2026-11-20T02:00:00Z')
  await scene.pass('2026-11-22T02:30:00Z', watch)
  expect([...broken]).toEqual([])
  const share = (await statusIn(world, new Date(world.clock.now()))).promises
  expect(share.filter(({ kind }) => kind === 'export').map(({ keptShare }) => keptShare)).toEqual([1, 1])
  world.stores.isDown = true
  await scene.pass('2026-11-22T15:30:00Z', watch)
  expect([...broken]).toEqual([])
  await scene.pass('2026-11-22T17:00:00Z')
  // The store can't be read.
  expect(await promisedIn(scene)).toEqual(['db nas unknown', 'web nas unknown'])
})

test('one that somebody cancels is not begun again before the next slot', async () => {
  const scene = await begin()
  const { world } = scene
  world.stores.saveMs = 20 * MINUTE
  await scene.pass('2026-11-20T06:24:00Z')
  for (const instance of ['web', 'db']) {
    const at = new Date(world.clock.now())
    const request = { do: 'cancel', instance: `main/default/${instance}`, reason: 'not now' } as const
    const ran = await world.clock.settle(run({ kind: 'run', at, request }, world.places[0] as Io))
    expect(ran).toMatchObject({ refusal: null })
  }
  await scene.pass('2026-11-20T12:19:00Z')
  expect(madeIn(scene).filter((line) => line.includes('T062000Z'))).toEqual([])
  await scene.pass('2026-11-20T13:30:00Z')
  expect(madeIn(scene).filter((line) => line.includes('T122000Z'))).toHaveLength(2)
  expect(temporaries(scene)).toEqual([])
})

test('an export that somebody deletes is told within a day', async () => {
  const scene = await begin({ to: 'nas', schedule: '20 6 * * 0' })
  await scene.pass('2026-11-20T02:00:00Z')
  expect(await promisedIn(scene)).toEqual(['db nas kept', 'web nas kept'])
  for (const key of [...scene.world.stores.made.keys()])
    if (key.includes('/web ')) scene.world.stores.made.delete(key)
  let told: string | null = null
  await scene.pass('2026-11-21T03:00:00Z', async (at) => {
    if (told !== null || at < new Date('2026-11-20T23:55:00Z')) return
    const { promises } = await statusIn(scene.world, at)
    told = promises.find(({ kind, state }) => kind === 'export' && state === 'broken')?.reason ?? null
  })
  expect(told).toMatch(/the export of p-20261120T0000Z is gone from nas/)
  // It is made anew at once.
  expect(await promisedIn(scene)).toEqual(['db nas kept', 'web nas kept'])
})

test('the newest one is read again in time; where it is not what was stored, that is told and another one is made', async () => {
  const scene = await begin({ to: 'nas', schedule: '20 6 * * 0', check: '3h' })
  const { world } = scene
  await scene.pass('2026-11-20T02:00:00Z')
  const checks = (): number => world.stores.checked
  expect(checks()).toBe(0)
  await scene.pass('2026-11-20T07:00:00Z')
  expect(checks()).toBe(4)
  world.stores.corrupt = (key) => key.includes('/web ')
  await scene.pass('2026-11-20T10:00:00Z')
  world.stores.corrupt = () => false
  const warned = JSON.stringify(await statusIn(world, new Date(world.clock.now())))
  expect(warned).toContain('is not what was stored')
  await scene.pass('2026-11-20T11:00:00Z')
  expect(madeIn(scene).filter((line) => line.startsWith('web'))).toHaveLength(2)
  expect(madeIn(scene).filter((line) => line.startsWith('db'))).toHaveLength(1)
  expect(await promisedIn(scene)).toEqual(['db nas kept', 'web nas kept'])
})

test('a store that the relay does not have is told, and nothing is looked for there', async () => {
  const scene = await begin({ to: 'tape', schedule: '@daily' })
  await scene.pass('2026-11-20T01:00:00Z')
  const { warnings } = await statusIn(scene.world, new Date(scene.world.clock.now()))
  expect(JSON.stringify(warnings)).toMatch(/nothing is exported to tape, because .* no such store/)
})

test('two policies export one instance at the same moment to two stores: each has its own, and none is made twice', async () => {
  const world = createWorld({ start: new Date(START) })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 20e6)
  await world.clock.advance(world.clock.now() + 10)
  const policy = { remotes: ['main'], schedule: '@hourly', keep: { last: 30 } }
  const at = { schedule: '20 */6 * * *' }
  const policies = (to: string) => ({
    policies: { p: { ...policy, export: { ...at, to } }, q: { ...policy, export: { ...at, to: 'r2' } } },
  })
  await world.apply(policies('nas'))
  const keys = (): string[] => [...world.stores.made.keys()].sort()
  const [first, second] = ['20261119T182000Z', '20261120T002000Z']
  await passUntil(world, '2026-11-20T01:03:00Z')
  // Both are under way.
  world.relay.kill()
  await passUntil(world, '2026-11-20T01:20:00Z')
  expect(keys()).toEqual(
    ['nas', 'r2'].flatMap((store) => [first, second].map((name) => `${store} main/default/web ${name}`)),
  )
  // And one of them moves to the other's store.
  world.stores.saveMs = 20 * MINUTE
  await passUntil(world, '2026-11-20T06:23:00Z')
  await world.apply(policies('r2'))
  await passUntil(world, '2026-11-20T08:00:00Z')
  const third = '20261120T062000Z'
  expect(keys().filter((key) => key.includes(third))).toEqual(
    ['nas', 'r2'].map((store) => `${store} main/default/web ${third}`),
  )
  const { work } = JSON.parse(world.kv.peek('ledger') ?? '{}') as Ledger
  expect(['nas', 'r2'].map((store) => work[`export main/default/web>${store}`]?.state)).toEqual([
    'done',
    'done',
  ])
})
