import { describe, expect, test } from 'vitest'
import { instanceOf, write } from '../emulator/scene.ts'
import { holdings } from './invariants.ts'
import { COVERED, DAY, everything, HOUR, type Simulation, simulate, usual } from './scenes.ts'
import { storm } from './storm.ts'

/** `SEED=17 npx vitest run test/simulation/faults.test.ts` replays one, and tells what happened in it. */
const replay = process.env.SEED
const seeds = replay === undefined ? Array.from({ length: 40 }, (_, at) => at + 1) : [Number(replay)]

const start = new Date('2026-11-20T00:00:30Z')
const calm = new Date(start.getTime() + 3 * DAY)
const until = new Date(calm.getTime() + 3 * DAY)

/** Every second four have exports, a volume and a group in them: so both kinds meet all drivers and transfer modes. */
const hasAll = (seed: number): boolean => (seed - 1) % 8 > 3

/** New data in every instance now and then, so that each refresh has something to send. */
function keepWriting({ world }: Simulation, bytes: number): void {
  let turn = 0
  const again = () => {
    for (const name of COVERED) write(instanceOf(world.incus.main, { name }), `${name} ${++turn}`, bytes)
    world.clock.after(5 * HOUR, again)
  }
  again()
}

async function endState(seed: number, all: boolean, stormy: boolean): Promise<string> {
  const btrfs = seed % 4 === 3
  const onDir = seed % 5 === 0 && seed > 0
  const scene = all ? everything : usual
  const simulation = await simulate({
    ...scene(start, until, seed % 2 === 0 ? 'push' : 'pull'),
    seed,
    drivers: { main: onDir ? 'dir' : 'btrfs', backup: btrfs ? 'btrfs' : 'dir' },
  })
  const { world, pass, watch } = simulation
  // With a group: so much that dir takes as long as it may stand still, and some of its snapshots come in time.
  keepWriting(simulation, all && onDir ? 120e6 : 600e6)
  const story: string[] = []
  try {
    // What is left of a first copy on btrfs can only be removed by hand, so those come before the storm.
    if (btrfs) await pass(new Date(start.getTime() + HOUR))
    if (stormy) await storm(simulation, calm, (line) => story.push(line))
    // A main on dir would go on taking minutes for each snapshot.
    world.incus.main.bandwidth = null
    await pass(until)
    watch.end()
  } catch (error) {
    throw new Error(
      `SEED=${seed}: ${error instanceof Error ? error.stack : error}\n${replay === undefined ? '' : story.join('\n')}`,
    )
  }
  const held = (['main', 'backup'] as const).flatMap((remote) =>
    simulation.covered.map((name) => `${remote}/${name}: ${holdings(world.incus[remote], name)}`),
  )
  return [...held, ...[...world.stores.made.keys()].sort()].join('\n')
}

describe('three days of faults, then three without', () => {
  const undisturbed = new Map<boolean, Promise<string>>()
  test.each(seeds)('seed %i holds all invariants and ends as if nothing had happened', async (seed) => {
    const all = hasAll(seed)
    const calmly = undisturbed.get(all) ?? endState(0, all, false)
    undisturbed.set(all, calmly)
    // Not both at once: what is remembered of the last text would be of the other one's each time.
    const wanted = await calmly
    expect(await endState(seed, all, true)).toBe(wanted)
  })
})
