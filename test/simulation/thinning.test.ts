/** Exports go by their policy's `keep`, and by nothing else: never the newest, never what isn't the policy's own. */
import { describe, expect, test } from 'vitest'
import { type Io, planOnly, run } from '../../functions/run.ts'
import { simulateOnly } from '../../functions/simulate.ts'
import { linesOf } from '../../shared/plan/lines.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import { passUntil } from './passing.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const START = Date.parse('2026-11-20T00:00:30Z')
const HOURLY = { to: 'nas', schedule: '20 * * * *', keep: { last: 3 } }

type Scene = { world: World; pass(until: string, each?: (at: Date) => Promise<void>): Promise<void> }

async function begin(wish: object = HOURLY, more: object = {}): Promise<Scene> {
  const world = createWorld({ start: new Date(START) })
  world.stores.minRetention = 0
  for (const name of ['web', 'db']) write(seedInstance(world.incus.main, { name, running: true }), name, 1e6)
  await world.clock.advance(world.clock.now() + 10)
  await world.apply(configOf(wish, more))
  return { world, pass: (until, each) => passUntil(world, until, each) }
}

const configOf = (wish: object, more: object = {}) => ({
  policies: { p: { remotes: ['main'], schedule: '10 * * * *', keep: { last: 30 }, export: wish, ...more } },
})

const namesOf = ({ world }: Scene, instance = 'web'): string[] =>
  [...world.stores.made.keys()]
    .flatMap((key) => (key.includes(`/${instance} `) ? (key.split(' ')[2] ?? '') : []))
    .sort()

const statusOf = async ({ world }: Scene) =>
  JSON.stringify(await statusIn(world, new Date(world.clock.now())))

/** As somebody else had it made. */
function seedExport({ world }: Scene, name: string, change: (manifest: Manifest) => Manifest): string {
  const [first] = [...world.stores.made].find(([key]) => key.includes('/web ')) ?? []
  const made = world.stores.made.get(first ?? '')
  if (made === undefined) throw new Error('there is none yet')
  const key = `nas main/default/web ${name}`
  const { madeAt: _, ...rest } = made.manifest
  world.stores.made.set(key, {
    ...made,
    manifest: change({ ...rest, name, madeAt: '2026-11-20T00:21:00.000Z' }),
  })
  return name
}

describe('by keep', () => {
  test('the last three stay, also of each instance, whatever is lost and done twice', async () => {
    const scene = await begin()
    const { world } = scene
    let minute = 0
    let most = 0
    const made = new Set<string>()
    await scene.pass('2026-11-20T10:08:00Z', async (at) => {
      minute += 1
      if (minute % 47 === 0) world.kv.wipe(['ledger'])
      if (minute % 31 === 0) world.kv.wipe(['promises'])
      if (minute % 3 === 0) await world.tick(at, 1)
      if (minute === 200) world.relay.kill()
      most = Math.max(most, namesOf(scene).length)
      for (const name of namesOf(scene)) made.add(name)
    })
    expect(made.size).toBeGreaterThan(8)
    expect(namesOf(scene)).toEqual([...made].sort().slice(-3))
    expect(namesOf(scene, 'db')).toHaveLength(3)
    expect(most).toBe(4)
    expect(await statusOf(scene)).not.toContain('"broken"')
  })

  test('is what a dry run shows, with a reason in each line', async () => {
    const scene = await begin({ ...HOURLY, keep: { last: 9 } })
    const { world } = scene
    await scene.pass('2026-11-20T03:30:00Z')
    await world.apply(configOf({ ...HOURLY, keep: { last: 3 } }))
    const at = new Date(world.clock.now())
    const plan = await world.clock.settle(planOnly({ kind: 'run', at }, world.places[0] as Io))
    const lines = linesOf(plan ?? (await Promise.reject(new Error('there is no plan'))))
    const mine = lines.filter(({ about, what }) => about.endsWith('/web') && what.startsWith('nas:'))
    expect(mine.map(({ sign, what, reason }) => `${sign} ${what} ${reason}`).sort()).toEqual([
      '- nas:20261119T232000Z no rule keeps it: the export of p-20261120T0000Z goes from nas, by the keep of p’s exports',
      '- nas:20261120T002000Z no rule keeps it: the export of p-20261120T0010Z goes from nas, by the keep of p’s exports',
      '= nas:20261120T012000Z last 3 of 3',
      '= nas:20261120T022000Z last 2 of 3',
      '= nas:20261120T032000Z last 1 of 3',
    ])
    const simulated = await world.clock.settle(
      simulateOnly({ days: 0.2, effort: 5000, subject: 'web' }, world.places[0] as Io, at),
    )
    const [web] = simulated?.ok === true ? simulated.value.forecast.subjects : []
    const gone = (web?.removals ?? []).filter(({ of }) => of === 'main/default/web>nas')
    expect(gone.map(({ at: when, snapshot }) => `${when.slice(11, 16)} ${snapshot}`)).toEqual([
      '03:30 20261119T232000Z',
      '03:30 20261120T002000Z',
      '04:20 20261120T012000Z',
      '05:20 20261120T022000Z',
      '06:20 20261120T032000Z',
    ])
  })

  test('without one, nothing goes', async () => {
    const scene = await begin({ to: 'nas', schedule: '20 * * * *' })
    await scene.pass('2026-11-20T07:50:00Z')
    expect(namesOf(scene)).toHaveLength(9)
  })

  test('what is not the policy’s own stays: on request, of another policy, installation or instance, and what is held', async () => {
    const scene = await begin()
    const { world } = scene
    await scene.pass('2026-11-20T00:40:00Z')
    const [owner] = [...world.stores.made.values()].map(({ manifest }) => manifest.owner ?? '')
    const others = [
      seedExport(scene, '20261119T010000Z', ({ policy: _, ...rest }) => rest),
      seedExport(scene, '20261119T020000Z', (one) => ({ ...one, policy: 'q' })),
      seedExport(scene, '20261119T030000Z', ({ owner: _, ...rest }) => rest),
      seedExport(scene, '20261119T040000Z', (one) => ({ ...one, owner: `9${owner}` })),
      seedExport(scene, '20261119T050000Z', (one) => ({
        ...one,
        snapshot: { ...one.snapshot, createdAt: '2025-01-01T00:00:00Z' },
      })),
      seedExport(scene, '20261119T060000Z', (one) => one),
    ]
    world.stores.held.add(`nas main/default/web ${others[5]}`)
    await scene.pass('2026-11-20T07:50:00Z')
    expect(namesOf(scene)).toEqual([
      ...others,
      ...['20261120T052000Z', '20261120T062000Z', '20261120T072000Z'],
    ])
    expect(namesOf(scene, 'db')).toHaveLength(3)
  })

  test('what was exported of an instance that is gone stays', async () => {
    const scene = await begin()
    await scene.pass('2026-11-20T05:50:00Z')
    const before = namesOf(scene)
    scene.world.incus.main.state.projects.get('default')?.instances.delete('web')
    await scene.pass('2026-11-20T09:50:00Z')
    expect(namesOf(scene)).toEqual(before)
    expect(namesOf(scene, 'db').at(-1)).toBe('20261120T092000Z')
  })

  test('while the newest one is missing, none goes', async () => {
    const scene = await begin()
    const { world } = scene
    world.stores.lockedUntil = () => Date.parse('2026-11-20T06:35:00Z')
    await scene.pass('2026-11-20T06:15:00Z')
    const before = namesOf(scene)
    world.stores.failure = 'store "nas": no space left'
    await scene.pass('2026-11-20T08:50:00Z')
    expect(namesOf(scene)).toEqual(before)
    expect(await statusOf(scene)).not.toContain('exports would go at once')
    world.stores.failure = null
    await scene.pass('2026-11-20T15:30:00Z')
    expect(await statusOf(scene)).toContain('exports would go at once')
  })
})

describe('a store that keeps what it has', () => {
  test('until a date is asked at that date, and not before', async () => {
    const scene = await begin()
    const { world } = scene
    const date = Date.parse('2026-11-20T06:35:00Z')
    world.stores.lockedUntil = (key) => (key.includes('/web ') ? date : null)
    await scene.pass('2026-11-20T06:34:00Z')
    expect(namesOf(scene)).toHaveLength(8)
    expect(await statusOf(scene)).not.toContain('store "nas" keeps it')
    // All of it may go at once then, so somebody is asked.
    await scene.pass('2026-11-20T06:40:00Z')
    expect(await statusOf(scene)).toContain('exports would go at once')
    const request = { do: 'allow', policies: ['p'], reason: 'asked for' } as const
    const at = new Date(world.clock.now())
    await world.clock.settle(run({ kind: 'run', at, request }, world.places[0] as Io))
    expect(namesOf(scene)).toEqual(['20261120T042000Z', '20261120T052000Z', '20261120T062000Z'])
  })

  test('and says no date is tried at growing intervals, which is told, and no brake holds that', async () => {
    const scene = await begin()
    const { world } = scene
    world.stores.isLocked = true
    await scene.pass('2026-11-20T03:15:00Z')
    expect(await statusOf(scene)).toContain('it answered 403')
    await scene.pass('2026-11-20T16:50:00Z')
    expect(namesOf(scene)).toHaveLength(18)
    // Of each instance 15 are to go: each of them is tried at once, and together after 1, 2, 4 and 8 hours.
    expect(world.stores.refused).toBeGreaterThan(2 * 15)
    expect(world.stores.refused).toBeLessThan(2 * (15 + 1 + 3 + 7 + 15))
    expect(await statusOf(scene)).not.toContain('exports would go at once')
    world.stores.isLocked = false
    await scene.pass('2026-11-20T18:50:00Z')
    expect(namesOf(scene)).toHaveLength(3)
  })

  test('by its relay’s minRetention has each for so long', async () => {
    const scene = await begin()
    scene.world.stores.minRetention = 5 * 3600
    // Each is made a minute or two after its slot.
    await scene.pass('2026-11-20T11:21:00Z')
    expect(namesOf(scene)[0]).toBe('20261120T062000Z')
    await scene.pass('2026-11-20T11:50:00Z')
    expect(namesOf(scene)[0]).toBe('20261120T072000Z')
    expect(await statusOf(scene)).not.toContain('minRetention')
  })
})

describe('the brake', () => {
  const cut = async (): Promise<Scene> => {
    const scene = await begin({ ...HOURLY, keep: { last: 12 } })
    await scene.pass('2026-11-20T09:10:00Z')
    expect(namesOf(scene)).toHaveLength(10)
    await scene.world.apply(configOf(HOURLY))
    await scene.pass('2026-11-20T09:50:00Z')
    return scene
  }

  test('holds back what a cut keep would take, says so, and removes it once somebody confirms', async () => {
    const scene = await cut()
    const { world } = scene
    expect(namesOf(scene)).toHaveLength(11)
    const told = await statusOf(scene)
    expect(told).toMatch(/8 of 11 exports would go at once.*\/backup allow main\/default\/web --policy=p/)
    // It is told as long as it is so, also by ticks that don't look into the store.
    await scene.pass('2026-11-20T10:10:00Z')
    expect(await statusOf(scene)).toContain('exports would go at once')
    const request = { do: 'allow', instances: ['web'], reason: 'asked for' } as const
    const at = new Date(world.clock.now())
    await world.clock.settle(run({ kind: 'run', at, request }, world.places[0] as Io))
    expect(namesOf(scene)).toHaveLength(3)
    expect(namesOf(scene, 'db')).toHaveLength(11)
    await scene.pass('2026-11-20T11:50:00Z')
    expect(namesOf(scene)).toEqual(['20261120T092000Z', '20261120T102000Z', '20261120T112000Z'])
    expect(await statusOf(scene)).not.toMatch(/exports would go at once[^"]*web/)
  })

  test('holds back what a clock that jumps would take, also with the ledger lost', async () => {
    const scene = await begin({ ...HOURLY, keep: { within: '4h' } })
    const { world } = scene
    await scene.pass('2026-11-20T05:50:00Z')
    const before = namesOf(scene)
    world.kv.wipe(['ledger', 'promises'])
    await world.clock.advance(Date.parse('2027-08-20T05:50:00Z'))
    await scene.pass('2027-08-20T07:50:00Z')
    expect(namesOf(scene).length).toBeGreaterThan(before.length)
    expect(namesOf(scene)).toEqual(expect.arrayContaining(before))
    expect(await statusOf(scene)).toContain('exports would go at once')
  })
})

test('what is no export any more is told until somebody has mended it, and once', async () => {
  const scene = await begin()
  const { world } = scene
  await scene.pass('2026-11-20T02:30:00Z')
  world.stores.strays = ['20261120T002000Z counts as no export: its file is gone']
  const texts = async (): Promise<string[]> =>
    (await statusIn(world, new Date(world.clock.now()))).conditions
      .map(({ text }) => text)
      .filter((text) => text.includes('counts as no export'))
  let told = 0
  await scene.pass('2026-11-20T04:30:00Z', async () => {
    const now = (await texts()).filter((text) => text.startsWith('main/default/web: in store nas, '))
    told += now.length
  })
  // From the look after the next export on, at each tick.
  expect(told).toBeGreaterThan(60)
  expect(await texts()).toHaveLength(2)
  world.stores.strays = []
  await scene.pass('2026-11-20T05:40:00Z')
  expect(await texts()).toEqual([])
})

test('what is no export is told of a policy that keeps all of them, too, by one look in a long while', async () => {
  const scene = await begin({ to: 'nas', schedule: '20 * * * *' })
  const { world } = scene
  world.stores.strays = ['20261120T002000Z counts as no export: its file is gone']
  await scene.pass('2026-11-20T01:00:00Z')
  const surveyed = world.stores.surveyed
  expect(surveyed).toBe(2)
  await scene.pass('2026-11-20T05:30:00Z')
  expect(world.stores.surveyed).toBe(surveyed)
  expect(await statusOf(scene)).toContain('main/default/web: in store nas, 20261120T002000Z counts as no')
  expect(namesOf(scene)).toHaveLength(7)
})
