import { describe, expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import { skewOf } from '../../../relay/engine/inventory.ts'
import type { RemoteInventory } from '../../../shared/incus/inventory.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'
import { type Answer, createFakeIncus, refusal, sync } from './fake-incus.ts'
import { createVirtualClock } from './virtual-clock.ts'

const REMOTES = { main: { address: 'https://main' }, backup: { address: 'https://backup' } }

const instance = (name: string, more: object = {}): object => ({
  name,
  project: 'default',
  type: 'container',
  status: 'Running',
  location: 'none',
  config: {},
  expanded_config: {},
  expanded_devices: { root: { type: 'disk', path: '/', pool: 'fast' } },
  ...more,
})

const volume = (name: string, created = '2026-11-22T20:19:15.821638194Z', project = 'default'): object => ({
  name,
  project,
  type: 'container',
  created_at: created,
})

const ENVIRONMENT = {
  server: 'incus',
  certificate_fingerprint: 'ab12',
  server_version: '6.0.4',
  server_clustered: false,
}
const SERVER = { auth: 'trusted', environment: ENVIRONMENT, api_extensions: ['instances'] }

const PROJECTS = '/1.0/projects?recursion=1'

/** What a healthy server with nothing on it says; a test replaces what it is about. */
const WORLD: Record<string, Answer> = {
  '/1.0': sync(SERVER),
  [PROJECTS]: sync([{ name: 'default' }, { name: 'prod' }]),
  '/1.0/instances?recursion=1&all-projects=true': sync([]),
  '/1.0/operations?recursion=1&all-projects=true': sync({}),
}
const INSTANCES = '/1.0/instances?recursion=1&all-projects=true'
const OPERATIONS = '/1.0/operations?recursion=1&all-projects=true'
/** An instance's own list of its snapshots, which is asked where the pool's proves nothing. */
const ownOf = (name: string, project = 'default') =>
  `/1.0/instances/${name}/snapshots?project=${project}&recursion=1`
const volumesOf = (pool: string, type = 'container') =>
  `/1.0/storage-pools/${pool}/volumes/${type}?recursion=1&all-projects=true`

async function read(world: Record<string, Answer>): Promise<RemoteReply> {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const all = { ...WORLD, ...world }
  incus.answer = (_, { path }) => all[path] ?? refusal(404, `not found: ${path}`)
  const reply = await clock.until(
    createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' }).inventory({ remotes: ['main'] }),
  )
  const main = reply.remotes.main
  if (main === undefined) throw new Error('no reply')
  return main
}

async function see(world: Record<string, Answer>): Promise<RemoteInventory> {
  const reply = await read(world)
  if (!reply.ok) throw new Error(reply.error.message)
  return reply.inventory
}

test.each<[string, object, object | undefined]>([
  ['none', {}, undefined],
  ['that is empty', { 'snapshots.schedule': ' ' }, undefined],
  ['that is never', { 'snapshots.schedule': '@never', 'snapshots.expiry': '7d' }, undefined],
  [
    'with an end',
    { 'snapshots.schedule': '@daily', 'snapshots.expiry': '7d' },
    { schedule: '@daily', expiry: '7d' },
  ],
  [
    'without one',
    { 'snapshots.schedule': '0 3 * * *, @hourly' },
    { schedule: '0 3 * * *, @hourly', expiry: '' },
  ],
  [
    'of each start, with names of its own, also while it stands still',
    {
      'snapshots.schedule': '@startup',
      'snapshots.pattern': 'auto-%d',
      'snapshots.schedule.stopped': 'true',
    },
    { schedule: '@startup', expiry: '', pattern: 'auto-%d', stopped: true },
  ],
])("Incus's own schedule of an instance is passed on: %s", async (_, config, scheduled) => {
  const web = instance('web', { expanded_config: config, last_used_at: '1970-01-01T00:00:00Z' })
  const { instances } = await see({ [INSTANCES]: sync([web]) })
  expect(instances.map((one) => one.scheduled)).toEqual([scheduled])
})

test('with its own schedule, an instance is passed on with its last start', async () => {
  const expanded_config = { 'snapshots.schedule': '@startup' }
  const web = instance('web', { expanded_config, last_used_at: '2026-11-22T20:19:15.821638194Z' })
  const { instances } = await see({ [INSTANCES]: sync([web]) })
  expect(instances[0]?.scheduled).toMatchObject({ started: Date.parse('2026-11-22T20:19:15Z') / 1000 })
})

test('which instance it is, is told where its server tells both uuid and date', async () => {
  const uuid = { config: { 'volatile.uuid': 'U' } }
  const { instances } = await see({
    [INSTANCES]: sync([
      instance('web', { ...uuid, created_at: '2026-11-22T20:19:15.821638194Z' }),
      instance('db', { ...uuid, created_at: '0001-01-01T00:00:00Z' }),
    ]),
    [volumesOf('fast')]: sync([volume('web'), volume('web/s1'), volume('db')]),
  })
  const since = Date.parse('2026-11-22T20:19:15Z') / 1000
  expect(instances.map(({ identity }) => identity)).toEqual([{ uuid: 'U', since }, undefined])
})

test('an instance is condensed to its marks, its pool and its snapshots', async () => {
  const web = instance('web', {
    config: { 'user.stapes.keep.daily': '7', 'limits.cpu': '2' },
    expanded_config: { 'user.stapes.keep.daily': '7', 'user.stapes.policy': 'all', 'limits.cpu': '2' },
  })
  const seen = await see({
    [INSTANCES]: sync([web]),
    [volumesOf('fast')]: sync([volume('web/s1'), volume('web'), volume('web/s2', '2026-11-22T20:00:00Z')]),
  })
  expect(seen.server).toEqual({ fingerprint: 'ab12', version: '6.0.4', clustered: false })
  expect(seen.projects).toEqual(['default', 'prod'])
  expect(seen.instances).toEqual([
    {
      project: 'default',
      name: 'web',
      type: 'container',
      status: 'Running',
      location: 'none',
      pool: 'fast',
      config: { 'user.stapes.keep.daily': '7', 'user.stapes.policy': 'all' },
      own: ['user.stapes.keep.daily'],
      snapshots: [
        ['s1', 1_795_378_755],
        ['s2', 1_795_377_600],
      ],
    },
  ])
})

describe('the drivers of pools', () => {
  const pool = (driver: string) => sync({ name: 'fast', driver, config: {} })
  const world = {
    [INSTANCES]: sync([instance('web'), instance('db')]),
    [volumesOf('fast')]: sync([volume('web'), volume('db')]),
    [ownOf('web')]: sync([]),
    [ownOf('db')]: sync([]),
  }

  test('come by the pool, for those that instances live in', async () => {
    const [fast, slow] = ['/1.0/storage-pools/fast', '/1.0/storage-pools/slow']
    expect((await see({ ...world, [fast]: pool('zfs'), [slow]: pool('dir') })).pools).toEqual({ fast: 'zfs' })
  })

  test.each<[string, Record<string, string> | null, string, string[] | undefined]>([
    ['without a thin pool', { 'lvm.use_thinpool': 'false' }, 'lvm', ['fast']],
    ['with one', { 'lvm.use_thinpool': 'true' }, 'lvm', undefined],
    ['whose config is only for the unrestricted', null, 'lvm', undefined],
    ['of another driver', { 'lvm.use_thinpool': 'false' }, 'btrfs', undefined],
  ])('tell one of lvm %s', async (_, config, driver, thick) => {
    const seen = await see({ ...world, '/1.0/storage-pools/fast': sync({ name: 'fast', driver, config }) })
    expect([seen.pools, seen.thick]).toEqual([{ fast: driver }, thick])
  })

  test.each<[string, Answer]>([
    ['is forbidden', refusal(403, 'User does not have permission for project "default"')],
    ['is gone', refusal(404, 'Storage pool not found')],
    ['is of another form', sync(null)],
  ])('lack one whose reading %s, and nothing else lacks', async (_, answer) => {
    const { pools, instances } = await see({ ...world, '/1.0/storage-pools/fast': answer })
    expect(pools).toEqual({})
    expect(instances.map(({ snapshots }) => snapshots)).toEqual([[], []])
  })

  test('are read once an hour, and again at once where that failed', async () => {
    const clock = createVirtualClock()
    const incus = createFakeIncus(clock)
    let driver = refusal(500, 'not yet')
    incus.answer = (_, { path }) =>
      path === '/1.0/storage-pools/fast' ? driver : { ...WORLD, ...world }[path]
    const engine = createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' })
    const look = async () => {
      incus.calls.length = 0
      const { main } = (await clock.until(engine.inventory({ remotes: ['main'] }))).remotes
      const asked = incus.calls.filter(({ call }) => call === 'GET /1.0/storage-pools/fast').length
      return [asked, main?.ok === true ? main.inventory.pools : null]
    }
    expect(await look()).toEqual([1, {}])
    driver = pool('dir')
    expect(await look()).toEqual([1, { fast: 'dir' }])
    driver = pool('zfs')
    await clock.advance(3_599_000)
    expect(await look()).toEqual([0, { fast: 'dir' }])
    await clock.advance(2_000)
    expect(await look()).toEqual([1, { fast: 'zfs' }])
  })
})

test('a name in two projects is two instances', async () => {
  const seen = await see({
    [INSTANCES]: sync([instance('web'), instance('web', { project: 'prod' })]),
    [volumesOf('fast')]: sync([
      volume('web'),
      volume('web', undefined, 'prod'),
      volume('web/p1', undefined, 'prod'),
    ]),
  })
  expect(seen.instances.map(({ snapshots }) => snapshots?.map(([name]) => name))).toEqual([[], ['p1']])
})

/** As 6.0.4 and 7.0.2 list what lives on a member that can't be reached. */
const OFFLINE = {
  ...{ name: 'web', project: 'default', type: 'container', location: 'n2' },
  ...{ status: 'Error', config: null, devices: null, profiles: null, architecture: '' },
}

test('what is listed without its config is marked so, and what has one is not', async () => {
  const { instances } = await see({
    [INSTANCES]: sync([OFFLINE, instance('db', { status: 'Error' })]),
    [volumesOf('fast')]: sync([volume('db')]),
  })
  expect(instances.map(({ offline, pool, own }) => ({ offline, pool, own }))).toEqual([
    { offline: true, pool: '', own: [] },
    { offline: undefined, pool: 'fast', own: [] },
  ])
})

test('of a project is told what may refuse us something, and of most there is nothing to tell', async () => {
  const config = (more: object) => ({ 'features.images': 'true', 'features.profiles': 'true', ...more })
  const seen = await see({
    '/1.0/projects?recursion=1': sync([
      { name: 'default', config: config({}) },
      { name: 'unseen', config: null },
      { name: 'ünï', config: config({ restricted: 'true', 'restricted.snapshots': 'block' }) },
      { name: 'a%b', config: config({ 'limits.instances': '3', 'features.profiles': 'false' }) },
    ]),
  })
  expect(seen.projects).toEqual(['default', 'unseen', 'ünï', 'a%b'])
  expect(seen.projectRules).toEqual({
    ünï: { restricted: 'true', 'restricted.snapshots': 'block' },
    'a%b': { 'limits.instances': '3', 'features.profiles': 'false' },
  })
})

const partial: { name: string; world: Record<string, Answer>; problem: RegExp }[] = [
  {
    name: 'the listing of its pool fails',
    world: { [INSTANCES]: sync([instance('web')]), [volumesOf('fast')]: refusal(500, 'pool is broken') },
    problem: /"fast".*pool is broken/,
  },
  {
    name: 'the listing lacks its own volume',
    world: {
      [INSTANCES]: sync([instance('web')]),
      [volumesOf('fast')]: sync([volume('web/s1'), volume('db')]),
    },
    problem: /no volume/,
  },
  {
    name: 'its cluster member is away',
    world: {
      [INSTANCES]: sync([instance('web', { status: 'Error' })]),
      [volumesOf('fast')]: sync([volume('web')]),
    },
    problem: /Error/,
  },
  {
    name: 'its cluster member is away, so that Incus tells nothing but its name',
    world: { [INSTANCES]: sync([OFFLINE]), [volumesOf('fast')]: sync([volume('web')]) },
    problem: /cluster member n2 gives no answer/,
  },
  {
    name: 'it has no root disk',
    world: { [INSTANCES]: sync([instance('web', { expanded_devices: {} })]) },
    problem: /no root disk/,
  },
  {
    name: 'its row is in no project',
    world: {
      [INSTANCES]: sync([instance('web')]),
      [volumesOf('fast')]: sync([{ name: 'web', created_at: '2026-11-22T20:19:15Z' }]),
    },
    problem: /another form/,
  },
  {
    name: 'a row has no date, and its own list isn’t to be had',
    world: {
      [INSTANCES]: sync([instance('web')]),
      [volumesOf('fast')]: sync([volume('web'), volume('web/s1', '')]),
    },
    problem: /without a date/,
  },
  {
    name: 'a row is of the year 1, and its own list names other snapshots',
    world: {
      [INSTANCES]: sync([instance('web')]),
      [volumesOf('fast')]: sync([volume('web'), volume('web/s1', '0001-01-01T00:00:00Z')]),
      [ownOf('web')]: sync([{ name: 's2', created_at: '2026-11-22T20:00:00Z' }]),
    },
    problem: /without a date/,
  },
  {
    name: 'the listing holds no snapshot of any, and its own list does',
    world: {
      [INSTANCES]: sync([instance('web')]),
      [volumesOf('fast')]: sync([volume('web')]),
      [ownOf('web')]: sync([{ name: 's1', created_at: '2026-11-22T20:00:00Z' }]),
    },
    problem: /lists no snapshot of any instance, but web has 1/,
  },
  {
    name: 'the listing holds no snapshot of any, and its own list isn’t to be had',
    world: {
      [INSTANCES]: sync([instance('web')]),
      [volumesOf('fast')]: sync([volume('web')]),
      [ownOf('web')]: refusal(500, 'database is locked'),
    },
    problem: /lists no snapshot of any instance, database is locked/,
  },
  {
    name: 'the listing holds no snapshot of any, and its own list is null',
    world: {
      [INSTANCES]: sync([instance('web')]),
      [volumesOf('fast')]: sync([volume('web')]),
      [ownOf('web')]: sync(null),
    },
    problem: /lists no snapshot of any instance/,
  },
  {
    name: 'its cluster member is away and took its config along',
    world: {
      [INSTANCES]: sync([
        instance('web', { status: 'Error', config: null, expanded_config: null, expanded_devices: null }),
      ]),
    },
    problem: /gives no answer for it/,
  },
]

test.each(partial)('snapshots are null, never none, when $name', async ({ world, problem }) => {
  const [web] = (await see(world)).instances
  expect(web?.snapshots).toBeNull()
  expect(web?.problem).toMatch(problem)
})

test('a broken pool takes nothing from instances on another', async () => {
  const slow = { expanded_devices: { root: { type: 'disk', path: '/', pool: 'slow' } } }
  const seen = await see({
    [INSTANCES]: sync([instance('web'), instance('db', slow)]),
    [volumesOf('fast')]: refusal(500, 'broken'),
    [volumesOf('slow')]: sync([volume('db'), volume('db/s1')]),
  })
  expect(seen.instances.map(({ snapshots }) => snapshots?.length)).toEqual([undefined, 1])
})

test('only what has not ended is an operation', async () => {
  const seen = await see({
    [OPERATIONS]: sync({
      success: [{ id: 'old', status_code: 200 }],
      running: [
        {
          id: 'op1',
          status_code: 103,
          description: 'Snapshotting instance',
          resources: {
            instances: ['/1.0/instances/web?project=prod'],
            instances_snapshots: ['/1.0/instances/web/snapshots/a%25b?project=prod'],
          },
          metadata: { fs_progress: 'web: 1MB' },
        },
        { id: 'op2', status_code: 103, description: 'Pruning', resources: null, metadata: null },
      ],
    }),
  })
  expect(seen.operations).toEqual([
    {
      id: 'op1',
      description: 'Snapshotting instance',
      project: 'prod',
      instances: ['web'],
      snapshots: ['web/a%b'],
      progress: 'web: 1MB',
    },
    { id: 'op2', description: 'Pruning', project: 'default', instances: [], snapshots: [] },
  ])
})

const unreadable: { name: string; world: Record<string, Answer>; code: string }[] = [
  {
    name: 'the server takes us for a stranger',
    world: { '/1.0': sync({ auth: 'untrusted' }) },
    code: 'untrusted',
  },
  { name: 'the instances are refused', world: { [INSTANCES]: refusal(500, 'no') }, code: 'incus' },
  {
    name: 'an instance is not what it was',
    world: { [INSTANCES]: sync([{ name: 'web' }]) },
    code: 'bad-reply',
  },
  {
    name: 'the projects are refused',
    world: { [PROJECTS]: refusal(503, 'Shutting down') },
    code: 'incus',
  },
  { name: 'the operations are refused', world: { [OPERATIONS]: refusal(500, 'no') }, code: 'incus' },
  {
    name: 'it is LXD that answers',
    world: { '/1.0': sync({ ...SERVER, environment: { ...ENVIRONMENT, server: 'lxd' } }) },
    code: 'not-incus',
  },
  {
    name: 'nothing says which extensions it has',
    world: { '/1.0': sync({ ...SERVER, api_extensions: null }) },
    code: 'bad-reply',
  },
  {
    name: 'an instance is in no project',
    world: { [INSTANCES]: sync([instance('web', { project: undefined })]) },
    code: 'bad-reply',
  },
  { name: 'the instances are null', world: { [INSTANCES]: sync(null) }, code: 'bad-reply' },
]

test.each(unreadable)('there is no inventory at all when $name', async ({ world, code }) => {
  expect(await read(world)).toMatchObject({ ok: false, error: { code } })
})

test('of an LXD nothing more is asked, and what to do is said', async () => {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const lxd = { ...ENVIRONMENT, server: 'lxd', server_version: '5.0.2' }
  incus.answer = (_, { path }) => ({ ...WORLD, '/1.0': sync({ ...SERVER, environment: lxd }) })[path]
  const engine = createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' })
  const { main } = (await clock.until(engine.inventory({ remotes: ['main'] }))).remotes
  expect(main?.ok === false && main.error.message).toMatch(/not Incus.*lxd 5\.0\.2.*lxd-to-incus/)
  expect(incus.calls.map(({ call }) => call)).toEqual(['GET /1.0'])
})

test('one remote that is away takes nothing from another', async () => {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = (remote, { path }) =>
    remote === 'main' ? WORLD[path] : { error: { code: 'unreachable', message: 'away' } }
  const engine = createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' })
  const { remotes } = await clock.until(engine.inventory({ remotes: ['main', 'backup', 'moon'] }))
  expect(remotes.main?.ok).toBe(true)
  expect(remotes.backup).toMatchObject({ ok: false, error: { code: 'unreachable' } })
  expect(remotes.moon).toMatchObject({ ok: false, error: { code: 'unknown-remote' } })
})

test('operations are read after the snapshots, so that one being made is never taken for complete', async () => {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const world = {
    ...WORLD,
    [INSTANCES]: sync([instance('web')]),
    [volumesOf('fast')]: sync([volume('web')]),
    [ownOf('web')]: sync([]),
  }
  incus.answer = (_, { path }) => world[path]
  await clock.until(
    createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' }).inventory({ remotes: ['main'] }),
  )
  const calls = incus.calls.map(({ call }) => call)
  expect(calls.indexOf(`GET ${OPERATIONS}`)).toBeGreaterThan(calls.indexOf(`GET ${ownOf('web')}`))
})

test('300 instances with 50 snapshots each are condensed, and none is lost', async () => {
  const names = Array.from({ length: 300 }, (_, at) => `i${at}`)
  const rows = names.flatMap((name) => [
    volume(name),
    ...Array.from({ length: 50 }, (_, at) => volume(`${name}/daily-${at}`)),
  ])
  const seen = await see({
    [INSTANCES]: sync(names.map((name) => instance(name))),
    [volumesOf('fast')]: sync(rows),
  })
  expect(seen.instances.every(({ snapshots }) => snapshots?.length === 50)).toBe(true)
})

describe('a server whose volumes hold their snapshots', () => {
  const NEWER = { '/1.0': sync({ ...SERVER, api_extensions: ['instances', 'storage_volume_full'] }) }
  const whole = (name: string, snapshots: unknown, more: object = {}) => ({
    ...{ ...volume(name), snapshots, backups: [], state: { usage: {} }, news: 1 },
    ...more,
  })
  const FULL = '/1.0/storage-pools/fast/volumes/container?recursion=2&all-projects=true'
  const one = (name: string) =>
    `/1.0/storage-pools/fast/volumes/container/${name}?project=default&recursion=1`
  const S1 = { name: 's1', created_at: '2026-11-22T20:00:00.5Z', expires_at: null, description: '' }
  const web = { [INSTANCES]: sync([instance('web')]) }
  const both = { [INSTANCES]: sync([instance('web'), instance('db')]) }

  test('is asked for them in one listing', async () => {
    const seen = await see({ ...NEWER, ...both, [FULL]: sync([whole('web', [S1]), whole('db', [])]) })
    expect(seen.instances.map(({ snapshots }) => snapshots)).toEqual([[['s1', 1_795_377_600]], []])
  })

  test('says null of an instance without snapshots, which counts where the row was read to its end', async () => {
    const seen = await see({ ...NEWER, ...both, [FULL]: sync([whole('web', [S1]), whole('db', null)]) })
    expect(seen.instances[1]?.snapshots).toEqual([])
  })

  const undefinedIsMissing = JSON.parse(JSON.stringify(whole('web', undefined)))
  test.each<[string, Record<string, Answer>, RegExp]>([
    ['its row has none', { [FULL]: sync([undefinedIsMissing]) }, /without its snapshots/],
    [
      'its member gave nothing',
      { [FULL]: sync([whole('web', null, { backups: null, state: null })]) },
      /member may be offline/,
    ],
    ['a snapshot has no name', { [FULL]: sync([whole('web', [S1, { ...S1, name: '' }])]) }, /without a name/],
    [
      'a date is of the year 1',
      { [FULL]: sync([whole('web', [{ ...S1, created_at: '0001-01-01T00:00:00Z' }])]) },
      /without a date/,
    ],
    ['there is no row of it', { [FULL]: sync([whole('db', [S1])]) }, /no volume of it/],
    [
      'no row has any, and its own list has',
      { [FULL]: sync([whole('web', [])]), [ownOf('web')]: sync([S1]) },
      /but web has 1/,
    ],
    [
      'the listing fails, and its volume too',
      { [FULL]: refusal(500, 'db is gone') },
      /can't be read: not found/,
    ],
  ])('leaves an instance unknown when %s', async (_, world, problem) => {
    const [seen] = (await see({ ...NEWER, ...web, ...world })).instances
    expect(seen?.snapshots).toBeNull()
    expect(seen?.problem).toMatch(problem)
  })

  test('takes nothing from the others when one volume fails the listing', async () => {
    const seen = await see({
      ...{ ...NEWER, ...both, [FULL]: refusal(500, 'Failed getting the usage of db') },
      [one('web')]: sync(whole('web', [S1])),
      [one('db')]: refusal(500, 'Failed getting the usage of db'),
    })
    expect(seen.instances.map(({ snapshots }) => snapshots?.length)).toEqual([1, undefined])
    expect(seen.instances[1]?.problem).toMatch(/its volume can't be read: Failed getting the usage/)
  })

  test('is asked 40 s at most for volumes one by one', async () => {
    const clock = createVirtualClock()
    const incus = createFakeIncus(clock)
    const names = Array.from({ length: 100 }, (_, at) => `i${at}`)
    const listing = {
      [INSTANCES]: sync(names.map((name) => instance(name))),
      [FULL]: refusal(500, 'a member is going'),
    }
    incus.answer = (_, { path }) => ({ ...WORLD, ...NEWER, ...listing })[path] ?? refusal(500, 'gone')
    const slow = {
      request: async (...[remote, wanted, options]: Parameters<typeof incus.request>) => {
        if (wanted.path.includes('/volumes/container/'))
          await new Promise<void>((go) => void clock.after(10_000, go))
        return incus.request(remote, wanted, options)
      },
    }
    const engine = createEngine({ upstream: slow, clock, remotes: REMOTES, secret: 's' })
    const began = clock.now()
    const { main } = (await clock.until(engine.inventory({ remotes: ['main'] }))).remotes
    expect(clock.now() - began).toBeLessThanOrEqual(50_000)
    expect(
      main?.ok === true &&
        main.inventory.instances.every(({ snapshots, problem }) => snapshots === null && problem),
    ).toBeTruthy()
  })
})

test('dates that the volumes lack come from the instance’s own list', async () => {
  const undated = [volume('web'), volume('web/s1', '0001-01-01T00:00:00Z'), volume('web/s2')]
  const own = ['s1', 's2'].map((name) => ({ name, created_at: '2026-11-22T20:00:00Z' }))
  const world = { [INSTANCES]: sync([instance('web')]), [volumesOf('fast')]: sync(undated) }
  const seen = await see({ ...world, [ownOf('web')]: sync(own) })
  expect(seen.instances[0]).toMatchObject({
    snapshots: [
      ['s1', 1_795_377_600],
      ['s2', 1_795_377_600],
    ],
  })
  expect(seen.instances[0]).not.toHaveProperty('problem')
})

test('of many instances without snapshots a few are asked, those with marks of ours first', async () => {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const mark = {
    config: { 'user.stapes.verified': 's1@7' },
    expanded_config: { 'user.stapes.verified': 's1@7' },
  }
  const names = Array.from({ length: 100 }, (_, at) => `i${at}`)
  const world: Record<string, Answer> = {
    ...WORLD,
    [INSTANCES]: sync(names.map((name) => instance(name, name === 'i99' ? mark : {}))),
    [volumesOf('fast')]: sync(names.map((name) => volume(name))),
  }
  const ask = async (own: Answer) => {
    incus.calls.length = 0
    incus.answer = (_, { path }) => world[path] ?? (path === ownOf('i99') ? own : sync([]))
    const engine = createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' })
    const { main } = (await clock.until(engine.inventory({ remotes: ['main'] }))).remotes
    if (main?.ok !== true) throw new Error('no inventory')
    return main.inventory.instances.filter(({ snapshots }) => snapshots === null).length
  }
  expect(await ask(sync([]))).toBe(0)
  expect(incus.calls.filter(({ call }) => call.includes('/snapshots?'))).toHaveLength(32)
  expect(await ask(sync([{ name: 's1', created_at: '2026-11-22T20:00:00Z' }]))).toBe(100 - 31)
})

describe('how far a server’s clock is off', () => {
  const AT = Date.parse('2026-11-22T03:00:00Z')

  test.each<[string, number, number, number]>([
    ['shows the same', 300, 350, 0],
    ['shows a moment of a slow answer', 0, 59_000, 0],
    ['has shown the second that was going on when it was asked', 999, 1500, 0],
    ['is behind', 5_400_500, 5_400_700, -5399],
    ['is ahead', -7_200_000, -7_199_500, 7199],
  ])('is told in seconds where it %s', (_, asked, answered, skew) => {
    expect(skewOf(AT, AT + asked, AT + answered)).toBe(skew)
  })

  test.each<[string, number | undefined, object]>([
    ['two hours behind', AT - 7_200_000, { skew: -7199 }],
    ['a day ahead', AT + 86_400_000, { skew: 86_400 }],
    ['half a minute ahead, which is no matter', AT + 30_000, {}],
    ['of which the server says nothing', undefined, {}],
  ])('stands in the inventory: %s', async (_, date, skew) => {
    const { server } = await see({ '/1.0': { ...sync(SERVER), ...(date === undefined ? {} : { date }) } })
    expect(server).toEqual({ fingerprint: 'ab12', version: '6.0.4', clustered: false, ...skew })
  })
})
