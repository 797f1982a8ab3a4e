import { describe, expect, test } from 'vitest'
import { run } from '../../functions/run.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { instanceOf, readMarker, write } from '../emulator/scene.ts'
import { copiesOf } from '../long-work.ts'
import { DAY, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Driver, Remote } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + DAY)
const SIX = new Date('2026-11-20T06:00:00Z')

/** Six hours went by; from now on what copies all bytes takes two minutes for an instance's. */
async function begin(
  drivers: Record<Remote, Driver> = { main: 'dir', backup: 'btrfs' },
): Promise<Simulation> {
  const simulation = await simulate({ ...usual(start, until), drivers })
  await simulation.pass(new Date(SIX.getTime() - 2 * MINUTE))
  simulation.world.incus.main.bandwidth = 5e6
  return simulation
}

const statusOf = ({ world }: Simulation, name: string): string =>
  instanceOf(world.incus.main, { name }).status

const noted = ({ world }: Simulation): Partial<Ledger> =>
  JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>

const later = ({ world }: Simulation, ms: number): Date => new Date(world.clock.now() + ms)

/** Main dies half a minute into the snapshots of six, whose tick waits for them. */
async function dieInSnapshot(simulation: Simulation): Promise<void> {
  const { world } = simulation
  let seen: string[] = []
  world.clock.after(SIX.getTime() + 30_000 - world.clock.now(), () => {
    seen = ['db', 'mail', 'web'].map((name) => statusOf(simulation, name))
    world.incus.main.kill()
  })
  world.clock.after(SIX.getTime() + 40_000 - world.clock.now(), () => world.incus.main.start())
  await simulation.pass(SIX)
  expect(seen).toEqual(['Frozen', 'Stopped', 'Frozen'])
}

describe('main is killed while its running instances are frozen', () => {
  test('for a snapshot: the next tick thaws them, says so, and what was missed is made up for', async () => {
    const simulation = await begin()
    await dieInSnapshot(simulation)
    expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Frozen', 'Frozen'])
    const ran = await simulation.tick(later(simulation, MINUTE))
    expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Running', 'Running'])
    const why = 'its snapshot hourly-20261120T0600Z was interrupted and left it frozen; it was running before'
    expect(ran).toMatchObject({
      thawed: [`main/default/db: ${why}`, `main/default/web: ${why}`],
      results: expect.arrayContaining([
        {
          state: 'done',
          line: { about: 'main/default/web', sign: '^', counts: 'thaw', what: '', reason: why },
        },
      ]),
    })
    expect(noted(simulation).runs?.[0]?.listed?.thawed).toHaveLength(2)
    await simulation.pass(later(simulation, 10 * MINUTE))
    expect(noted(simulation).frozen).toBeUndefined()
    const { main } = simulation.world.incus
    const taken = [...instanceOf(main, { name: 'web' }).snapshots.keys()]
    // Late, and so named for its moment; what was left of the first try is gone.
    const late = taken.filter((name) => name.startsWith('hourly-20261120T06'))
    expect(late.map((name) => readMarker(main, { name: 'web' }, name))).toEqual(['web 0'])
    await simulation.pass(until)
    simulation.watch.end()
  })

  test('what a person had frozen before stays frozen', async () => {
    const simulation = await begin()
    instanceOf(simulation.world.incus.main, { name: 'db' }).status = 'Frozen'
    await dieInSnapshot(simulation)
    await simulation.pass(later(simulation, 10 * MINUTE))
    expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Frozen', 'Running'])
  })

  test('what a person thawed and froze again afterwards stays frozen', async () => {
    const simulation = await begin()
    await dieInSnapshot(simulation)
    const web = instanceOf(simulation.world.incus.main, { name: 'web' })
    web.status = 'Running'
    await simulation.pass(later(simulation, 2 * MINUTE))
    expect(noted(simulation).frozen).toBeUndefined()
    web.status = 'Frozen'
    await simulation.pass(later(simulation, HOUR / 4))
    expect(web.status).toBe('Frozen')
  })

  test('while it can’t be asked nothing is forgotten', async () => {
    const simulation = await begin()
    const { world } = simulation
    world.clock.after(SIX.getTime() + 30_000 - world.clock.now(), () => world.incus.main.kill())
    await simulation.pass(new Date(SIX.getTime() + HOUR / 2))
    world.incus.main.start()
    await simulation.pass(later(simulation, 2 * MINUTE))
    expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Running', 'Running'])
  })
})

describe('a copy', () => {
  /** In mid-copy of what was taken at three o'clock. */
  async function copying(allow?: 'freeze'): Promise<Simulation> {
    const usually = usual(start, until)
    const copy = { remote: 'backup', ...(allow === undefined ? {} : { allow }) }
    const daily = { schedule: '0 3 * * *', keep: { daily: 2 }, copy }
    const policies = { ...usually.policies, daily }
    const drivers = { main: 'dir', backup: 'btrfs' } as const
    const simulation = await simulate({ ...usually, policies, drivers })
    await simulation.pass(new Date('2026-11-20T02:59:00Z'))
    const { main } = simulation.world.incus
    for (const name of ['db', 'web']) write(instanceOf(main, { name }), `${name} at three`, 600e6)
    main.bandwidth = 5e6
    while (!isCopying(simulation, 'web') || !isCopying(simulation, 'db'))
      await simulation.pass(later(simulation, MINUTE), 'ticked')
    return simulation
  }

  const isCopying = (simulation: Simulation, name: string): boolean =>
    copiesOf(noted(simulation))[`main/default/${name}>backup/default/${name}`]?.state === 'running'

  function restartMain({ world }: Simulation): void {
    world.incus.main.kill()
    world.incus.main.bandwidth = null
    world.incus.main.start()
  }

  test('freezes nothing, unless the policy wants that', async () => {
    const simulation = await copying()
    expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Running', 'Running'])
  })

  test('that freezes, and is cut off, is followed by a thaw', async () => {
    const simulation = await copying('freeze')
    expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Frozen', 'Frozen'])
    restartMain(simulation)
    await simulation.pass(later(simulation, 3 * MINUTE), 'ticked')
    expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Running', 'Running'])
    const why = 'its copy to backup was interrupted and left it frozen; it was running before'
    expect(noted(simulation).runs?.flatMap(({ listed }) => listed?.thawed ?? [])).toContain(
      `main/default/web: ${why}`,
    )
    await simulation.pass(until)
    simulation.watch.end()
  })

  test('also when the ledger is lost; and what a person freezes after that stays frozen', async () => {
    const simulation = await copying('freeze')
    simulation.world.kv.wipe(['ledger'])
    restartMain(simulation)
    await simulation.pass(later(simulation, 3 * MINUTE), 'ticked')
    expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Running', 'Running'])
    instanceOf(simulation.world.incus.main, { name: 'web' }).status = 'Frozen'
    await simulation.pass(later(simulation, 10 * MINUTE), 'ticked')
    expect(statusOf(simulation, 'web')).toBe('Frozen')
  })
})

test('a thaw that fails is tried again, and then a person is asked', async () => {
  const simulation = await begin()
  await dieInSnapshot(simulation)
  const { world } = simulation
  world.weather.now = (_, { method, path }) =>
    method === 'PUT' && path.startsWith('/1.0/instances/web/state') ? 500 : null
  await simulation.pass(later(simulation, 15 * MINUTE), 'ticked')
  expect(['db', 'web'].map((name) => statusOf(simulation, name))).toEqual(['Running', 'Frozen'])
  expect(noted(simulation).frozen?.['main/default/web']).toMatchObject({ tries: 5 })
  const io = world.places[0] as (typeof world.places)[number]
  const ran = await world.clock.settle(run({ kind: 'run', at: later(simulation, 0) }, io))
  expect(JSON.stringify(ran)).toContain('thaw it by hand: incus resume web')
})
