/** Restores of custom volumes in place, in the whole product: whatever is killed, what ran runs again, and nothing is lost. */
import { describe, expect, test } from 'vitest'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import type { Step } from '../../shared/relay/steps.ts'
import { customOf } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import {
  attachVolume,
  instanceOf,
  readVolumeMarker,
  seedInstance,
  seedProject,
  setDriver,
  setRunning,
  useVolume,
  writeVolume,
} from '../emulator/scene.ts'
import { findPool } from '../emulator/state.ts'
import { restoresOf } from '../long-work.ts'
import { ask, attack, type Ran } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { ALL_KILLED, countIn, RELAY_KILLED, SERVER_KILLED, strikeAt } from './strikes.ts'
import { createWorld, type Driver, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
const KEY = 'main/default/default:data'
const SNAPSHOT = 'hourly-20261120T0100Z'
const RESTORING = 'user.stapes.restoring'

type Setting = { version?: Version; driver?: Driver }

/** `web` and `db` run and use the volume, `idle` uses it and is stopped. */
async function begin(
  { version = '6.0.4', driver = 'btrfs' }: Setting = {},
  more: readonly string[] = [],
): Promise<World> {
  const world = createWorld({
    ...{ start: START, versions: { main: version, backup: version } },
    drivers: { main: driver, backup: 'dir' },
  })
  const { main } = world.incus
  for (const name of ['web', 'db', 'idle']) seedInstance(main, { name, running: name !== 'idle' })
  for (const name of ['data', ...more]) attachVolume(main, { name: 'web' }, name)
  for (const name of ['db', 'idle']) useVolume(main, { name }, 'data')
  Object.assign(volume(world), { description: 'of the shop', config: { 'user.for': 'shop' } })
  writeVolume(main, 'data', 'then', 600_000)
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly' },
        select: { instances: [], volumes: ['default:data', ...more.map((name) => `default:${name}`)] },
      },
    },
  })
  await pass(world, HOUR + 10 * MINUTE, 2 * MINUTE)
  writeVolume(main, 'data', 'now', 600_000)
  main.snapshotMs = 3_000
  main.restoreMs = 20_000
  return world
}

const volume = (world: World) => customOf(world.incus.main, { name: 'data' })
const data = (world: World): string | null => readVolumeMarker(world.incus.main, 'data')
const web = (world: World) => instanceOf(world.incus.main, { name: 'web' })
const statuses = (world: World): string[] =>
  ['web', 'db', 'idle'].map((name) => instanceOf(world.incus.main, { name }).status)
const RUNNING = ['Running', 'Running', 'Stopped']
const STOPPED = ['Stopped', 'Stopped', 'Stopped']
const noted = (world: World) =>
  restoresOf(JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>)[KEY]
const safeties = (world: World): (string | null)[] =>
  [...volume(world).snapshots.values()]
    .filter(({ name }) => name.startsWith('before-restore-'))
    .map(({ disk }) => (disk.held === 'whole' ? disk.marker : null))

const restoreOf = (world: World, instance: string, snapshot = SNAPSHOT): Promise<Ran> =>
  ask(world, { do: 'restore', instance, snapshot, reason: 'by ann' })
const restore = (world: World, snapshot = SNAPSHOT): Promise<Ran> => restoreOf(world, KEY, snapshot)

function expectRestored(world: World): void {
  expect(data(world)).toBe('then')
  expect(statuses(world)).toEqual(RUNNING)
  expect(safeties(world)).toEqual(['now'])
  expect(volume(world).config).toMatchObject({ 'user.for': 'shop' })
  expect(volume(world).config).not.toHaveProperty([RESTORING])
  expect(volume(world).description).toBe('of the shop')
  expect(noted(world)).toMatchObject({ state: 'done', snapshot: SNAPSHOT })
}

describe.each<[Version, Driver]>([
  ['6.0.4', 'btrfs'],
  ['7.0.2', 'dir'],
])('on %s with %s', (version, driver) => {
  test('what runs of its users is shut down and started again, and the state before is kept', async () => {
    const world = await begin({ version, driver })
    const seen = new Set<string>()
    world.weather.now = (_, { method, path }) => {
      if (method === 'PUT' && path.includes('/custom/data')) seen.add(statuses(world).join(' '))
      return null
    }
    const { results, refusal } = await restore(world)
    expect(refusal).toBeNull()
    expect(results[0]?.line.reason).toContain('db, web use it, are shut down for it and started again')
    await pass(world, 4 * MINUTE)
    expect(seen).toEqual(new Set([STOPPED.join(' ')]))
    expectRestored(world)
    const [safety = ''] = [...volume(world).snapshots.keys()].filter((name) => name.startsWith('before-'))
    expect((await restore(world, safety)).refusal).toBeNull()
    await pass(world, 4 * MINUTE)
    expect([data(world), statuses(world)]).toEqual(['now', RUNNING])
  })
})

/** All requests but those that only look. */
const isOfRestore = (_: string, { method, path }: { method: string; path: string }): boolean =>
  method !== 'GET' || /operations\/|custom\/data|instances\/(web|db)/.test(path)

async function countRequests(setting: Setting): Promise<number> {
  const world = await begin(setting)
  const count = countIn(world, isOfRestore)
  await restore(world)
  await pass(world, MINUTE)
  return count()
}

const STRIKES = [RELAY_KILLED, SERVER_KILLED, ALL_KILLED]

describe.each<[string, Setting]>([
  ['btrfs', {}],
  ['dir', { driver: 'dir', version: '7.0.2' }],
])('at each request on %s', (_, setting) => {
  test.each(STRIKES)('%s: the next ticks finish it, or it never began', async (what, strike) => {
    const requests = await countRequests(setting)
    expect(requests).toBeGreaterThan(15)
    for (let struck = 1; struck <= requests; struck++) {
      const world = await begin(setting)
      strikeAt(world, [struck, strike], isOfRestore)
      await restore(world)
      await pass(world, 8 * MINUTE)
      expect(statuses(world), `request ${struck}`).toEqual(RUNNING)
      const isLost = what.includes('lost') && data(world) === 'now'
      if (!isLost) expect([struck, data(world)]).toEqual([struck, 'then'])
      if (data(world) === 'then') expect(safeties(world), `request ${struck}`).toContain('now')
      expect(volume(world).snapshots.get(SNAPSHOT)?.disk.marker).toBe('then')
    }
  })
})

describe('what is wrong is said, nothing is changed, and what ran runs again', () => {
  test('where one of its users doesn’t shut down', async () => {
    const world = await begin()
    world.incus.main.faults = ({ method, path, body }) =>
      method === 'PUT' && path.includes('/web/state') && JSON.stringify(body).includes('"stop"')
        ? { operation: 'Failed shutting down instance, status is "Running": context deadline exceeded' }
        : null
    await restore(world)
    await pass(world, 2 * MINUTE)
    // It takes longer, and is started then.
    setRunning(web(world), false)
    await pass(world, 8 * MINUTE)
    expect([data(world), statuses(world)]).toEqual(['now', RUNNING])
    expect(volume(world).config).not.toHaveProperty([RESTORING])
    const { state, reason } = noted(world) ?? {}
    expect([state, reason]).toEqual([
      'failed',
      expect.stringMatching(/nothing was changed.*did not shut down in time/),
    ])
  })

  test('where Incus refuses it, as past newer snapshots on zfs', async () => {
    const world = await begin()
    setDriver(world.incus.main, 'zfs')
    await restore(world)
    // Before the next tick.
    await world.clock.advance(new Date(world.clock.now() + 20_000))
    expect(statuses(world)).toEqual(RUNNING)
    await pass(world, 5 * MINUTE)
    expect([data(world), statuses(world)]).toEqual(['now', RUNNING])
    expect(noted(world)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/nothing was changed/),
    })
    await pass(world, 65 * MINUTE)
    expect((await restore(world)).refusal).toMatchObject({ code: 'driver' })
  })

  test('where its last mark can’t be set, so that nothing was written', async () => {
    const world = await begin()
    world.incus.main.faults = ({ method, body }) =>
      method === 'PATCH' && JSON.stringify(body).includes(' writing ')
        ? { before: { status: 403, error: 'Certificate is restricted' } }
        : null
    await restore(world)
    await pass(world, 5 * MINUTE)
    expect([data(world), statuses(world)]).toEqual(['now', RUNNING])
    expect(volume(world).config).not.toHaveProperty([RESTORING])
    expect(noted(world)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/nothing was changed/),
    })
  })

  test('where one was started meanwhile, which is left running', async () => {
    const world = await begin()
    world.incus.main.faults = ({ method, path }) => {
      if (method === 'PUT' && path.includes('/custom/data')) setRunning(web(world), true)
      return null
    }
    await restore(world)
    await pass(world, 6 * MINUTE)
    expect([data(world), statuses(world)]).toEqual(['now', RUNNING])
    expect(noted(world)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/nothing was changed/),
    })
  })
})

test('an unseen end is no success: it is restored again before anything is started', async () => {
  const world = await begin()
  let puts = 0
  world.weather.now = (_, { method, path }) => {
    if (method !== 'PUT' || !path.includes('/custom/data')) return null
    puts += 1
    return puts === 1 ? 'lost-after' : null
  }
  await restore(world)
  await pass(world, 5 * MINUTE)
  // The last one makes good what an earlier one may have done beside the second.
  expect(puts).toBe(3)
  expectRestored(world)
})

test.each([false, true])(
  'nothing is started while Incus goes on with one whose relay was killed (ledger lost: %s)',
  async (lost) => {
    const world = await begin()
    const { main } = world.incus
    main.restoreMs = 100_000
    const under: number[] = []
    world.weather.now = (_, { method, path, body }) => {
      if (path.includes('/web/state') && JSON.stringify(body ?? '').includes('"start"'))
        under.push(main.blocked.size)
      if (
        method === 'PUT' &&
        path.includes('/custom/data') &&
        main.blocked.size === 0 &&
        main.restoreMs > 1_000
      )
        world.clock.after(1_000, () => {
          main.restoreMs = 1_000
          world.relay.kill()
          if (lost) world.kv.wipe(['ledger'])
        })
      return null
    }
    await restore(world)
    await pass(world, 8 * MINUTE)
    expect(under).toEqual([0])
    expect([data(world), statuses(world)]).toEqual(['then', RUNNING])
  },
)

test('where it fails for good, nothing is started on half of it, and that is told until it is over', async () => {
  const world = await begin()
  world.incus.main.faults = ({ method, path }) =>
    method === 'PUT' && path.includes('/custom/data')
      ? { after: { status: 500, error: 'Failed to rsync volume' } }
      : null
  await restore(world)
  await pass(world, 20 * MINUTE)
  expect(statuses(world)).toEqual(STOPPED)
  const { conditions } = await statusIn(world)
  expect(JSON.stringify(conditions)).toMatch(/partly old and partly new.*incus start db; incus start web/)
  // By its own expiry, Incus would remove the previous state after 14 days.
  await pass(world, 15 * 24 * HOUR, HOUR)
  expect([safeties(world), statuses(world)]).toEqual([['now'], STOPPED])
  world.incus.main.faults = () => null
  expect((await restore(world)).refusal).toBeNull()
  await pass(world, 5 * MINUTE)
  expect([data(world), statuses(world)]).toEqual(['then', RUNNING])
  expect(volume(world).config).not.toHaveProperty([RESTORING])
})

describe('while another volume of one that a failed restore left stopped is being restored', () => {
  const OTHER = 'main/default/default:logs'

  async function between(): Promise<World> {
    const world = await begin({}, ['logs'])
    const { main } = world.incus
    main.faults = ({ method, path }) =>
      method === 'PUT' && path.includes('/custom/data')
        ? { after: { status: 500, error: 'Failed to rsync volume' } }
        : null
    await restore(world)
    await pass(world, 20 * MINUTE)
    main.faults = () => null
    main.restoreMs = 30 * MINUTE
    expect((await restoreOf(world, OTHER)).refusal).toBeNull()
    await pass(world, 2 * MINUTE)
    main.restoreMs = 1_000
    expect(statuses(world)).toEqual(STOPPED)
    expect(customOf(main, { name: 'logs' }).config[RESTORING]).toContain(' writing')
    return world
  }

  test('nobody can ask for that which would start it', async () => {
    const world = await between()
    expect((await restore(world)).refusal).toMatchObject({
      code: 'busy',
      reason: expect.stringContaining(`${OTHER}, which it uses, too, is being restored`),
    })
    await pass(world, 40 * MINUTE)
    expect(statuses(world)).toEqual(STOPPED)
    expect((await restore(world)).refusal).toBeNull()
    await pass(world, 5 * MINUTE)
    expect([data(world), statuses(world)]).toEqual(['then', RUNNING])
  })

  test.each([false, true])(
    'the relay starts nobody, also where it was killed meanwhile (%s)',
    async (killed) => {
      const world = await between()
      if (killed) world.relay.kill()
      const [, safety = ''] = volume(world).config[RESTORING]?.split(' ') ?? []
      const ref = { remote: 'main', project: 'default', instance: 'default:data' }
      const what = { snapshot: SNAPSHOT, partial: null, restored: false, running: false, stateful: false }
      const how = { holds: {}, held: [], expiresAt: null, users: ['web', 'db'] }
      const answered = await attack(world, [
        { do: 'restore', ref, ...what, ...how, safety: { name: safety, expiresAt: null, taken: true } },
      ])
      expect(answered).toContain(`main/default/web uses ${OTHER}, whose restore has not ended`)
      expect([data(world), statuses(world)]).toEqual(['then', ['Stopped', 'Running', 'Stopped']])
    },
  )
})

test.each([false, true])(
  'one whose restore is over is started once that of another volume of it has ended, too (ledger lost: %s)',
  async (lost) => {
    const world = await begin({}, ['logs'])
    const { main } = world.incus
    delete web(world).devices.logs
    world.weather.now = (_, { method, path }) => {
      if (method !== 'PUT' || !path.includes('/custom/data')) return null
      world.weather.now = () => null
      world.clock.after(1, () => {
        world.relay.kill()
        if (lost) world.kv.wipe(['ledger'])
      })
      return null
    }
    await restore(world)
    // Before the next tick.
    await world.clock.advance(new Date(world.clock.now() + 20_000))
    expect(statuses(world)).toEqual(STOPPED)
    main.faults = ({ method, path }) => {
      if (method === 'PUT') main.restoreMs = path.includes('/custom/logs') ? 90 * MINUTE : 1_000
      return null
    }
    expect((await restoreOf(world, 'main/default/default:logs')).refusal).toBeNull()
    useVolume(main, { name: 'web' }, 'logs')
    await pass(world, 80 * MINUTE)
    expect([data(world), statuses(world)]).toEqual(['then', ['Stopped', 'Running', 'Stopped']])
    await pass(world, 20 * MINUTE)
    expect(statuses(world)).toEqual(RUNNING)
    expect(volume(world).config).not.toHaveProperty([RESTORING])
    expect(noted(world)).toMatchObject({ state: 'done' })
  },
)

test('one that Incus refuses ends the same way while another volume of it is being restored', async () => {
  const world = await begin({}, ['logs'])
  const { main } = world.incus
  delete web(world).devices.logs
  main.faults = ({ method, path }) => {
    if (method === 'PUT' && path.includes('/custom/logs')) main.restoreMs = 20 * MINUTE
    return method === 'PUT' && path.includes('/custom/data')
      ? { before: { status: 500, error: 'Snapshot not found' } }
      : null
  }
  await restore(world)
  expect((await restoreOf(world, 'main/default/default:logs')).refusal).toBeNull()
  useVolume(main, { name: 'web' }, 'logs')
  await pass(world, 50 * MINUTE)
  expect([data(world), statuses(world)]).toEqual(['now', ['Stopped', 'Running', 'Stopped']])
  await pass(world, 20 * MINUTE)
  expect(statuses(world)).toEqual(RUNNING)
  expect(volume(world).config).not.toHaveProperty([RESTORING])
  expect(noted(world)).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/nothing was changed/),
  })
})

test('where somebody renames it meanwhile, the end says what was stopped for it, and how it is started', async () => {
  const world = await begin()
  const { volumes } = findPool(world.incus.main.state, 'default')
  world.incus.main.faults = ({ method, path }) => {
    if (method !== 'PUT' || !path.includes('/custom/data')) return null
    volumes.delete('default/data')
    return { before: { status: 404, error: 'Storage volume not found' } }
  }
  await restore(world)
  await pass(world, 4 * MINUTE)
  expect(statuses(world)).toEqual(STOPPED)
  await pass(world, 26 * HOUR, HOUR)
  expect(noted(world)).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/the volume is gone.*incus start db; incus start web/),
  })
})

test('what an earlier try has left half is not run on, though Incus refuses the next one cleanly', async () => {
  const world = await begin()
  let puts = 0
  world.incus.main.faults = ({ method, path }) => {
    if (method !== 'PUT' || !path.includes('/custom/data')) return null
    puts += 1
    return puts === 1
      ? { after: { status: 500, error: 'Failed to rsync volume' } }
      : { before: { status: 500, error: 'Snapshot not found' } }
  }
  await restore(world)
  await pass(world, 20 * MINUTE)
  expect([puts > 1, statuses(world)]).toEqual([true, STOPPED])
  // Nor by another restore that was asked for since.
  expect((await restore(world)).refusal).toBeNull()
  await pass(world, 20 * MINUTE)
  expect(statuses(world)).toEqual(STOPPED)
  // Though its first try gets no safety snapshot, all is started at its end.
  let taken = 0
  world.incus.main.faults = ({ method, path }) => {
    if (method !== 'POST' || !path.includes('/custom/data/snapshots')) return null
    taken += 1
    return taken === 1 ? { before: { status: 500, error: 'Database is locked' } } : null
  }
  expect((await restore(world)).refusal).toBeNull()
  await pass(world, 8 * MINUTE)
  expect([taken, data(world), statuses(world)]).toEqual([2, 'then', RUNNING])
})

test('a restore of what was left half goes on, though relay and ledger are lost at its safety snapshot', async () => {
  const world = await begin()
  world.incus.main.faults = ({ method, path }) =>
    method === 'PUT' && path.includes('/custom/data')
      ? { after: { status: 500, error: 'Failed to rsync volume' } }
      : null
  await restore(world)
  await pass(world, 20 * MINUTE)
  expect(statuses(world)).toEqual(STOPPED)
  world.incus.main.faults = () => null
  world.weather.now = (_, { method, path }) => {
    if (method === 'POST' && path.includes('/custom/data/snapshots'))
      world.clock.after(1, () => {
        world.relay.kill()
        world.kv.wipe(['ledger'])
        world.weather.now = () => null
      })
    return null
  }
  await restore(world)
  expect(volume(world).config[RESTORING]).toContain(' taking writing of db,web')
  await pass(world, 8 * MINUTE)
  expect([data(world), statuses(world)]).toEqual(['then', RUNNING])
  expect(volume(world).config).not.toHaveProperty([RESTORING])
})

test('one that can’t be started is told with the command, and it is over once it runs', async () => {
  const world = await begin()
  web(world).devices.late = { type: 'disk', pool: 'default', source: 'nowhere' }
  await restore(world)
  await pass(world, 20 * MINUTE)
  expect([data(world), statuses(world)]).toEqual(['then', ['Stopped', 'Running', 'Stopped']])
  expect(noted(world)).toMatchObject({ state: 'failed', reason: expect.stringMatching(/incus start .*web/) })
  delete web(world).devices.late
  setRunning(web(world), true)
  await pass(world, 8 * MINUTE)
  expect(volume(world).config).not.toHaveProperty([RESTORING])
})

test.each<[string, (world: World) => void, RegExp]>([
  [
    'is ephemeral, which would be gone',
    (world) => {
      web(world).ephemeral = true
    },
    /nothing was changed.*Incus deletes it when it stops/,
  ],
  [
    'could not be started again',
    (world) => {
      web(world).config['security.protection.start'] = 'true'
    },
    /nothing was changed.*keeps it from being started again/,
  ],
])('a user is not stopped that %s', async (_, change, why) => {
  const world = await begin()
  change(world)
  const stops: string[] = []
  world.weather.now = (_, { body, path }) => {
    if (JSON.stringify(body ?? '').includes('"stop"')) stops.push(path)
    return null
  }
  await restore(world)
  await pass(world, 3 * MINUTE)
  expect([data(world), statuses(world), stops]).toEqual(['now', RUNNING, []])
  expect(noted(world)).toMatchObject({ state: 'failed', reason: expect.stringMatching(why) })
})

describe('is refused before anything begins', () => {
  test.each<[string, (world: World) => void, RegExp]>([
    [
      'where a user is frozen',
      (world) => {
        web(world).status = 'Frozen'
      },
      /web uses .*, and it is Frozen/,
    ],
    [
      'where a user is a copy',
      (world) => {
        web(world).config['user.stapes.replica-of'] = 'other/default/web'
      },
      /web uses .*, and it is a copy/,
    ],
    [
      'where a user is in another project',
      ({ incus: { main } }) => {
        seedProject(main, 'blue')
        main.state.projects.get('blue')?.config &&
          Object.assign(main.state.projects.get('blue')?.config ?? {}, {
            'features.storage.volumes': 'false',
          })
        seedInstance(main, { project: 'blue', name: 'far', running: true })
        useVolume(main, { project: 'blue', name: 'far' }, 'data')
      },
      /far uses .*another project/,
    ],
  ])('%s', async (_, change, why) => {
    const world = await begin()
    change(world)
    const before = statuses(world)
    expect((await restore(world)).refusal?.reason).toMatch(why)
    await pass(world, 3 * MINUTE)
    expect([data(world), statuses(world)]).toEqual(['now', before])
  })

  test('with memory, which no volume has', async () => {
    const world = await begin()
    const asked = await ask(world, {
      do: 'restore',
      instance: KEY,
      snapshot: SNAPSHOT,
      stateful: true,
      reason: 'x',
    })
    expect(asked.refusal?.reason).toContain('has no memory')
  })
})

describe('whoever has stolen the signing key', () => {
  const ref = { remote: 'main', project: 'default', instance: 'default:data' }
  const restoring = (more: object = {}): Step => ({
    ...{
      do: 'restore',
      ref,
      snapshot: SNAPSHOT,
      partial: null,
      restored: false,
      running: false,
      stateful: false,
    },
    safety: { name: 'before-restore-20261120T0110Z', expiresAt: null, taken: false },
    ...{ holds: {}, held: [], expiresAt: null, users: [] },
    ...more,
  })

  test('stops nothing that wasn’t named, claims no safety snapshot, and starts nothing', async () => {
    const world = await begin()
    setRunning(web(world), false)
    const answered = await attack(world, [
      restoring(),
      restoring({ users: ['web'] }),
      restoring({ users: ['web', 'db'], restored: true }),
      restoring({
        users: ['web', 'db'],
        safety: { name: 'before-restore-20261120T0110Z', expiresAt: null, taken: true },
      }),
      restoring({ users: ['web', 'db'], holds: { 'user.stapes.owner': 'x' } }),
      { do: 'end-restore', ref, safeties: [SNAPSHOT] },
    ])
    expect(answered).not.toContain('"ok":true')
    expect([data(world), statuses(world)]).toEqual(['now', ['Stopped', 'Running', 'Stopped']])
  })
})
