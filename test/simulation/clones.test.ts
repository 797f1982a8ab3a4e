/** Snapshots become new instances beside their originals, and lost instances come back from their copies. */
import { describe, expect, test } from 'vitest'
import { type Io, run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { IncusRequest } from '../../shared/incus/routes.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import {
  hasData,
  instanceOf,
  readMarker,
  seedInstance,
  seedProfile,
  seedProject,
  write,
} from '../emulator/scene.ts'
import type { Instance } from '../emulator/state.ts'
import { clonesOf } from '../long-work.ts'
import { DAY, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import { settledRelay } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 2 * DAY)
/** Away from every slot's minutes. */
const asking = new Date('2026-11-20T06:20:10Z')
const HOURLY = 'hourly-20261120T0600Z'
const DAILY = 'daily-20261120T0300Z'
const OLD = 'web as it was'
const NEW = 'web as it is now'

type Where = 'main' | 'backup'
const webOf = ({ world }: Simulation, where: Where = 'main', name = 'web'): Instance =>
  instanceOf(world.incus[where], { name })
const instancesOn = ({ world }: Simulation, where: Where = 'main') =>
  world.incus[where].state.projects.get('default')?.instances ?? new Map<string, Instance>()
/** Past the invariants, which take it for a deed of stapes. */
const drop = (map: Map<string, unknown>, key: string): unknown => Map.prototype.delete.call(map, key)
const lose = (simulation: Simulation): unknown => drop(instancesOn(simulation), 'web')

const SETTINGS = {
  'boot.autostart': 'true',
  'snapshots.schedule': '@weekly',
  'volatile.eth0.hwaddr': '00:16:3e:00:00:01',
  'user.colour': 'blue',
  'raw.lxc': 'lxc.hook.pre-start=/evil',
}
const NIC = { type: 'nic', network: 'incusbr0', hwaddr: '00:16:3e:00:00:02', 'ipv4.address': '10.0.0.5' }

/** Snapshots of what it was, verified on the backup server too; since then it has changed. */
async function begin({
  powerful = false,
  receives = [] as string[],
  receivesThere = [] as string[],
} = {}): Promise<Simulation> {
  const drivers = { main: 'btrfs', backup: 'dir' } as const
  const simulation = await simulate({ ...usual(start, until), drivers, receives, receivesThere })
  const { world, pass } = simulation
  const { 'raw.lxc': raw, ...harmless } = SETTINGS
  Object.assign(webOf(simulation).config, harmless, powerful ? { 'raw.lxc': raw } : {})
  webOf(simulation).devices.eth0 = { ...NIC }
  write(webOf(simulation), OLD, 600e6)
  await pass(new Date('2026-11-20T06:15:00Z'))
  write(webOf(simulation), NEW, 600e6)
  for (const incus of [world.incus.main, world.incus.backup]) {
    incus.copyMs = 20_000
    incus.restoreMs = 10_000
  }
  await world.clock.advance(asking)
  return simulation
}

const clone = {
  do: 'clone',
  instance: 'main/default/web',
  snapshot: HOURLY,
  as: 'old-web',
  reason: 'asked for',
} as const
const fromBackup = { ...clone, snapshot: DAILY, from: 'backup' } as const
const bringBack = { do: 'bring-back', instance: 'web', reason: 'asked for' } as const

const ask = ({ world }: Simulation, request: BackupRequest): Promise<Run> =>
  world.clock.settle(run({ kind: 'run', at: new Date(world.clock.now()), request }, world.places[0] as Io))

const later = ({ world }: Simulation, ms: number): Date => new Date(world.clock.now() + ms)
const minutes = (simulation: Simulation, many: number): Promise<void> =>
  simulation.pass(later(simulation, many * MINUTE), 'ticked')

/** Ticks that the invariants don't judge: without a ledger they take what came back for what was there before. */
async function unwatched({ world }: Simulation, many: number): Promise<void> {
  for (let at = 0; at < many; at += 1)
    await world.tick(new Date((Math.floor(world.clock.now() / MINUTE) + 1) * MINUTE))
}

const noted = ({ world }: Simulation, name: string) =>
  clonesOf(JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>)[`main/default/${name}`]

const marksOf = ({ config }: Instance): string[] =>
  Object.keys(config).filter((key) => key.startsWith('user.stapes.') && config[key] !== '')

function expectCloned(simulation: Simulation, status = 'Stopped'): void {
  const made = webOf(simulation, 'main', 'old-web')
  expect(readMarker(simulation.world.incus.main, { name: 'old-web' })).toBe(OLD)
  expect(made).toMatchObject({
    status,
    config: { 'boot.autostart': 'true', 'snapshots.schedule': '@weekly', 'user.colour': 'blue' },
    devices: { eth0: { type: 'nic', network: 'incusbr0' } },
  })
  expect(made.devices.eth0).toEqual({ type: 'nic', network: 'incusbr0' })
  expect(Object.keys(made.config).filter((key) => /^(volatile|raw)\./.test(key))).toEqual([])
  expect(marksOf(made)).toEqual([])
  expect(readMarker(simulation.world.incus.main, { name: 'web' })).toBe(NEW)
}

describe('a snapshot becomes a new instance', () => {
  test.each([
    ['here', clone],
    ['from the backup server', fromBackup],
  ])('%s: with its settings, without addresses and marks, and stopped', async (_, request) => {
    const simulation = await begin({ powerful: true })
    const ran = await ask(simulation, request)
    expect(ran).toMatchObject({
      refusal: null,
      results: [{ state: 'started', line: { sign: '*', about: 'main/default/old-web' } }],
      started: { clones: ['main/default/old-web'] },
    })
    const said = JSON.stringify(ran)
    for (const word of ['eth0.hwaddr=00:16:3e:00:00:02', 'eth0.ipv4.address=10.0.0.5', 'raw.lxc'])
      expect(said).toContain(word)
    await minutes(simulation, 4)
    expectCloned(simulation)
    expect([...webOf(simulation, 'main', 'old-web').snapshots.keys()]).toEqual([])
    expect(noted(simulation, 'old-web')).toMatchObject({ state: 'done', snapshot: request.snapshot })
    await simulation.pass(later(simulation, DAY + 60 * MINUTE))
    expect(noted(simulation, 'old-web')).toBeUndefined()
  })

  test('and is started where that is wished', async () => {
    const simulation = await begin()
    await ask(simulation, { ...clone, start: true })
    await minutes(simulation, 4)
    expectCloned(simulation, 'Running')
  })

  test.each([
    ['a snapshot', 'main', false],
    ['a copy', 'backup', true],
  ] as const)('of %s, which is read once beforehand', async (_, remote, whole) => {
    const simulation = await begin({ receives: ['backup'] })
    const { world } = simulation
    const read: string[] = []
    world.weather.now = (where, { method, path }) => {
      if (method === 'GET') read.push(`${where} ${path}`)
      return null
    }
    const [from, to] = [
      { remote, project: 'default', instance: 'web' },
      { remote: 'main', project: 'default', instance: 'old-web' },
    ]
    const how = { whole, start: false, pool: null, transferMode: 'pull' } as const
    const step = { do: 'check-clone', from, snapshot: DAILY, to, ...how } as const
    await settledRelay(world).batch([{ id: 'x', steps: [step] }])
    const own = read.filter((path) => /instances\/web[/?]/.test(path))
    expect(own.length).toBeGreaterThan(1)
    expect(new Set(own).size).toBe(own.length)
  })

  test('once, though it is asked for twice, and beside it nothing is taken before it is whole', async () => {
    const simulation = await begin()
    await ask(simulation, clone)
    simulation.world.incus.main.copyMs = 0
    expect(await ask(simulation, clone)).toMatchObject({
      results: [],
      lines: [{ reason: 'it is already being made from this snapshot' }],
    })
    await minutes(simulation, 4)
    expectCloned(simulation)
    expect(await ask(simulation, clone)).toMatchObject({ results: [], refusal: { code: 'exists' } })
  })

  test.each([
    ['project', { project: 'other' }, 'main'],
    ['pool', { pool: 'fast' }, 'main'],
    ['remote', { remote: 'backup' }, 'backup'],
    ['remote and project', { remote: 'backup', project: 'other' }, 'backup'],
  ] as const)('in another %s, where the relay’s configuration allows it', async (_, where, at) => {
    const simulation = await begin({ receives: ['main'], receivesThere: ['main'] })
    const { incus } = simulation.world
    for (const server of [incus.main, incus.backup]) seedProject(server, 'other')
    const [pool] = incus.main.state.pools.values()
    if (pool !== undefined) incus.main.state.pools.set('fast', { ...pool, name: 'fast', volumes: new Map() })
    expect(await ask(simulation, { ...clone, ...where })).toMatchObject({
      refusal: null,
      results: [{ state: 'started' }],
    })
    await minutes(simulation, 4)
    const it = { name: 'old-web', ...('project' in where ? { project: where.project } : {}) }
    const made = instanceOf(incus[at], it)
    expect(readMarker(incus[at], it)).toBe(OLD)
    expect(made).toMatchObject({
      status: 'Stopped',
      pool: 'pool' in where ? where.pool : 'default',
      config: { 'boot.autostart': 'true', 'snapshots.schedule': '@weekly', 'user.colour': 'blue' },
    })
    expect(made.devices.eth0).toEqual({ type: 'nic', network: 'incusbr0' })
    expect(marksOf(made)).toEqual([])
    expect(readMarker(incus.main, { name: 'web' })).toBe(NEW)
  })

  test.each<[string, object, RegExp, (simulation: Simulation) => void]>([
    [
      'whose name is taken',
      { as: 'mail' },
      /instance main\/default\/mail already: choose another name/,
      () => {},
    ],
    ['with a name that Incus does not take', { as: '1-web' }, /no such name/, () => {}],
    [
      'of a snapshot that is gone',
      { snapshot: 'hourly-20261101T0600Z' },
      /has no snapshot|have? a snapshot|neither/,
      () => {},
    ],
    [
      'on a remote that no policy names',
      { remote: 'elsewhere' },
      /no policy names the remote "elsewhere"/,
      () => {},
    ],
    ['in a project that is not there', { project: 'nowhere' }, /no project nowhere: create it/, () => {}],
    [
      'in a pool that is not there',
      { pool: 'tank' },
      /no pool "tank": name one that it has, by --pool/,
      () => {},
    ],
    [
      'on the backup server, unless the relay’s configuration says so',
      { remote: 'backup' },
      /set "receives": \["main"\] for "backup"/,
      () => {},
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
      'whose profile is missing',
      { from: 'backup', snapshot: DAILY },
      /has no profile web: create it there/,
      (simulation) => {
        webOf(simulation, 'backup').profiles = ['default', 'web']
        seedProfile(simulation.world.incus.backup, 'web', {})
      },
    ],
    [
      'whose network is missing',
      { from: 'backup', snapshot: DAILY },
      /has no network lan: create it there/,
      (simulation) => {
        for (const { settings } of webOf(simulation, 'backup').snapshots.values())
          settings.devices = { eth0: { type: 'nic', network: 'lan' } }
      },
    ],
  ])('%s is refused before anything is begun', async (_, more, why, prepare) => {
    const simulation = await begin()
    prepare(simulation)
    const before = [...instancesOn(simulation).keys()]
    const ran = await ask(simulation, { ...clone, ...more } as BackupRequest)
    expect(ran).toMatchObject({ results: [], refusal: { reason: expect.stringMatching(why) } })
    await minutes(simulation, 3)
    expect([...instancesOn(simulation).keys()]).toEqual(before)
  })

  test('that would expire meanwhile lasts for a day more, and is made at the first try', async () => {
    const simulation = await begin()
    const one = webOf(simulation, 'backup').snapshots.get(DAILY)
    const soon = simulation.world.clock.now() + 10 * MINUTE
    if (one !== undefined) one.expires = { ms: soon, text: new Date(soon).toISOString() }
    await ask(simulation, fromBackup)
    await minutes(simulation, 4)
    expectCloned(simulation)
    expect(noted(simulation, 'old-web')).toMatchObject({ state: 'done', attempts: 0 })
    expect(one?.expires.ms).toBeGreaterThan(asking.getTime() + DAY - MINUTE)
  })

  test('that no transfer has verified, as on a copy, is refused', async () => {
    const simulation = await begin()
    const { snapshots } = webOf(simulation, 'backup')
    const [first] = snapshots.values()
    if (first !== undefined) snapshots.set('mine', { ...first, name: 'mine' })
    await minutes(simulation, 1)
    expect(await ask(simulation, { ...fromBackup, snapshot: 'mine' })).toMatchObject({
      refusal: { code: 'unverified' },
    })
  })
})

test('one that is half made under the mark of another relay is left alone, and that is told', async () => {
  const simulation = await begin()
  const { world } = simulation
  await ask(simulation, clone)
  await world.clock.advance(new Date(asking.getTime() + 5_000))
  world.incus.main.kill()
  world.relay.kill()
  world.incus.main.start()
  const half = webOf(simulation, 'main', 'old-web')
  half.config['user.stapes.restoring-as'] = `${half.config['user.stapes.restoring-as']}x`
  await minutes(simulation, 5)
  expect(webOf(simulation, 'main', 'old-web')).toBe(half)
  expect(noted(simulation, 'old-web')).toMatchObject({
    ...{ state: 'failed', reason: expect.stringContaining('was not set by this relay') },
  })
})

/** A moment before, in and after each part: transfer or copy, restore, marks. */
const MOMENTS = [1, 5_000, 20_001, 25_000, 31_000]
type Loss = 'nothing else' | 'the relay' | 'the ledger' | 'both'

function forget({ world }: Simulation, loss: Loss): void {
  if (loss === 'the relay' || loss === 'both') world.relay.kill()
  if (loss === 'the ledger' || loss === 'both') world.kv.forget(['ledger'])
}

/** It is there and whole, or not at all; nothing half made stays, and nobody else's is touched. */
function expectWholeOrNone(simulation: Simulation, name: string, mayLack: boolean): void {
  const made = instancesOn(simulation).get(name)
  if (mayLack && made === undefined) return
  expect(readMarker(simulation.world.incus.main, { name })).toBe(OLD)
  expect(made?.config['user.stapes.restoring-as'] ?? '').toBe('')
  expect(made?.config['boot.autostart']).toBe('true')
}

/** What dies with it, of the servers and of what remembers. */
const DEATHS = MOMENTS.flatMap((ms) =>
  (
    [
      ['main', 'nothing else'],
      ['main', 'both'],
      ['backup', 'nothing else'],
      ['backup', 'the relay'],
      ['neither', 'the relay'],
      ['neither', 'the ledger'],
      ['neither', 'both'],
    ] as const
  ).map(([dies, loss]) => ({ ms, dies, loss })),
)

describe('killed in the middle', () => {
  test.each(DEATHS)(
    '$ms ms into a new instance from the backup server, of the servers $dies dies, and $loss is lost: nothing half made stays',
    async ({ ms, loss, dies }) => {
      const simulation = await begin()
      const { world } = simulation
      await ask(simulation, fromBackup)
      await world.clock.advance(new Date(asking.getTime() + ms))
      if (dies !== 'neither') world.incus[dies].kill()
      forget(simulation, loss)
      await minutes(simulation, 3)
      if (dies !== 'neither') world.incus[dies].start()
      await minutes(simulation, 8)
      expectWholeOrNone(simulation, 'old-web', loss === 'both' || loss === 'the ledger')
      expect(readMarker(world.incus.main, { name: 'web' })).toBe(NEW)
      expect(hasData(world.incus.backup, { name: 'web' }, DAILY)).toBe(true)
    },
  )

  test.each(MOMENTS.flatMap((ms) => (['nothing else', 'both'] as const).map((loss) => ({ ms, loss }))))(
    '$ms ms into a new instance from a snapshot here, and $loss is lost',
    async ({ ms, loss }) => {
      const simulation = await begin()
      const { world } = simulation
      await ask(simulation, clone)
      await world.clock.advance(new Date(asking.getTime() + ms))
      world.incus.main.kill()
      forget(simulation, loss)
      await minutes(simulation, 2)
      world.incus.main.start()
      await minutes(simulation, 8)
      expectWholeOrNone(simulation, 'old-web', loss === 'both')
      expect(readMarker(world.incus.main, { name: 'web' })).toBe(NEW)
    },
  )
})

const verifiedOn = (simulation: Simulation): string[] =>
  (webOf(simulation, 'backup').config['user.stapes.verified'] ?? '')
    .split(' ')
    .map((one) => one.split('@')[0] ?? '')

function expectBack(simulation: Simulation, verified: readonly string[]): void {
  const { incus } = simulation.world
  expect(readMarker(incus.main, { name: 'web' })).toBe(OLD)
  expect([...webOf(simulation).snapshots.keys()]).toEqual(expect.arrayContaining([...verified]))
  for (const name of verified)
    expect(readMarker(incus.main, { name: 'web' }, name)).toBe(
      readMarker(incus.backup, { name: 'web' }, name),
    )
  expect(webOf(simulation)).toMatchObject({
    config: { 'boot.autostart': 'true', 'snapshots.schedule': '@weekly', 'user.colour': 'blue' },
    devices: { eth0: NIC },
  })
  expect(marksOf(webOf(simulation))).toEqual([])
}

describe('a lost instance is brought back', () => {
  test('with all that is verified, its addresses and settings; then its policies go on and refresh the same copy', async () => {
    const simulation = await begin()
    lose(simulation)
    await minutes(simulation, 2)
    const copy = webOf(simulation, 'backup')
    const before = verifiedOn(simulation)
    expect(await ask(simulation, bringBack)).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    await minutes(simulation, 5)
    expectBack(simulation, before)
    await simulation.pass(new Date('2026-11-21T04:00:00Z'))
    expect(webOf(simulation, 'backup')).toBe(copy)
    // The hourly ones have expired on the source since, as always.
    const daily = before.filter((name) => !name.startsWith('hourly-2026'))
    expect(verifiedOn(simulation)).toEqual(expect.arrayContaining([...daily, 'daily-20261121T0300Z']))
    for (const name of verifiedOn(simulation))
      expect(hasData(simulation.world.incus.backup, { name: 'web' }, name)).toBe(true)
    expect([...webOf(simulation).snapshots.keys()]).toContain('hourly-20261121T0300Z')
  })

  test('without what an interrupted transfer has left on the copy', async () => {
    const simulation = await begin()
    const copy = webOf(simulation, 'backup')
    const [first] = copy.snapshots.values()
    if (first === undefined) throw new Error('it has none')
    const before = verifiedOn(simulation)
    copy.config['user.stapes.copying'] = `daily-20261120T0500Z#0 ${first.second}`
    copy.snapshots.set('daily-20261120T0500Z', {
      ...first,
      name: 'daily-20261120T0500Z',
      second: first.second + 7200,
      disk: { ...first.disk, held: 'empty', marker: null },
    })
    copy.disk = { ...copy.disk, held: 'half', marker: 'half' }
    lose(simulation)
    await minutes(simulation, 2)
    await ask(simulation, bringBack)
    await minutes(simulation, 5)
    expectBack(simulation, before)
    expect([...webOf(simulation).snapshots.keys()]).not.toContain('daily-20261120T0500Z')
  })

  test('of which it is refused while it exists, and where nothing is verified', async () => {
    const simulation = await begin()
    expect(await ask(simulation, bringBack)).toMatchObject({
      refusal: { code: 'exists', reason: expect.stringContaining('restore it in place') },
    })
    expect(await ask(simulation, { ...bringBack, instance: 'nobody' })).toMatchObject({
      refusal: { code: 'not-found' },
    })
    lose(simulation)
    await minutes(simulation, 2)
    webOf(simulation, 'backup').config['user.stapes.verified'] = ''
    simulation.world.kv.forget(['ledger'])
    expect(await ask(simulation, bringBack)).toMatchObject({ refusal: { code: 'unverified' } })
  })

  test('to another place where the relay’s configuration allows it: the copy follows it there', async () => {
    const simulation = await begin({ receives: ['backup'] })
    const { world } = simulation
    seedProject(world.incus.main, 'other')
    expect(await ask(simulation, { ...bringBack, project: 'other' })).toMatchObject({
      refusal: { code: 'exists' },
    })
    lose(simulation)
    await minutes(simulation, 2)
    const before = verifiedOn(simulation)
    const copy = webOf(simulation, 'backup')
    const { 'user.stapes.owner': owner = '' } = copy.config
    copy.config['user.stapes.owner'] = '9999999999999.x.y'
    expect(await ask(simulation, { ...bringBack, project: 'other' })).toMatchObject({
      refusal: { code: 'not-ours' },
    })
    copy.config['user.stapes.owner'] = owner
    await ask(simulation, { ...bringBack, project: 'other' })
    await minutes(simulation, 5)
    const there = { project: 'other', name: 'web' }
    expect(readMarker(world.incus.main, there)).toBe(OLD)
    expect(copy.config['user.stapes.replica-of']).toBe('main/other/web')
    expect(verifiedOn(simulation)).toEqual(before)
    const daily = {
      schedule: '0 3 * * *',
      keep: { daily: 2 },
      copy: { remote: 'backup', project: 'default' },
    }
    await world.apply({
      policies: { daily: { ...daily, select: { remotes: ['main'], projects: ['other'] } } },
    })
    await world.clock.advance(new Date('2026-11-21T03:00:00Z'))
    await unwatched(simulation, 8)
    expect(webOf(simulation, 'backup')).toBe(copy)
    expect(verifiedOn(simulation)).toEqual(
      expect.arrayContaining(['daily-20261120T0300Z', 'daily-20261121T0300Z']),
    )
  })

  test('is what a restore of it offers, with the command', async () => {
    const simulation = await begin()
    const restore = { do: 'restore', instance: 'web', snapshot: DAILY, reason: 'asked for' } as const
    drop(webOf(simulation).snapshots, DAILY)
    expect(await ask(simulation, { ...restore, instance: 'main/default/web' })).toMatchObject({
      refusal: {
        reason: expect.stringContaining(
          `/backup clone main/default/web ${DAILY} --as=web-restored --from=backup`,
        ),
      },
    })
    lose(simulation)
    await minutes(simulation, 1)
    expect(await ask(simulation, restore)).toMatchObject({
      refusal: { reason: expect.stringContaining('/backup bring-back main/default/web brings it back') },
    })
  })

  test.each(DEATHS)(
    '$ms ms into it, of the servers $dies dies, and $loss is lost: it is whole or not there, and the copy is as it was',
    async ({ ms, loss, dies }) => {
      const simulation = await begin()
      const { world } = simulation
      const pass = loss === 'the ledger' || loss === 'both' ? unwatched : minutes
      lose(simulation)
      await minutes(simulation, 2)
      const before = verifiedOn(simulation)
      const at = world.clock.now()
      await ask(simulation, bringBack)
      await world.clock.advance(new Date(at + ms))
      if (dies !== 'neither') world.incus[dies].kill()
      forget(simulation, loss)
      await pass(simulation, 3)
      if (dies !== 'neither') world.incus[dies].start()
      await pass(simulation, 8)
      expectWholeOrNone(simulation, 'web', loss === 'both' || loss === 'the ledger')
      expect(verifiedOn(simulation)).toEqual(before)
      for (const name of before) expect(hasData(world.incus.backup, { name: 'web' }, name)).toBe(true)
    },
  )
})

/** The relay dies at the request that is counted so, before Incus gets it or after; null: it sent fewer. */
async function killedAt(
  simulation: Simulation,
  many: number,
  how: 'before' | 'after',
): Promise<IncusRequest | null> {
  const { world } = simulation
  let count = 0
  let struck: IncusRequest | null = null
  world.weather.now = (_, request) => {
    if (request.method === 'GET' || struck !== null || ++count < many) return null
    struck = request
    world.relay.kill()
    return how === 'before' ? 'lost-before' : null
  }
  await ask(simulation, { ...bringBack, project: 'other', start: true })
  await minutes(simulation, 2)
  world.weather.now = () => null
  return struck
}

const REQUESTS = Array.from({ length: 9 }, (_, at) => at + 1)

describe('a relay that is killed while it brings an instance back to another place', () => {
  const begun = async (): Promise<Simulation> => {
    const simulation = await begin({ receives: ['backup'] })
    seedProject(simulation.world.incus.main, 'other')
    lose(simulation)
    await minutes(simulation, 2)
    return simulation
  }
  const elsewhere = { project: 'other', name: 'web' }

  test.each(REQUESTS.flatMap((many) => (['before', 'after'] as const).map((how) => ({ many, how }))))(
    '$how request $many: later ticks do what is left, to its start and to the copy that follows it',
    async ({ many, how }) => {
      const simulation = await begun()
      const { world } = simulation
      const before = verifiedOn(simulation)
      const copy = webOf(simulation, 'backup')
      const struck = await killedAt(simulation, many, how)
      // Pull: the copy's migration, its creation, the restore, and the marks.
      expect(struck === null).toBe(many > 7)
      await minutes(simulation, 10)
      const back = instanceOf(world.incus.main, elsewhere)
      expect(readMarker(world.incus.main, elsewhere)).toBe(OLD)
      expect(back.status).toBe('Running')
      expect(marksOf(back)).toEqual([])
      expect([...back.snapshots.keys()]).toEqual(expect.arrayContaining(before))
      expect(webOf(simulation, 'backup')).toBe(copy)
      expect(copy.config['user.stapes.replica-of']).toBe('main/other/web')
      expect(verifiedOn(simulation)).toEqual(before)
      const work = JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>
      expect(clonesOf(work)['main/other/web']).toMatchObject({ state: 'done' })
    },
  )

  test('after which somebody makes one of that name: it is left alone, and that is told', async () => {
    const simulation = await begun()
    const { world } = simulation
    world.incus.main.copyMs = 60_000
    await ask(simulation, { ...bringBack, project: 'other', start: true })
    await world.clock.advance(new Date(world.clock.now() + 5_000))
    world.relay.kill()
    world.incus.main.kill()
    world.incus.main.start()
    const others = world.incus.main.state.projects.get('other')?.instances
    others?.delete('web')
    seedInstance(world.incus.main, { project: 'other', name: 'web' })
    const handmade = instanceOf(world.incus.main, elsewhere)
    const config = structuredClone(handmade.config)
    await minutes(simulation, 6)
    expect(instanceOf(world.incus.main, elsewhere)).toBe(handmade)
    expect(handmade).toMatchObject({ status: 'Stopped', config })
    expect(webOf(simulation, 'backup').config['user.stapes.replica-of']).toBe('main/default/web')
    const work = JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>
    expect(clonesOf(work)['main/other/web']).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('left alone'),
    })
  })
})
