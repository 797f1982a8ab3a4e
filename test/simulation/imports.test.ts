/** Exports become new instances, whatever dies meanwhile, and nothing of an import that failed stays. */
import { describe, expect, test } from 'vitest'
import { type Io, planOnly, run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { linesOf } from '../../shared/plan/lines.ts'
import { Secret } from '../../shared/secret.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { instanceOf, readMarker, seedInstance, seedProfile, seedProject, write } from '../emulator/scene.ts'
import type { Instance } from '../emulator/state.ts'
import { importsOf } from '../long-work.ts'
import { DAY, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import { killAfter, killRelay } from './strikes.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + DAY)
/** Away from every slot's minutes. */
const asking = new Date('2026-11-20T06:20:10Z')
const EXPORT = '20261120T062010Z'
const OLD = 'web as it was at six'
const NEW = 'web as it is now'
const KEY = 'AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'

const SETTINGS = {
  'boot.autostart': 'true',
  'snapshots.schedule': '@weekly',
  'volatile.eth0.hwaddr': '00:16:3e:00:00:01',
  'volatile.last_state.idmap': '[]',
  'user.colour': 'blue\nand "green": yes',
  'user.stapes.hold.hourly-20261120T0600Z': 'by a person',
  'user.stapes.keep': 'daily=9',
  'raw.lxc': 'lxc.hook.pre-start=/evil',
}
const NIC = { type: 'nic', network: 'incusbr0', hwaddr: '00:16:3e:00:00:02', 'ipv4.address': '10.0.0.5' }

const instancesOn = ({ world }: Simulation, where: 'main' | 'backup' = 'main') =>
  world.incus[where].state.projects.get('default')?.instances ?? new Map<string, Instance>()
const names = (simulation: Simulation): string[] => [...instancesOn(simulation).keys()].sort()
const named = ({ world }: Simulation, name: string): Instance => instanceOf(world.incus.main, { name })
const later = ({ world }: Simulation, ms: number): Date => new Date(world.clock.now() + ms)
const minutes = (simulation: Simulation, many: number): Promise<void> =>
  simulation.pass(later(simulation, many * MINUTE), 'ticked')
const ask = ({ world }: Simulation, request: BackupRequest): Promise<Run> =>
  world.clock.settle(run({ kind: 'run', at: new Date(world.clock.now()), request }, world.places[0] as Io))
const noted = ({ world }: Simulation, name = 'old-web') =>
  importsOf(JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>)[`main/default/${name}`]

/** Exported at six; since then it has changed. */
async function begin({ key = null as string | null, receives = [] as string[], powerful = false } = {}) {
  const simulation = await simulate({ ...usual(start, until), receives })
  const { world, pass } = simulation
  const { 'raw.lxc': raw, ...harmless } = SETTINGS
  Object.assign(named(simulation, 'web').config, harmless, powerful ? { 'raw.lxc': raw } : {})
  named(simulation, 'web').devices.eth0 = { ...NIC }
  write(named(simulation, 'web'), OLD, 600e6)
  await pass(new Date('2026-11-20T06:15:00Z'))
  write(named(simulation, 'web'), NEW, 600e6)
  world.stores.key = key
  await world.clock.advance(asking)
  await ask(simulation, { do: 'export', instance: 'web', to: 'nas', reason: 'asked for' })
  await minutes(simulation, 5)
  expect([...world.stores.made.keys()]).toEqual([`nas main/default/web ${EXPORT}`])
  world.incus.main.copyMs = 20_000
  await world.clock.advance(new Date('2026-11-20T06:30:10Z'))
  return simulation
}

const wish = {
  do: 'import',
  instance: 'main/default/web',
  from: 'nas',
  as: 'old-web',
  reason: 'asked for',
} as const

const marksOf = ({ config }: Instance): string[] =>
  Object.keys(config).filter((key) => key.startsWith('user.stapes.') && config[key] !== '')

/** As a clone is: its settings, no marks, no addresses, nothing by which it reaches its host. */
function expectImported(simulation: Simulation, { status = 'Stopped', name = 'old-web' } = {}): void {
  const made = named(simulation, name)
  expect(readMarker(simulation.world.incus.main, { name })).toBe(OLD)
  expect(made).toMatchObject({
    status,
    config: {
      'boot.autostart': 'true',
      'snapshots.schedule': '@weekly',
      'user.colour': SETTINGS['user.colour'],
    },
  })
  expect(made.devices).toEqual({ eth0: { type: 'nic', network: 'incusbr0' } })
  expect(Object.keys(made.config).filter((key) => /^(volatile\.eth|raw)/.test(key))).toEqual([])
  expect(marksOf(made)).toEqual(['user.stapes.keep'])
  // Its policies go on with what is whole.
  expect([...made.snapshots.values()].filter(({ disk }) => disk.marker !== OLD)).toEqual([])
}

const everything = ({ world }: Simulation): string =>
  JSON.stringify([...['ledger', 'facts', 'config', 'watches', 'notices'].map((key) => world.kv.peek(key))])

describe('an export becomes a new instance', () => {
  test('once, where it is asked for twice at the same moment; also what the relay forgets is told', async () => {
    const simulation = await begin()
    const { world } = simulation
    const at = new Date(world.clock.now())
    const place = world.places[0] as Io
    // It has read the ledger before the first has written, and writes after it.
    const batch: Io['relay']['batch'] = async (...sent) => {
      await new Promise<void>((resolve) => void world.clock.after(3_000, resolve))
      return place.relay.batch(...sent)
    }
    const slow = { ...place, relay: { ...place.relay, batch } }
    const [first, second] = await world.clock.settle(
      Promise.all([
        run({ kind: 'run', at, request: wish }, place),
        run({ kind: 'run', at: new Date(at.getTime() + 1000), request: wish }, slow),
      ]),
    )
    expect([first, second].map((one) => (one.state === 'ran' ? one.results[0]?.state : one.state))).toEqual([
      'started',
      'refused',
    ])
    expect(noted(simulation)).toMatchObject({ state: 'started' })
    world.relay.kill()
    await minutes(simulation, 20)
    expect(noted(simulation)).toMatchObject({ state: 'done' })
    expectImported(simulation)
  })

  test('with its settings, without addresses and marks, and stopped', async () => {
    const simulation = await begin({ powerful: true })
    const ran = await ask(simulation, wish)
    expect(ran).toMatchObject({
      refusal: null,
      results: [{ state: 'started', line: { sign: '*', about: 'main/default/old-web', what: EXPORT } }],
      started: { imports: ['main/default/old-web'] },
    })
    const said = JSON.stringify(ran)
    for (const word of ['eth0.hwaddr=00:16:3e:00:00:02', 'eth0.ipv4.address=10.0.0.5', 'raw.lxc'])
      expect(said).toContain(word)
    await minutes(simulation, 4)
    expectImported(simulation)
    expect(readMarker(simulation.world.incus.main, { name: 'web' })).toBe(NEW)
    expect(noted(simulation)).toMatchObject({ state: 'done', name: EXPORT, store: 'nas' })
    await simulation.pass(until)
    expectImported(simulation)
  })

  test('and is started where that is wished', async () => {
    const simulation = await begin()
    await ask(simulation, { ...wish, start: true })
    await minutes(simulation, 4)
    expectImported(simulation, { status: 'Running' })
  })

  test('under the name of the one that is lost, by its whole path', async () => {
    const simulation = await begin()
    Map.prototype.delete.call(instancesOn(simulation), 'web')
    expect(await ask(simulation, { ...wish, instance: 'web', as: 'web' })).toMatchObject({
      refusal: { reason: expect.stringContaining('name the source instead') },
    })
    await ask(simulation, { ...wish, as: 'web' })
    await simulation.world.clock.advance(later(simulation, 3 * MINUTE))
    expect(readMarker(simulation.world.incus.main, { name: 'web' })).toBe(OLD)
  })

  test('once, though it is asked for twice', async () => {
    const simulation = await begin()
    await ask(simulation, wish)
    expect(await ask(simulation, wish)).toMatchObject({
      results: [],
      lines: [{ reason: 'it is already being imported from there' }],
    })
    const clone = { ...wish, do: 'clone', snapshot: 'hourly-20261120T0600Z', from: undefined } as const
    expect(await ask(simulation, clone)).toMatchObject({ refusal: { code: 'busy' } })
    await minutes(simulation, 4)
    expectImported(simulation)
  })

  test('and a dry run begins nothing, and says what will differ', async () => {
    const simulation = await begin()
    const { world } = simulation
    const trigger = { kind: 'run', at: new Date(world.clock.now()), request: wish } as const
    const plan = await world.clock.settle(planOnly(trigger, world.places[0] as Io))
    const lines = JSON.stringify(plan === null ? null : linesOf(plan))
    expect(lines).toContain(`made from the export ${EXPORT} of main/default/web in nas`)
    expect(lines).toContain('without eth0.hwaddr')
    await minutes(simulation, 3)
    expect(names(simulation)).not.toContain('old-web')
  })

  test.each<[string, object, RegExp, (simulation: Simulation) => void]>([
    [
      'whose name is taken',
      { as: 'mail' },
      /instance main\/default\/mail already: choose another name/,
      () => {},
    ],
    ['with a name that Incus does not take', { as: '1-web' }, /no such name/, () => {}],
    ['from a store that there is not', { from: 'elsewhere' }, /it has nas, r2/, () => {}],
    ['by a name that is none', { export: '../x' }, /is no name of an export/, () => {}],
    ['of an export that is gone', { export: '20200101T000000Z' }, /there is none/, () => {}],
    ['of an instance that has none', { instance: 'main/default/db' }, /there is none/, () => {}],
    ['on a remote that no policy names', { remote: 'elsewhere' }, /no policy names the remote/, () => {}],
    ['in a project that is not there', { project: 'nowhere' }, /no project nowhere: create it/, () => {}],
    ['in a pool that is not there', { pool: 'tank' }, /no pool "tank": name one that it has/, () => {}],
    [
      'on another server, unless the relay’s configuration says so',
      { remote: 'backup' },
      /set "receives": \["main"\] for "backup"/,
      () => {},
    ],
    [
      'in another project, likewise',
      { project: 'other' },
      /in project other on "main" only if its configuration says so/,
      ({ world }) => seedProject(world.incus.main, 'other'),
    ],
    [
      'in a full pool',
      {},
      /the pool "default" on main has 0 MB left/,
      ({ world }) => {
        for (const pool of world.incus.main.state.pools.values()) pool.full = true
      },
    ],
    [
      'that is encrypted, without its key',
      {},
      /doesn’t open it/,
      ({ world }) => {
        world.stores.key = KEY
      },
    ],
    [
      'that is in the form of a driver',
      {},
      /in the form of its pool’s driver, btrfs.*by hand into a pool of btrfs/,
      ({ world }) => {
        for (const one of world.stores.made.values()) Object.assign(one.manifest, { optimized: true })
      },
    ],
    [
      'that is in the form of another driver than its pool',
      { pool: 'default' },
      /takes it into no other: the pool "default" on main is of btrfs/,
      ({ world }) => {
        for (const one of world.stores.made.values())
          Object.assign(one.manifest, { optimized: true, driver: 'zfs' })
      },
    ],
    [
      'that is given what reaches its host',
      { given: { config: { 'security.privileged': 'true' } } },
      /is not given security.privileged/,
      () => {},
    ],
    ['that is given raw config', { given: { config: { 'raw.lxc': 'x' } } }, /is not given raw.lxc/, () => {}],
    [
      'that is given marks',
      { given: { config: { 'user.stapes.replica-of': 'x' } } },
      /is not given user.stapes.replica-of/,
      () => {},
    ],
    [
      'that is given a folder of its host',
      { given: { devices: { etc: { type: 'disk', source: '/etc', path: '/mnt' } } } },
      /is not given the device etc/,
      () => {},
    ],
    [
      'that is given a card of its host',
      {
        given: {
          devices: { eth0: { type: 'nic', nictype: 'physical', parent: 'eth0', network: 'incusbr0' } },
        },
      },
      /is not given the device eth0/,
      () => {},
    ],
    [
      'that is given another root disk',
      { given: { devices: { root: { type: 'none' } } } },
      /root is its root disk: name its pool by --pool/,
      () => {},
    ],
    [
      'that is given a profile that there is not',
      { given: { profiles: ['default', 'front'] } },
      /has no profile front: create it there, or say which it has instead, by --profiles/,
      () => {},
    ],
    [
      'that is given a network that there is not',
      { given: { devices: { eth0: { type: 'nic', network: 'nowhere' } } } },
      /has no network nowhere: create it there, or give it another card, by --devices/,
      () => {},
    ],
    [
      'that is another instance’s by its manifest',
      {},
      /its manifest says that it is of main\/default\/mail/,
      ({ world }) => {
        for (const one of world.stores.made.values())
          Object.assign(one.manifest, { instance: 'main/default/mail' })
      },
    ],
  ])('not one %s, which is said before anything is begun', async (_, more, why, change) => {
    const simulation = await begin()
    change(simulation)
    const before = names(simulation)
    const refused = await ask(simulation, { ...wish, ...more } as BackupRequest)
    expect(refused).toMatchObject({ results: [], refusal: { reason: expect.stringMatching(why) } })
    await minutes(simulation, 2)
    expect(names(simulation)).toEqual(before)
  })

  test('not one whose profile is missing', async () => {
    const simulation = await begin()
    seedProfile(simulation.world.incus.main, 'front', {})
    named(simulation, 'web').profiles = ['default', 'front']
    await ask(simulation, { do: 'export', instance: 'web', to: 'r2', reason: 'asked for' })
    await minutes(simulation, 5)
    simulation.world.incus.main.state.projects.get('default')?.profiles.delete('front')
    named(simulation, 'web').profiles = ['default']
    const refused = await ask(simulation, { ...wish, from: 'r2' })
    expect(refused).toMatchObject({
      refusal: { reason: expect.stringContaining('has no profile front: create it there') },
    })
    await ask(simulation, { ...wish, from: 'r2', given: { profiles: ['default'] } })
    await minutes(simulation, 4)
    expect(named(simulation, 'old-web').profiles).toEqual(['default'])
  })

  test.each([false, true])(
    'with what it is given instead of its own, as it is given, also where the relay is killed: %s',
    async (killed) => {
      const simulation = await begin({ powerful: true })
      const card = {
        type: 'nic',
        network: 'incusbr0',
        'ipv4.address': '10.0.0.9',
        hwaddr: '00:16:3e:00:00:09',
      }
      const given = {
        config: { 'limits.memory': '1GiB', 'user.colour': 'red' },
        devices: { eth0: card, eth9: { type: 'none' } },
      }
      const ran = await ask(simulation, { ...wish, given })
      expect(JSON.stringify(ran)).toContain(
        'it is given limits.memory, user.colour, device eth0, device eth9 instead of its own',
      )
      expect(JSON.stringify(ran)).not.toContain('eth0.hwaddr')
      if (killed) {
        await simulation.world.clock.advance(later(simulation, 30_000))
        killRelay(simulation.world)
      }
      await minutes(simulation, 8)
      const { config, devices } = named(simulation, 'old-web')
      expect(config).toMatchObject({
        ...given.config,
        'boot.autostart': 'true',
        'snapshots.schedule': '@weekly',
      })
      expect(config['raw.lxc']).toBeUndefined()
      expect(devices).toMatchObject(given.devices)
    },
  )

  test('not of what isn’t what was stored: nothing comes of it, and that is told', async () => {
    const simulation = await begin()
    const before = names(simulation)
    await ask(simulation, wish)
    for (const one of simulation.world.stores.made.values()) one.archive[one.archive.length - 1] = 7
    simulation.world.stores.failure = 'it has another SHA-256'
    await minutes(simulation, 3)
    expect(noted(simulation)).toMatchObject({
      ...{ state: 'failed', attempts: 1 },
      reason: expect.stringContaining('it has another SHA-256'),
    })
    expect(names(simulation)).toEqual(before)
  })

  test.each([10_000, 65_000])('not one that is cancelled after %i ms: nothing of it stays', async (ms) => {
    const simulation = await begin()
    const before = names(simulation)
    await ask(simulation, wish)
    await simulation.world.clock.advance(later(simulation, ms))
    const cancelled = await ask(simulation, { do: 'cancel', instance: 'old-web', reason: 'asked for' })
    expect(cancelled).toMatchObject({ refusal: null })
    await minutes(simulation, 6)
    expect(names(simulation)).toEqual(before)
    expect(noted(simulation)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('cancelled'),
    })
  })

  test('elsewhere, where the relay’s configuration says so', async () => {
    const simulation = await begin({ receives: ['main'] })
    seedProject(simulation.world.incus.main, 'other')
    await ask(simulation, { ...wish, project: 'other' })
    await minutes(simulation, 4)
    expect(readMarker(simulation.world.incus.main, { project: 'other', name: 'old-web' })).toBe(OLD)
  })
})

describe('an encrypted export', () => {
  test('is imported with its key, which stands nowhere afterwards', async () => {
    const simulation = await begin({ key: KEY })
    const ran = await ask(simulation, { ...wish, key: new Secret(KEY) })
    expect(ran).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    const told = [JSON.stringify(ran), everything(simulation)]
    const seen = await simulation.world.clock.settle(
      (simulation.world.places[0] as Io).relay.inventory({ remotes: ['main'] }),
    )
    told.push(JSON.stringify(seen))
    await minutes(simulation, 4)
    expectImported(simulation)
    told.push(everything(simulation), JSON.stringify([...instancesOn(simulation).values()]))
    for (const text of told) expect(text).not.toContain(KEY.slice(0, 18))
  })

  test('needs it again once the relay was restarted, and says so; nothing of it stays', async () => {
    const simulation = await begin({ key: KEY })
    const before = names(simulation)
    await ask(simulation, { ...wish, key: new Secret(KEY) })
    await simulation.world.clock.advance(later(simulation, 70_000))
    simulation.world.relay.kill()
    await minutes(simulation, 4)
    expect(noted(simulation)).toMatchObject({
      ...{ state: 'failed', attempts: 1 },
      reason: expect.stringMatching(/its key was kept nowhere: request the import again, with its key/),
    })
    expect(names(simulation)).toEqual(before)
    await ask(simulation, { ...wish, key: new Secret(KEY) })
    await minutes(simulation, 4)
    expectImported(simulation)
  })

  test('is not imported with another one', async () => {
    const simulation = await begin({ key: KEY })
    const refused = await ask(simulation, { ...wish, key: new Secret(KEY.replace('QQ', 'PP')) })
    expect(refused).toMatchObject({ refusal: { reason: expect.stringContaining('doesn’t open it') } })
    expect(JSON.stringify(refused)).not.toContain('AGE-SECRET-KEY')
  })
})

/** All requests of one import. */
const isOfImport = (remote: string, { path }: { path: string }): boolean =>
  remote === 'main' &&
  /^\/1\.0\/(instances\/old-web|instances\?project=|operations\/|storage-pools\/default\?)/.test(path)

describe('the relay is killed', () => {
  const moments = Array.from({ length: 9 }, (_, at) => at).flatMap((at) => [
    { at, when: 'before' as const },
    { at, when: 'after' as const },
  ])
  test.each(moments)('$when request $at of an import: the next ticks make it, once', async ({ at, when }) => {
    const simulation = await begin()
    const { world } = simulation
    const checking = ask(simulation, wish).then(() => {})
    await checking
    const isKilled = killAfter(world, [at, killRelay], isOfImport, when === 'before' ? 'lost-before' : null)
    await minutes(simulation, 4)
    world.weather.now = () => null
    expect(isKilled()).toBe(true)
    await minutes(simulation, 8)
    expectImported(simulation)
    expect(names(simulation).filter((name) => name.includes('old'))).toEqual(['old-web'])
    expect(noted(simulation)).toMatchObject({ state: 'done' })
  })
})

describe('Incus is killed', () => {
  const killedAt = async (ms: number, key: string | null = null): Promise<Simulation> => {
    const simulation = await begin({ key })
    const { world } = simulation
    await ask(simulation, key === null ? wish : { ...wish, key: new Secret(key) })
    await world.clock.advance(later(simulation, ms))
    world.incus.main.kill()
    await minutes(simulation, 1)
    world.incus.main.start()
    await minutes(simulation, 30)
    return simulation
  }

  test.each([1, 30_000, 59_999, 80_500])('%i ms into an import: the next ticks make it, once', async (ms) => {
    expectImported(await killedAt(ms))
  })

  test.each([60_001, 70_000, 79_000])(
    '%i ms into it, while it unpacks: what that left on its disk is told, with what to do',
    async (ms) => {
      const simulation = await killedAt(ms)
      const left =
        /already exists on target: main was killed while it unpacked .*remove storage-pools\/default\/containers\/old-web .*or choose another name/
      expect(noted(simulation)).toMatchObject({ state: 'failed', reason: expect.stringMatching(left) })
      expect(names(simulation)).not.toContain('old-web')
      await ask(simulation, { ...wish, as: 'other-web' })
      await minutes(simulation, 4)
      expectImported(simulation, { name: 'other-web' })
    },
  )
})

test.each([1_000, 61_000, 70_000, 100_000])(
  'the ledger is lost %i ms into an import: it is whole, or not there',
  async (ms) => {
    const simulation = await begin()
    const { world } = simulation
    const before = names(simulation)
    await ask(simulation, wish)
    await world.clock.advance(later(simulation, ms))
    world.kv.forget(['ledger'])
    await minutes(simulation, 6)
    if (names(simulation).length > before.length) expectImported(simulation)
  },
)

test.each([1_000, 61_000, 70_000])(
  'ledger and relay are lost %i ms into an import: nothing of it stays',
  async (ms) => {
    const simulation = await begin()
    const { world } = simulation
    const before = names(simulation)
    await ask(simulation, wish)
    await world.clock.advance(later(simulation, ms))
    world.kv.forget(['ledger'])
    world.relay.kill()
    await minutes(simulation, 6)
    expect(names(simulation)).toEqual(before)
  },
)

test('an instance that somebody made under that name meanwhile is left alone', async () => {
  const simulation = await begin()
  await ask(simulation, wish)
  write(seedInstance(simulation.world.incus.main, { name: 'old-web' }), 'somebody’s', 1000)
  await minutes(simulation, 8)
  expect(readMarker(simulation.world.incus.main, { name: 'old-web' })).toBe('somebody’s')
  expect(noted(simulation)).toMatchObject({ state: 'failed' })
})
