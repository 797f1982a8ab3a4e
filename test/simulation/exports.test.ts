import { unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { storedExportsOf, visibleOf } from '../../functions/exports.ts'
import { type Io, look, run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { instanceOf, readMarker, seedInstance, write } from '../emulator/scene.ts'
import type { Instance } from '../emulator/state.ts'
import { exportsOf } from '../long-work.ts'
import { HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import { killAfter, killRelay } from './strikes.ts'
import type { Driver } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 12 * HOUR)
/** Away from every slot's minutes. */
const asking = new Date('2026-11-20T06:20:10Z')
const SNAPSHOT = 'hourly-20261120T0600Z'
const OLD = 'web as it was at six'

async function begin(driver: Driver = 'dir'): Promise<Simulation> {
  const simulation = await simulate({ ...usual(start, until), drivers: { main: driver, backup: 'dir' } })
  const { world, pass } = simulation
  const web = instanceOf(world.incus.main, { name: 'web' })
  await pass(new Date('2026-11-20T05:59:00Z'))
  write(web, OLD, 600e6)
  web.config['boot.autostart'] = 'true'
  await pass(new Date('2026-11-20T06:15:00Z'))
  write(web, 'web as it is now', 600e6)
  world.incus.main.snapshotMs = 10_000
  return simulation
}

const wish = { do: 'export', instance: 'main/default/web', to: 'nas', reason: 'asked for' } as const

const ask = ({ world }: Simulation, at: Date, place = 0, more: object = {}): Promise<Run> =>
  run({ kind: 'run', at, request: { ...wish, ...more } }, world.places[place] as Io)

async function asked(simulation: Simulation, at = asking, more: object = {}): Promise<Run> {
  const { world } = simulation
  if (world.clock.now() < at.getTime()) await world.clock.advance(at)
  return world.clock.settle(ask(simulation, at, 0, more))
}

const later = ({ world }: Simulation, ms: number): Date => new Date(world.clock.now() + ms)

const noted = ({ world }: Simulation) =>
  exportsOf(JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>)['main/default/web>nas']

const instances = ({ world }: Simulation): string[] => [
  ...(world.incus.main.state.projects.get('default')?.instances.keys() ?? []),
]

/** One, of the snapshot and not of what is there now; and nothing is left of how it was made. */
async function expectExported(simulation: Simulation): Promise<void> {
  const { made } = simulation.world.stores
  expect([...made.keys()]).toEqual(['nas main/default/web 20261120T062010Z'])
  for (const { manifest, archive } of made.values()) {
    expect(manifest).toMatchObject({
      ...{ instance: 'main/default/web', snapshot: { name: SNAPSHOT }, incus: '6.0.4' },
      leftOut: { config: { 'boot.autostart': 'true' } },
    })
    const entries = await unpackTar(archive)
    const marker = entries.find(({ header }) => header.name.endsWith('rootfs/marker'))
    expect(Buffer.from(marker?.data ?? []).toString()).toBe(OLD)
  }
  expect(instances(simulation).filter((name) => name.startsWith('stapes-export'))).toEqual([])
  expect(noted(simulation)).toMatchObject({ state: 'done', snapshot: SNAPSHOT })
}

describe('an instance is exported', () => {
  test.each(['btrfs', 'dir'] as const)(
    'from %s, at its newest snapshot, and nothing of it stays',
    async (driver) => {
      const simulation = await begin(driver)
      const before = instances(simulation)
      expect(await asked(simulation)).toMatchObject({
        results: [{ state: 'started', line: { sign: '»', what: 'nas' } }],
        started: { exports: ['main/default/web>nas'] },
      })
      await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
      await expectExported(simulation)
      expect(instances(simulation)).toEqual(before)
      await simulation.pass(until)
      simulation.watch.end()
      await expectExported(simulation)
    },
  )

  test('once, though it was asked for twice at the same time, and again later', async () => {
    const simulation = await begin()
    const { world } = simulation
    await world.clock.advance(asking)
    await world.clock.settle(Promise.all([ask(simulation, asking), ask(simulation, asking, 1)]))
    expect(await asked(simulation, later(simulation, 5_000))).toMatchObject({
      results: [],
      lines: [{ reason: expect.stringContaining('is being exported to nas') }],
    })
    await simulation.pass(later(simulation, 6 * MINUTE), 'ticked')
    await expectExported(simulation)
  })

  test('while its slots are served: neither waits for the other, and what it is made from is backed up by nobody', async () => {
    const simulation = await begin()
    simulation.world.stores.saveMs = 2 * HOUR
    await asked(simulation)
    await simulation.pass(new Date('2026-11-20T08:10:00Z'), 'ticked')
    const { instances: all } = simulation.world.incus.main.state.projects.get('default') ?? {}
    expect([...(all?.get('web')?.snapshots.keys() ?? [])]).toContain('hourly-20261120T0700Z')
    const temporary = [...(all?.values() ?? [])].find(({ name }) => name.startsWith('stapes-export'))
    expect([temporary?.status, temporary?.snapshots.size]).toEqual(['Stopped', 0])
    await simulation.pass(new Date('2026-11-20T08:30:00Z'), 'ticked')
    await expectExported(simulation)
  })

  test('while it is restored in place: what is exported is apart from it', async () => {
    const simulation = await begin()
    const { world } = simulation
    world.stores.saveMs = 20 * MINUTE
    await asked(simulation)
    await simulation.pass(later(simulation, 3 * MINUTE), 'ticked')
    const restored = {
      do: 'restore',
      instance: 'main/default/web',
      snapshot: SNAPSHOT,
      reason: 'back',
    } as const
    const at = later(simulation, 20_000)
    await world.clock.advance(at)
    const ran = await world.clock.settle(run({ kind: 'run', at, request: restored }, world.places[0] as Io))
    expect(ran).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    await simulation.pass(later(simulation, 25 * MINUTE), 'ticked')
    expect(readMarker(world.incus.main, { name: 'web' })).toBe(OLD)
    await expectExported(simulation)
  })

  test('and is found in its store by name, also once it is gone or its server gives no answer', async () => {
    const simulation = await begin()
    const { world } = simulation
    await asked(simulation)
    await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
    const list = async (path: string) => {
      const seen = await world.clock.settle(look(world.places[0] as Io, new Date(world.clock.now())))
      if (seen === null) throw new Error('nothing is configured')
      return world.clock.settle(
        storedExportsOf(
          path,
          { ...seen, facts: null, now: new Date(world.clock.now()) },
          (world.places[0] as Io).relay,
        ),
      )
    }
    const found = {
      ok: true,
      value: {
        instance: 'main/default/web',
        stores: [
          { store: 'nas', exports: [{ name: '20261120T062010Z', snapshot: { name: SNAPSHOT } }] },
          { store: 'r2', exports: [] },
        ],
      },
    }
    expect(await list('web')).toMatchObject(found)
    const seen = await world.clock.settle(look(world.places[0] as Io, new Date(world.clock.now())))
    const others = seen === null ? null : visibleOf(seen.world, (key) => !key.endsWith('/web'))
    expect(others?.remotes.main).not.toMatchObject({ inventory: { instances: [{ name: 'web' }] } })
    expect(JSON.stringify(others?.remotes.main)).not.toContain('"name":"web"')
    world.incus.main.state.projects.get('default')?.instances.delete('web')
    expect(await list('web')).toMatchObject({ ok: false })
    expect(await list('main/default/web')).toMatchObject(found)
    world.incus.main.kill()
    expect(await list('main/default/web')).toMatchObject(found)
  })

  test('or not, with the reason and what to do, after five tries', async () => {
    const simulation = await begin()
    simulation.world.stores.failure = 'store "nas": there is no directory /srv/nas'
    await asked(simulation)
    await simulation.pass(later(simulation, 2 * HOUR))
    expect(noted(simulation)).toMatchObject({
      ...{ state: 'failed', attempts: 5 },
      reason: expect.stringMatching(/was not exported to nas: .*no directory \/srv\/nas.*request it again/),
    })
    expect(instances(simulation).filter((name) => name.startsWith('stapes-export'))).toEqual([])
  })
})

type Index = { config: { container: { name: string; config: Record<string, string> } } }

describe('what is imported from an export', () => {
  /** What Incus makes of its file, which has all of the config. */
  const imported = async (simulation: Simulation, name?: string): Promise<Instance> => {
    const [one] = simulation.world.stores.made.values()
    const [index] = await unpackTar(one?.archive ?? new Uint8Array())
    const { container } = (parse(Buffer.from(index?.data ?? []).toString()) as Index).config
    return seedInstance(simulation.world.incus.main, {
      name: name ?? container.name,
      config: container.config,
    })
  }

  test.each([
    ['under the name in it', undefined],
    ['under another', 'web-back'],
  ])('%s stays, and is backed up like any other', async (_, name) => {
    const simulation = await begin()
    await asked(simulation)
    await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
    const { config, name: called, snapshots } = await imported(simulation, name)
    expect(Object.keys(config)).toContain('user.stapes.exporting')
    const ran = await simulation.tick(later(simulation, 2 * MINUTE))
    const told = name === undefined ? [expect.stringContaining(`else take its mark off`)] : []
    expect(ran).toMatchObject({ problems: told })
    await simulation.pass(new Date('2026-11-20T08:05:00Z'))
    simulation.world.relay.restart()
    await simulation.pass(new Date('2026-11-20T09:05:00Z'))
    expect(instances(simulation)).toContain(called)
    expect([...snapshots.keys()]).toEqual(
      expect.arrayContaining(['hourly-20261120T0800Z', 'hourly-20261120T0900Z']),
    )
  })

  test('stays also where another relay made it, and is told', async () => {
    const simulation = await begin()
    const name = 'stapes-files-0123456789abcdef01234567'
    await seedInstance(simulation.world.incus.main, { name, config: { 'user.stapes.exporting': 'x ~y' } })
    const ran = await simulation.tick(later(simulation, 2 * MINUTE))
    expect(ran).toMatchObject({ problems: [expect.stringContaining(`incus delete ${name}`)] })
    expect(instances(simulation)).toContain(name)
  })

  test('is told from what the relay left only by its journal: without that nothing is deleted', async () => {
    const simulation = await begin()
    const { world } = simulation
    world.stores.saveMs = 20 * MINUTE
    await asked(simulation)
    await world.clock.advance(later(simulation, 2 * MINUTE))
    const before = instances(simulation)
    expect(before.filter((name) => name.startsWith('stapes-export'))).toHaveLength(1)
    world.relay.kill()
    world.relay.forget()
    const ran = await simulation.tick(later(simulation, MINUTE))
    expect(ran).toMatchObject({ problems: [expect.stringContaining('delete it if nobody needs it')] })
    await simulation.pass(later(simulation, 2 * HOUR))
    expect(instances(simulation)).toEqual(before)
    expect(noted(simulation)).toMatchObject({
      ...{ state: 'failed' },
      reason: expect.stringMatching(/stapes-export-\w+ that this relay did not make/),
    })
  })
})

test('what an export was made from and could not be removed is told, and goes as soon as it can', async () => {
  const simulation = await begin()
  const { world } = simulation
  world.incus.main.faults = ({ method, path }) =>
    method === 'DELETE' && path.includes('stapes-export')
      ? { before: { status: 500, error: 'bad disk' } }
      : null
  await asked(simulation)
  await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
  expect(noted(simulation)).toMatchObject({ state: 'done' })
  const told = { problems: [expect.stringMatching(/could not be removed;.*The answer was: .*bad disk/)] }
  expect(await simulation.tick(new Date('2026-11-20T07:05:00Z'))).toMatchObject(told)
  world.incus.main.faults = () => null
  await simulation.tick(new Date('2026-11-20T08:01:00Z'))
  await simulation.pass(new Date('2026-11-20T09:05:00Z'))
  await expectExported(simulation)
  expect(await simulation.tick(new Date('2026-11-20T10:05:00Z'))).toMatchObject({ problems: [] })
})

describe('an export is read again on request', () => {
  const checkOf = ({ world }: Simulation) =>
    (JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>).work?.['check main/default/web>nas']
  const requested = async (simulation: Simulation, more: object = {}): Promise<Run> => {
    const { world } = simulation
    const request = {
      do: 'check',
      instance: 'main/default/web',
      to: 'nas',
      reason: 'asked for',
      ...more,
    } as const
    const at = later(simulation, MINUTE)
    await world.clock.advance(at)
    return world.clock.settle(run({ kind: 'run', at, request }, world.places[0] as Io))
  }
  const exported = async (): Promise<Simulation> => {
    const simulation = await begin()
    await asked(simulation)
    await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
    return simulation
  }

  test('and is what was stored, also once its instance is gone', async () => {
    const simulation = await exported()
    simulation.world.incus.main.state.projects.get('default')?.instances.delete('web')
    expect(await requested(simulation)).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    await simulation.world.tick(later(simulation, MINUTE))
    expect(checkOf(simulation)).toMatchObject({ state: 'done' })
  })

  test('or is not, which is told at once, with what to do', async () => {
    const simulation = await exported()
    simulation.world.stores.failure = 'it has another SHA-256'
    await requested(simulation)
    await simulation.pass(later(simulation, 2 * MINUTE), 'ticked')
    expect(checkOf(simulation)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/is not what was stored: it has another SHA-256; make it anew/),
    })
  })

  test('by a relay that is killed meanwhile is tried again', async () => {
    const simulation = await exported()
    await requested(simulation)
    simulation.world.relay.restart()
    await simulation.pass(later(simulation, 4 * MINUTE), 'ticked')
    expect(checkOf(simulation)).toMatchObject({ state: 'done', attempts: 1 })
  })

  test.each([
    ['in a store that there is not', { to: 'elsewhere' }, 'it has nas, r2'],
    ['by a name that is none', { export: '../x' }, 'is no name of an export'],
    ['of an instance on no remote', { instance: 'none/default/web' }, 'there is no instance'],
  ])('%s is refused', async (_, more, why) => {
    const simulation = await begin()
    const refused = await requested(simulation, more)
    expect(refused).toMatchObject({ refusal: { reason: expect.stringContaining(why) } })
  })
})

/** All requests of one export: reads, the copy, the backup, the file, the removal. */
const MOST = 16
const isOfExport = (remote: string, { path }: { path: string }): boolean =>
  remote === 'main' &&
  /^\/1\.0\/(instances\/(web|stapes-export-)|instances\?project=|operations\/)/.test(path)

describe('the relay is killed', () => {
  const moments = Array.from({ length: MOST }, (_, at) => at).flatMap((at) => [
    { at, when: 'before' as const },
    { at, when: 'after' as const },
  ])
  test.each(moments)(
    '$when request $at of an export to Incus: the next ticks make it, once, and leave nothing',
    async ({ at, when }) => {
      const simulation = await begin()
      const { world } = simulation
      await world.clock.advance(asking)
      const isKilled = killAfter(world, [at, killRelay], isOfExport, when === 'before' ? 'lost-before' : null)
      await world.clock.settle(ask(simulation, asking))
      await simulation.pass(later(simulation, 10 * MINUTE), 'ticked')
      world.weather.now = () => null
      expect(isKilled()).toBe(true)
      await simulation.pass(later(simulation, 10 * MINUTE), 'ticked')
      await expectExported(simulation)
    },
  )
})

describe('Incus is killed', () => {
  test.each([1, 5_000, 9_999, 10_001, 15_000, 20_001, 60_000, 105_000])(
    '%i ms into an export: the next ticks make it, once, and leave nothing',
    async (ms) => {
      const simulation = await begin()
      const { world } = simulation
      await asked(simulation)
      await world.clock.advance(new Date(asking.getTime() + ms))
      world.incus.main.kill()
      await simulation.pass(later(simulation, 2 * MINUTE), 'ticked')
      world.incus.main.start()
      await simulation.pass(later(simulation, 12 * MINUTE), 'ticked')
      await expectExported(simulation)
    },
  )
})

test.each([1_000, 15_000, 60_000])(
  'the ledger is lost %i ms into an export: the relay’s report tells of it',
  async (ms) => {
    const simulation = await begin()
    const { world } = simulation
    await asked(simulation)
    await world.clock.advance(new Date(asking.getTime() + ms))
    world.kv.forget(['ledger'])
    await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
    await expectExported(simulation)
  },
)
