import { describe, expect, test } from 'vitest'
import { hasData, instanceOf, write } from '../emulator/scene.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { COVERED, DAY, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Driver } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 4 * DAY)

/** Last night's slot is still in time at the start, and its copy is the first. */
const firstNight = start
const secondNight = new Date('2026-11-21T03:00:00Z')

/** New data every two hours, on lines so slow that a copy takes many minutes. */
async function begin(target: Driver): Promise<Simulation> {
  const simulation = await simulate({ ...usual(start, until), drivers: { main: 'btrfs', backup: target } })
  const { world } = simulation
  for (let turn = 1; turn < 2 * 24; turn++)
    world.clock.after(turn * 2 * HOUR, () => {
      for (const name of COVERED) write(instanceOf(world.incus.main, { name }), `${name} ${turn}`, 600e6)
    })
  world.incus.main.bandwidth = 3e6
  return simulation
}

/** Waits for the copies of a night, and kills the target so many seconds after one began. */
async function killInCopy({ world, pass }: Simulation, night: Date, seconds: number): Promise<void> {
  await pass(new Date(Math.max(world.clock.now(), Number(night))), 'ticked')
  while (world.incus.backup.transfers.size === 0) await pass(new Date(world.clock.now() + MINUTE), 'ticked')
  await world.clock.advance(world.clock.now() + seconds * 1000)
  expect(world.incus.backup.transfers.size).toBeGreaterThan(0)
  world.incus.backup.kill()
}

const phantoms = ({ world: { incus } }: Simulation): string[] =>
  COVERED.flatMap((name) =>
    [...(incus.backup.state.projects.get('default')?.instances.get(name)?.snapshots.keys() ?? [])]
      .filter((snapshot) => !hasData(incus.backup, { name }, snapshot))
      .map((snapshot) => `${name}/${snapshot}`),
  )

/** What main lists and has no data of. */
const withoutData = ({ world: { incus } }: Simulation): string[] =>
  COVERED.flatMap((name) =>
    [...instanceOf(incus.main, { name }).snapshots.values()]
      .filter(({ disk }) => disk.held !== 'whole')
      .map((snapshot) => `${name}/${snapshot.name}`),
  )

const later = ({ world }: Simulation, ms: number): Date => new Date(world.clock.now() + ms)

const kills = [1, 30, 90, 170, 190].flatMap((seconds) => [
  { copy: 'a first copy', target: 'dir' as const, night: firstNight, seconds },
  { copy: 'a refresh', target: 'dir' as const, night: secondNight, seconds },
  { copy: 'a refresh', target: 'btrfs' as const, night: secondNight, seconds },
])

describe('the source is killed while it makes a snapshot', () => {
  const deaths = [
    { policy: 'hourly', minutes: 2 },
    { policy: 'daily', minutes: 2 },
    // Beyond the next slot, so that nobody makes that one again.
    { policy: 'hourly', minutes: 70 },
  ]
  test.each(deaths)(
    '$policy, and is away for $minutes min: the partial one goes',
    async ({ policy, minutes }) => {
      const simulation = await begin('dir')
      const { world, pass, watch } = simulation
      const { main } = world.incus
      await pass(new Date(Number(secondNight) - MINUTE))
      main.snapshotMs = 10_000
      let partials: string[] = []
      world.weather.now = (remote, { method, body }) => {
        const name = (body as { name?: string } | undefined)?.name ?? ''
        if (remote !== 'main' || method !== 'POST' || !name.startsWith(`${policy}-`)) return null
        world.weather.now = () => null
        world.clock.after(5_000, () => {
          main.kill()
          partials = withoutData(simulation)
        })
        world.clock.after(minutes * MINUTE, () => main.start())
        return null
      }
      await pass(new Date(Number(secondNight) + 2 * HOUR), 'ticked')
      expect(partials).not.toEqual([])
      expect(withoutData(simulation)).toEqual([])
      await pass(until)
      watch.end()
      expect(withoutData(simulation)).toEqual([])
    },
  )
})

describe('the target is killed in mid-copy', () => {
  test.each(kills)(
    '$seconds s into $copy on $target: nothing without data survives or counts',
    async (kill) => {
      const simulation = await begin(kill.target)
      const { world, pass, watch } = simulation
      await killInCopy(simulation, kill.night, kill.seconds)
      await pass(later(simulation, 10 * MINUTE), 'ticked')
      expect(phantoms(simulation)).not.toEqual([])
      world.incus.backup.start()
      await pass(later(simulation, 6 * HOUR))
      expect(phantoms(simulation)).toEqual([])
      await pass(until)
      watch.end()
    },
  )

  test('again and again, with a relay that restarts and a ledger that is lost in between', async () => {
    const simulation = await begin('dir')
    const { world, pass, watch } = simulation
    for (const seconds of [40, 100, 160]) {
      await killInCopy(simulation, secondNight, seconds)
      world.relay.restart()
      world.kv.wipe(['ledger'])
      await pass(later(simulation, 3 * MINUTE), 'ticked')
      world.incus.backup.start()
    }
    await pass(until)
    expect(phantoms(simulation)).toEqual([])
    watch.end()
  })

  test('in a first copy on btrfs Incus cannot delete what is left: that is said, and nothing is counted', async () => {
    const simulation = await begin('btrfs')
    const { world, pass, watch } = simulation
    await killInCopy(simulation, firstNight, 90)
    world.incus.backup.start()
    const broken = phantoms(simulation)[0]?.split('/')[0] ?? ''
    const key = `main/default/${broken}>backup/default/${broken}`
    const told = new Set<string>()
    for (let minute = 0; minute < 60; minute++) {
      const ran = await simulation.tick(later(simulation, MINUTE))
      if ('problems' in ran) for (const problem of ran.problems) told.add(problem)
    }
    expect([...told]).toContainEqual(
      expect.stringMatching(new RegExp(`^${key}: copy failed: .*Not a Btrfs subvolume`)),
    )
    expect(copiesOf(ledgerIn(world))[key]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('Not a Btrfs subvolume'),
    })
    expect(instanceOf(world.incus.backup, { name: broken }).config['user.stapes.verified'] ?? '').toBe('')

    // Whoever is told so removes by hand what is left (two copies ran).
    for (const left of phantoms(simulation))
      world.incus.backup.state.projects.get('default')?.instances.delete(left.split('/')[0] ?? '')
    await pass(until)
    watch.end()
  })
})
