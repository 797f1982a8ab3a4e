/** Custom volumes and their copies in seeded faults: answers are lost, daemons are killed, the relay restarts. */
import { expect, test } from 'vitest'
import { customOf } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, seedInstance } from '../emulator/scene.ts'
import { type Custom, type CustomSnapshot, findPool } from '../emulator/state.ts'
import { seededRandom } from './random.ts'
import { HOUR, MINUTE } from './scenes.ts'

import { createWorld, type Driver, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
const VOLUMES = ['data', 'logs'] as const
const KEPT = 3
const STORM = 12 * HOUR
const CALM = 5 * HOUR + 20 * MINUTE

const volume = (world: World, name: string): Custom => customOf(world.incus.main, { name })
const isOurs = (name: string): boolean => /^hourly-\d{8}T\d{4}Z$/.test(name)
const wholeIn = (world: World, name: string): CustomSnapshot[] =>
  [...volume(world, name).snapshots.values()].filter(
    (one) => isOurs(one.name) && !one.inMaking && one.disk.held === 'whole',
  )

/** What counts as a backup on the backup server and has no data there. */
function hollow(world: World, name: string): string[] {
  const copy = findPool(world.incus.backup.state, 'default').volumes.get(`default/${name}`)
  const marks = (copy?.config['user.stapes.verified'] ?? '')
    .split(' ')
    .map((pair) => pair.split('@')[0] ?? '')
  return [...(copy?.snapshots.values() ?? [])]
    .filter((one) => marks.includes(one.name) && one.disk.held !== 'whole')
    .map((one) => one.name)
}

/** The newest that is verified there. */
function newestThere(world: World, name: string): string {
  const copy = findPool(world.incus.backup.state, 'default').volumes.get(`default/${name}`)
  const marks = (copy?.config['user.stapes.verified'] ?? '')
    .split(' ')
    .map((pair) => pair.split('@')[0] ?? '')
  const there = [...(copy?.snapshots.keys() ?? [])].filter((one) => isOurs(one) && marks.includes(one))
  return there.sort().at(-1) ?? ''
}

async function begin(
  seed: number,
  { version, driver, copied }: { version: Version; driver: Driver; copied: boolean },
): Promise<World> {
  const world = createWorld({
    ...{ start: START, seed, versions: { main: version, backup: version } },
    drivers: { main: driver, backup: 'dir' },
  })
  seedInstance(world.incus.main, { name: 'web', running: true })
  for (const name of VOLUMES) {
    attachVolume(world.incus.main, { name: 'web' }, name)
    const url = `/1.0/storage-pools/default/volumes/custom/${name}/snapshots`
    await world.incus.main.handle({ method: 'POST', path: url, body: { name: 'by-hand' } })
  }
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly', keep: { last: KEPT } },
        select: { instances: [], volumes: ['default:*'] },
        ...(copied ? { copy: { remote: 'backup', keep: { last: KEPT } } } : {}),
      },
    },
  })
  world.incus.main.snapshotMs = 3_000
  world.incus.main.copyMs = 90_000
  return world
}

/** Some requests about volumes are lost, some answers, and now and then the daemon or the relay goes down. */
function brew(world: World, random: () => number): void {
  world.weather.now = (_, { path }) => {
    if (!path.includes('/custom') || random() > 0.1) return null
    return random() < 0.4 ? 'lost-before' : random() < 0.7 ? 'lost-after' : 500
  }
}

function strike(world: World, random: () => number): void {
  const chance = random()
  if (chance < 0.05) {
    const incus = world.incus[random() < 0.5 ? 'main' : 'backup']
    incus.kill()
    incus.start()
  } else if (chance < 0.07) world.relay.kill()
  else if (chance < 0.09) world.relay.restart()
}

test.each<[number, Version, Driver, boolean]>([
  [1, '6.0.4', 'btrfs', false],
  [2, '6.0.4', 'dir', true],
  [3, '7.0.2', 'btrfs', true],
  [4, '7.0.2', 'dir', false],
  [5, '6.0.4', 'btrfs', true],
])(
  'seed %i on %s with %s, copied %s: nothing of others goes, nor the newest good one, and calm brings order',
  async (seed, version, driver, copied) => {
    const world = await begin(seed, { version, driver, copied })
    const onCopy = new Map<string, string>()
    const random = seededRandom(seed * 7919)
    const newest = new Map<string, string>()
    brew(world, random)
    const until = world.clock.now() + STORM
    while (world.clock.now() < until) {
      const at = new Date(world.clock.now() + MINUTE)
      if (random() < 0.2) await world.tickTogether(at, [0, 1])
      else await world.tick(at)
      strike(world, random)
      for (const name of VOLUMES) {
        expect([...volume(world, name).snapshots.keys()]).toContain('by-hand')
        const names = wholeIn(world, name)
          .map((one) => one.name)
          .sort()
        const before = newest.get(name) ?? ''
        expect((names.at(-1) ?? '') >= before, `${name} lost ${before}: ${names.join(' ')}`).toBe(true)
        newest.set(name, names.at(-1) ?? '')
        expect(hollow(world, name)).toEqual([])
        const there = newestThere(world, name)
        expect(there >= (onCopy.get(name) ?? ''), `${name} lost ${onCopy.get(name)} on its copy`).toBe(true)
        onCopy.set(name, there)
      }
    }
    world.weather.now = () => null
    const end = world.clock.now() + CALM
    while (world.clock.now() < end) await world.tick(new Date(world.clock.now() + MINUTE))
    for (const name of VOLUMES) {
      const all = [...volume(world, name).snapshots.values()].filter((one) => isOurs(one.name))
      const slots = all.map((one) => one.name.slice(0, -3))
      expect(slots.slice(-KEPT)).toEqual([...new Set(slots)].slice(-KEPT))
      expect(all.slice(-KEPT).every(({ disk }) => disk.held === 'whole')).toBe(true)
      expect(all.length).toBeGreaterThanOrEqual(KEPT)
      if (copied) expect(newestThere(world, name)).toBe(all.at(-1)?.name)
      else expect(all.length).toBeLessThanOrEqual(KEPT + 2)
      expect(volume(world, name).snapshots.has('by-hand')).toBe(true)
    }
  },
)
