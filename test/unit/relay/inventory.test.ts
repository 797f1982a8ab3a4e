import { describe, expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
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

const SERVER = {
  auth: 'trusted',
  environment: { certificate_fingerprint: 'ab12', server_version: '6.0.4', server_clustered: false },
}

/** What a healthy server with nothing on it says; a test replaces what it is about. */
const WORLD: Record<string, Answer> = {
  '/1.0': sync(SERVER),
  '/1.0/projects': sync(['/1.0/projects/default', '/1.0/projects/prod']),
  '/1.0/instances?recursion=1&all-projects=true': sync([]),
  '/1.0/operations?recursion=1&all-projects=true': sync({}),
}
const INSTANCES = '/1.0/instances?recursion=1&all-projects=true'
const OPERATIONS = '/1.0/operations?recursion=1&all-projects=true'
const volumesOf = (pool: string, type = 'container') =>
  `/1.0/storage-pools/${pool}/volumes/${type}?recursion=1&all-projects=true`

async function read(world: Record<string, Answer>): Promise<RemoteReply> {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const all = { ...WORLD, ...world }
  incus.answer = (_, { path }) => all[path] ?? refusal(404, `not found: ${path}`)
  const reply = await clock.until(
    createEngine({ upstream: incus, clock, remotes: REMOTES }).inventory({ remotes: ['main'] }),
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
  }

  test('come by the pool, for those that instances live in', async () => {
    const [fast, slow] = ['/1.0/storage-pools/fast', '/1.0/storage-pools/slow']
    expect((await see({ ...world, [fast]: pool('zfs'), [slow]: pool('dir') })).pools).toEqual({ fast: 'zfs' })
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
    const engine = createEngine({ upstream: incus, clock, remotes: REMOTES })
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
    name: 'a row has no date',
    world: {
      [INSTANCES]: sync([instance('web')]),
      [volumesOf('fast')]: sync([volume('web'), volume('web/s1', '')]),
    },
    problem: /another form/,
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
    world: { '/1.0/projects': refusal(503, 'Shutting down') },
    code: 'incus',
  },
  { name: 'the operations are refused', world: { [OPERATIONS]: refusal(500, 'no') }, code: 'incus' },
  { name: 'the instances are null', world: { [INSTANCES]: sync(null) }, code: 'bad-reply' },
]

test.each(unreadable)('there is no inventory at all when $name', async ({ world, code }) => {
  expect(await read(world)).toMatchObject({ ok: false, error: { code } })
})

test('one remote that is away takes nothing from another', async () => {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = (remote, { path }) =>
    remote === 'main' ? WORLD[path] : { error: { code: 'unreachable', message: 'away' } }
  const engine = createEngine({ upstream: incus, clock, remotes: REMOTES })
  const { remotes } = await clock.until(engine.inventory({ remotes: ['main', 'backup', 'moon'] }))
  expect(remotes.main?.ok).toBe(true)
  expect(remotes.backup).toMatchObject({ ok: false, error: { code: 'unreachable' } })
  expect(remotes.moon).toMatchObject({ ok: false, error: { code: 'unknown-remote' } })
})

test('operations are read after the snapshots, so that one being made is never taken for complete', async () => {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const world = { ...WORLD, [INSTANCES]: sync([instance('web')]), [volumesOf('fast')]: sync([volume('web')]) }
  incus.answer = (_, { path }) => world[path]
  await clock.until(
    createEngine({ upstream: incus, clock, remotes: REMOTES }).inventory({ remotes: ['main'] }),
  )
  const calls = incus.calls.map(({ call }) => call)
  expect(calls.indexOf(`GET ${OPERATIONS}`)).toBeGreaterThan(calls.indexOf(`GET ${volumesOf('fast')}`))
})

test('300 instances with 50 snapshots each are condensed in a fraction of a second', async () => {
  const names = Array.from({ length: 300 }, (_, at) => `i${at}`)
  const rows = names.flatMap((name) => [
    volume(name),
    ...Array.from({ length: 50 }, (_, at) => volume(`${name}/daily-${at}`)),
  ])
  const began = performance.now()
  const seen = await see({
    [INSTANCES]: sync(names.map((name) => instance(name))),
    [volumesOf('fast')]: sync(rows),
  })
  expect(performance.now() - began).toBeLessThan(300)
  expect(seen.instances.every(({ snapshots }) => snapshots?.length === 50)).toBe(true)
})
