import { describe, expect, test } from 'vitest'
import { type Io, run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { attachVolume, instanceOf, readMarker, setDriver, write } from '../emulator/scene.ts'
import { findPool } from '../emulator/state.ts'
import { restoresOf } from '../long-work.ts'
import { DAY, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Driver } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + DAY)
/** Away from every slot's minutes. */
const asking = new Date('2026-11-20T06:20:10Z')
const SNAPSHOT = 'hourly-20261120T0600Z'
const OLD = 'web as it was at six'
const NEW = 'web as it is now'
const HOLD = 'user.stapes.hold.hourly-20261120T0600Z'

type Name = 'web' | 'mail'

/** Six hours went by; since the last snapshot the instance has changed, and one was held. */
async function begin(
  name: Name = 'web',
  driver: Driver = 'btrfs',
  { attached = false, vm = false } = {},
): Promise<Simulation> {
  const simulation = await simulate({ ...usual(start, until), drivers: { main: driver, backup: 'dir' } })
  const { world, pass } = simulation
  const { main } = world.incus
  if (vm) {
    const one = instanceOf(main, { name })
    Object.assign(one, { type: 'virtual-machine', config: { ...one.config, 'migration.stateful': 'true' } })
  }
  await pass(new Date('2026-11-20T05:59:00Z'))
  write(instanceOf(main, { name }), OLD, 600e6)
  const detach = attached ? attachVolume(main, { name }, 'archive') : () => {}
  await pass(new Date('2026-11-20T06:15:00Z'))
  detach()
  write(instanceOf(main, { name }), NEW, 600e6)
  instanceOf(main, { name }).config[HOLD] = 'for the auditor'
  main.snapshotMs = 10_000
  main.restoreMs = 20_000
  return simulation
}

const ask = (
  { world }: Simulation,
  at: Date,
  name: Name = 'web',
  place = 0,
  how: { stateful?: boolean } = {},
): Promise<Run> => {
  const wish = {
    do: 'restore',
    instance: `main/default/${name}`,
    snapshot: SNAPSHOT,
    reason: 'asked for',
    ...how,
  } as const
  return run({ kind: 'run', at, request: wish }, world.places[place] as (typeof world.places)[number])
}

async function asked(simulation: Simulation, name: Name = 'web', at = asking): Promise<Run> {
  const { world } = simulation
  if (world.clock.now() < at.getTime()) await world.clock.advance(at)
  return world.clock.settle(ask(simulation, at, name))
}

const placeOf = ({ world }: Simulation, place: number): Io => world.places[place] as Io

const noted = ({ world }: Simulation, name: Name = 'web') =>
  restoresOf(JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>)[`main/default/${name}`]

/** Safety snapshots that are whole, by what they hold. */
const safeties = ({ world }: Simulation, name: Name = 'web'): (string | null)[] =>
  [...instanceOf(world.incus.main, { name }).snapshots.values()]
    .filter((snapshot) => snapshot.name.startsWith('before-restore-'))
    .map(({ disk }) => (disk.held === 'whole' ? disk.marker : null))

function expectRestored(simulation: Simulation, name: Name = 'web'): void {
  const { main } = simulation.world.incus
  const { status, config } = instanceOf(main, { name })
  expect(readMarker(main, { name })).toBe(OLD)
  expect(status).toBe(name === 'mail' ? 'Stopped' : 'Running')
  expect(safeties(simulation, name)).toEqual([NEW])
  expect(config[HOLD]).toBe('for the auditor')
  expect(config['user.stapes.restoring'] ?? '').toBe('')
  expect(noted(simulation, name)).toMatchObject({ state: 'done', snapshot: SNAPSHOT })
}

const later = ({ world }: Simulation, ms: number): Date => new Date(world.clock.now() + ms)

describe('an instance is restored in place', () => {
  test.each(['web', 'mail'] as const)('%s, which runs afterwards exactly if it did before', async (name) => {
    const simulation = await begin(name)
    const ran = await asked(simulation, name)
    expect(ran).toMatchObject({
      results: [{ state: 'started', line: { sign: '<', what: SNAPSHOT } }],
      started: { restores: [`main/default/${name}`], copies: [] },
    })
    await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
    expectRestored(simulation, name)
    await simulation.pass(until)
    simulation.watch.end()
    expectRestored(simulation, name)
  })

  test('once, though it was asked for twice at the same time, and again a minute later', async () => {
    const simulation = await begin()
    const { world } = simulation
    await world.clock.advance(asking)
    await world.clock.settle(Promise.all([ask(simulation, asking), ask(simulation, asking, 'web', 1)]))
    const again = await asked(simulation, 'web', later(simulation, 5_000))
    expect(again).toMatchObject({
      results: [],
      lines: [{ reason: 'it is already being restored to this snapshot' }],
    })
    await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
    expectRestored(simulation)
  })

  test('and from there to what was before, which is known to be whole', async () => {
    const simulation = await begin()
    await asked(simulation)
    await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
    const { world } = simulation
    const back = {
      do: 'restore',
      instance: 'web',
      snapshot: 'before-restore-20261120T0620Z',
      reason: 'back',
    } as const
    const at = later(simulation, MINUTE)
    await world.clock.advance(at)
    const io = world.places[0] as (typeof world.places)[number]
    const ran = await world.clock.settle(
      run({ kind: 'run', at, request: { ...back, instance: 'main/default/web' } }, io),
    )
    expect(ran).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
    expect(readMarker(world.incus.main, { name: 'web' })).toBe(NEW)
    expect(safeties(simulation)).toEqual([NEW, OLD])
    expect(instanceOf(world.incus.main, { name: 'web' }).config['user.stapes.restoring'] ?? '').toBe('')
    expect(noted(simulation)).toMatchObject({ state: 'done' })
  })
})

/** A moment in each of its parts: marking, safety snapshot, storage, config, start, marks, and after all. */
const MOMENTS = [1, 3_000, 9_990, 10_001, 15_000, 24_000, 25_500, 29_000, 29_999, 30_001, 45_000]

type Loss = 'nothing else' | 'the relay' | 'the ledger' | 'both'
const LOSSES: Loss[] = ['nothing else', 'the relay', 'the ledger']

function lose({ world }: Simulation, loss: Loss): void {
  if (loss === 'the relay' || loss === 'both') world.relay.restart()
  if (loss === 'the ledger' || loss === 'both') world.kv.forget(['ledger'])
}

describe('Incus is killed', () => {
  const deaths = MOMENTS.flatMap((ms) =>
    LOSSES.flatMap((loss) => [
      { ms, loss, name: 'web' as const, driver: 'btrfs' as const },
      // Half a snapshot stays listed there.
      { ms, loss, name: 'web' as const, driver: 'dir' as const },
      { ms, loss, name: 'mail' as const, driver: 'dir' as const },
    ]),
  )
  test.each(deaths)(
    '$ms ms into the restore of $name on $driver, and $loss is lost: the next ticks finish it',
    async ({ ms, loss, name, driver }) => {
      const simulation = await begin(name, driver)
      const { world } = simulation
      await asked(simulation, name)
      await world.clock.advance(new Date(asking.getTime() + ms))
      world.incus.main.kill()
      lose(simulation, loss)
      await simulation.pass(later(simulation, 3 * MINUTE), 'ticked')
      world.incus.main.start()
      // One tick finds what is left, one that it is done; a job takes half a minute.
      await simulation.pass(later(simulation, 4 * MINUTE), 'ticked')
      expectRestored(simulation, name)
      await simulation.pass(until)
      simulation.watch.end()
    },
  )

  test.each(MOMENTS)(
    '%i ms into a restore, with relay and ledger lost: it is finished, or was never begun',
    async (ms) => {
      const simulation = await begin('web', 'dir')
      const { world } = simulation
      await asked(simulation)
      await world.clock.advance(new Date(asking.getTime() + ms))
      world.incus.main.kill()
      lose(simulation, 'both')
      world.incus.main.start()
      await simulation.pass(later(simulation, 4 * MINUTE), 'ticked')
      const data = readMarker(world.incus.main, { name: 'web' })
      if (ms <= 10_000) expect(data).toBe(NEW)
      else {
        expect(data).toBe(OLD)
        expect(safeties(simulation)).toContain(NEW)
      }
      expect(instanceOf(world.incus.main, { name: 'web' }).config[HOLD]).toBe('for the auditor')
    },
  )
})

describe('the relay is restarted', () => {
  test.each(MOMENTS)('%i ms into a restore: the next ticks finish it', async (ms) => {
    const simulation = await begin()
    await asked(simulation)
    await simulation.world.clock.advance(new Date(asking.getTime() + ms))
    simulation.world.relay.restart()
    await simulation.pass(later(simulation, 10 * MINUTE), 'ticked')
    expectRestored(simulation)
  })
})

test('two ticks that make up for a partial safety snapshot at the same time remove no whole one', async () => {
  const simulation = await begin('web', 'dir')
  const { world } = simulation
  const { main } = world.incus
  await asked(simulation)
  await world.clock.advance(new Date(asking.getTime() + 5_000))
  main.kill()
  main.start()
  expect(safeties(simulation)).toEqual([null])
  const io = placeOf(simulation, 0)
  const batch: Io['relay']['batch'] = async (jobs) => {
    await new Promise<void>((resolve) => world.clock.after(50_000, resolve))
    return io.relay.batch(jobs)
  }
  const at = new Date('2026-11-20T06:21:00Z')
  await world.clock.advance(at)
  const slow = { ...io, relay: { ...io.relay, batch } }
  await world.clock.settle(Promise.all([io, slow].map((one) => run({ kind: 'run', at }, one))))
  await simulation.pass(later(simulation, 10 * MINUTE), 'ticked')
  expectRestored(simulation)
})

test('while it is under way nothing else is done to the instance, and its slot is served after it', async () => {
  const simulation = await begin()
  const { world, pass } = simulation
  world.incus.main.restoreMs = 10 * MINUTE
  await asked(simulation, 'web', new Date('2026-11-20T06:55:10Z'))
  await pass(new Date('2026-11-20T07:03:00Z'), 'ticked')
  const names = () => [...instanceOf(world.incus.main, { name: 'web' }).snapshots.keys()]
  // One that is late is named for its moment.
  const isOfSeven = (name: string): boolean => /^hourly-20261120T07\d\dZ$/.test(name)
  expect(names().filter(isOfSeven)).toEqual([])
  await pass(new Date('2026-11-20T07:20:00Z'), 'ticked')
  expect(names().filter(isOfSeven)).toHaveLength(1)
  await pass(new Date(until.getTime() - HOUR))
  expect(readMarker(world.incus.main, { name: 'web' })).toBe(OLD)
})

describe('a restore to a snapshot whose volume is gone, so that Incus can’t start it', () => {
  const snapshots = ({ world }: Simulation) => [
    ...instanceOf(world.incus.main, { name: 'web' }).snapshots.keys(),
  ]

  test('sets the marks again at once, and tells that it is stopped, and why', async () => {
    const simulation = await begin('web', 'btrfs', { attached: true })
    const { main } = simulation.world.incus
    await asked(simulation)
    // The job takes half a minute; one tick sets the marks, one finds that, and the third start fails at 6:26.
    await simulation.pass(new Date('2026-11-20T06:22:30Z'), 'ticked')
    expect(instanceOf(main, { name: 'web' }).config[HOLD]).toBe('for the auditor')
    await simulation.pass(new Date('2026-11-20T06:30:00Z'), 'ticked')
    const { status, config } = instanceOf(main, { name: 'web' })
    expect([status, readMarker(main, { name: 'web' })]).toEqual(['Stopped', OLD])
    expect(config['user.stapes.restored']).toBe('before-restore-20261120T0620Z')
    expect(noted(simulation)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/it is stopped.*Storage volume not found.*incus start web/),
    })
    await simulation.pass(until)
    simulation.watch.end()
    expect(snapshots(simulation)).toContain(SNAPSHOT)
  })

  test('keeps what was held even where the marks can’t be set, until somebody releases it', async () => {
    const simulation = await begin('web', 'btrfs', { attached: true })
    const { world } = simulation
    const { main } = world.incus
    main.faults = ({ method, path, body }) => {
      const sets = method === 'PATCH' && path.startsWith('/1.0/instances/web?')
      const isLast = sets && JSON.stringify(body).includes('user.stapes.restored')
      return isLast ? { before: { status: 403, error: 'Certificate is restricted' } } : null
    }
    await asked(simulation)
    await simulation.pass(new Date('2026-11-20T06:40:00Z'), 'ticked')
    expect(noted(simulation)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/couldn't be marked.*user\.stapes\.hold/),
    })
    await simulation.pass(new Date(until.getTime() - 4 * HOUR))
    expect(snapshots(simulation)).toContain(SNAPSHOT)
    main.faults = () => null
    const wish = {
      do: 'release',
      instance: 'main/default/web',
      snapshot: SNAPSHOT,
      reason: 'released',
    } as const
    const at = later(simulation, MINUTE)
    await world.clock.advance(at)
    await world.clock.settle(run({ kind: 'run', at, request: wish }, placeOf(simulation, 0)))
    await simulation.pass(later(simulation, 2 * HOUR))
    expect(snapshots(simulation)).not.toContain(SNAPSHOT)
  })
})

describe('a restore that Incus refuses after it has stopped the instance', () => {
  test.each<[string, string, RegExp, Parameters<typeof setDriver>[2]]>([
    ['past newer snapshots on zfs', 'zfs', /subsequent snapshot/, {}],
    ['on lvm without a thin pool', 'lvm', /lvresize/, { 'lvm.use_thinpool': 'false' }],
  ])('%s changes nothing, says why, and lets it run again', async (_, driver, why, config) => {
    const simulation = await begin()
    const { main } = simulation.world.incus
    // The relay remembers another driver for an hour.
    setDriver(main, driver as 'zfs' | 'lvm', config)
    await asked(simulation)
    await simulation.world.clock.advance(new Date('2026-11-20T06:20:40Z'))
    expect(instanceOf(main, { name: 'web' }).status).toBe('Stopped')
    await simulation.pass(new Date('2026-11-20T06:23:00Z'), 'ticked')
    const { status, config: marks } = instanceOf(main, { name: 'web' })
    expect([status, readMarker(main, { name: 'web' })]).toEqual(['Running', NEW])
    expect([marks[HOLD], marks['user.stapes.restoring']]).toEqual(['for the auditor', undefined])
    const { state, reason } = noted(simulation) ?? {}
    expect(state).toBe('failed')
    expect(reason).toMatch(/nothing was changed/)
    expect(reason).toMatch(why)
    expect(reason).toMatch(/incus copy/)
    await simulation.pass(until)
    simulation.watch.end()
  })

  test('and then can’t start any more is tried three times, and told', async () => {
    const simulation = await begin()
    const { main } = simulation.world.incus
    setDriver(main, 'zfs')
    instanceOf(main, { name: 'web' }).devices.late = { type: 'disk', pool: 'default', source: 'nowhere' }
    await asked(simulation)
    await simulation.pass(new Date('2026-11-20T06:35:00Z'), 'ticked')
    expect(instanceOf(main, { name: 'web' }).status).toBe('Stopped')
    expect(noted(simulation)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/nothing was changed.*it is stopped.*incus start web/),
    })
    await simulation.pass(until)
    simulation.watch.end()
  })

  test('is known before, once the pool’s config tells', async () => {
    const simulation = await begin()
    const { main } = simulation.world.incus
    setDriver(main, 'lvm', { 'lvm.use_thinpool': 'false' })
    await simulation.pass(new Date('2026-11-20T07:15:00Z'))
    const ran = await asked(simulation, 'web', later(simulation, MINUTE))
    expect(ran).toMatchObject({
      results: [],
      refusal: { code: 'driver', reason: expect.stringMatching(/lvm\.use_thinpool=false.*\/backup clone/) },
    })
    expect(instanceOf(main, { name: 'web' }).status).toBe('Running')
  })
})

describe('a virtual machine', () => {
  const SIX = 'what it thought of at six'
  const vm = ({ world }: Simulation) => instanceOf(world.incus.main, { name: 'web' })
  /** Its snapshot holds memory, as a policy with "stateful" has it taken. */
  async function beginVm({ holds = true } = {}): Promise<Simulation> {
    const simulation = await begin('web', 'btrfs', { vm: true })
    const one = vm(simulation)
    if (holds) Object.assign(one.snapshots.get(SNAPSHOT) ?? {}, { stateful: true, memory: SIX })
    one.memory = 'what it thinks of now'
    return simulation
  }
  const restoreVm = async (simulation: Simulation, stateful = true): Promise<Run> => {
    const { world } = simulation
    await world.clock.advance(asking)
    return world.clock.settle(ask(simulation, asking, 'web', 0, stateful ? { stateful } : {}))
  }
  const soon = (simulation: Simulation) => simulation.pass(later(simulation, 5 * MINUTE), 'ticked')

  test.each(['Running', 'Stopped'] as const)(
    'that is %s goes on with the memory of its snapshot',
    async (status) => {
      const simulation = await beginVm()
      vm(simulation).status = status
      expect(await restoreVm(simulation)).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
      await soon(simulation)
      expectRestored(simulation)
      expect(vm(simulation).memory).toBe(SIX)
      await simulation.pass(until)
      simulation.watch.end()
    },
  )

  test('boots anew where nobody wants that', async () => {
    const simulation = await beginVm()
    await restoreVm(simulation, false)
    await soon(simulation)
    expectRestored(simulation)
    expect(vm(simulation).memory).toBeUndefined()
  })

  test('whose snapshot was taken without memory is left alone where that is wanted', async () => {
    const simulation = await beginVm({ holds: false })
    expect(await restoreVm(simulation)).toMatchObject({
      refusal: { code: 'stateless', reason: expect.stringContaining('taken without its memory') },
    })
    await soon(simulation)
    expect([vm(simulation).status, readMarker(simulation.world.incus.main, { name: 'web' })]).toEqual([
      'Running',
      NEW,
    ])
  })

  test('whose memory Incus can’t find runs all the same, and that is told', async () => {
    const simulation = await beginVm()
    delete vm(simulation).snapshots.get(SNAPSHOT)?.memory
    await restoreVm(simulation)
    await soon(simulation)
    expectRestored(simulation)
    expect(noted(simulation)?.reason).toMatch(
      /memory was not restored.*booted without it: Failed opening state file/,
    )
  })

  test.each(MOMENTS)('goes on with its memory though Incus and relay die %i ms into it', async (ms) => {
    const simulation = await beginVm()
    const { world } = simulation
    await restoreVm(simulation)
    await world.clock.advance(new Date(asking.getTime() + ms))
    world.incus.main.kill()
    lose(simulation, 'the relay')
    await simulation.pass(later(simulation, 3 * MINUTE), 'ticked')
    world.incus.main.start()
    await simulation.pass(later(simulation, 6 * MINUTE), 'ticked')
    expectRestored(simulation)
  })
})

test('an instance that was frozen for its safety snapshot runs again, though no restore came of that', async () => {
  const simulation = await begin('web', 'dir')
  const { world } = simulation
  const { main } = world.incus
  await asked(simulation)
  await world.clock.advance(new Date(asking.getTime() + 5_000))
  expect(instanceOf(main, { name: 'web' }).status).toBe('Frozen')
  main.kill()
  main.start()
  const full = findPool(main.state, 'default')
  full.full = true
  await simulation.pass(new Date('2026-11-20T06:50:00Z'), 'ticked')
  expect(noted(simulation)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('nothing was changed'),
  })
  const { status } = instanceOf(main, { name: 'web' })
  expect([status, readMarker(main, { name: 'web' })]).toEqual(['Running', NEW])
})

test('a hold that nothing but the safety snapshot tells of is waited for, though that can’t be read for hours', async () => {
  const simulation = await begin('web', 'dir')
  const { world } = simulation
  const { main } = world.incus
  await asked(simulation)
  await world.clock.advance(new Date(asking.getTime() + 29_000))
  main.kill()
  lose(simulation, 'both')
  main.start()
  world.weather.now = (_, { method, path }) =>
    method === 'GET' && path.startsWith('/1.0/instances/web/snapshots') ? 'lost-before' : null
  await simulation.pass(new Date('2026-11-20T14:30:00Z'))
  const { snapshots, config } = instanceOf(main, { name: 'web' })
  expect(config[HOLD]).toBeUndefined()
  expect([...snapshots.keys()]).toContain(SNAPSHOT)
  world.weather.now = () => null
  await simulation.pass(later(simulation, 5 * MINUTE), 'ticked')
  expect(config[HOLD] ?? instanceOf(main, { name: 'web' }).config[HOLD]).toBe('for the auditor')
})
