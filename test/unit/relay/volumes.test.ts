/** Custom volumes as the relay lists them, and what it never does to them. */
import { describe, expect, test } from 'vitest'
import { allowBody, allowRoute } from '../../../relay/engine/allow.ts'
import { runCalls } from '../../../relay/engine/call-list.ts'
import { createEngine } from '../../../relay/engine/engine.ts'
import type { RemoteInventory } from '../../../shared/incus/inventory.ts'
import { type IncusRequest, request } from '../../../shared/incus/routes.ts'
import { callIo } from './call-io.ts'
import { type Answer, createFakeIncus, refusal, sync } from './fake-incus.ts'
import { createVirtualClock } from './virtual-clock.ts'

const CREATED = '2026-11-22T20:19:15.821638194Z'
const SECONDS = Date.parse('2026-11-22T20:19:15Z') / 1000

const custom = (name: string, more: object = {}): object => ({
  ...{ name, project: 'default', type: 'custom', content_type: 'filesystem', location: 'none' },
  ...{ created_at: CREATED, config: {}, used_by: [], description: '', ...more },
})

const instance = (name: string, volume: object, project = 'default'): object => ({
  ...{
    name,
    project,
    type: 'container',
    status: 'Running',
    location: 'none',
    config: {},
    expanded_config: {},
  },
  expanded_devices: {
    root: { type: 'disk', path: '/', pool: 'fast' },
    v: { type: 'disk', path: '/v', ...volume },
  },
})

const serverOf = (nested: boolean) =>
  sync({
    auth: 'trusted',
    environment: { server: 'incus', certificate_fingerprint: 'ab12', server_version: '6.0.4' },
    api_extensions: nested ? ['storage_volume_full'] : [],
  })

const listing = (recursion: number, pool = 'fast') =>
  `/1.0/storage-pools/${pool}/volumes/custom?recursion=${recursion}&all-projects=true`
const ownList = (volume: string, pool = 'fast') =>
  `/1.0/storage-pools/${pool}/volumes/custom/${volume}/snapshots?project=default&recursion=1`

async function see(world: Record<string, Answer>, nested = false): Promise<RemoteInventory> {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const all: Record<string, Answer> = {
    '/1.0': serverOf(nested),
    '/1.0/projects?recursion=1': sync([{ name: 'default' }, { name: 'prod' }]),
    '/1.0/instances?recursion=1&all-projects=true': sync([]),
    '/1.0/operations?recursion=1&all-projects=true': sync({}),
    '/1.0/storage-pools': sync(['/1.0/storage-pools/fast']),
    ...world,
  }
  incus.answer = (_, { path }) => all[path] ?? refusal(404, `not found: ${path}`)
  const engine = createEngine({ upstream: incus, clock, remotes: { main: { address: 'a' } }, secret: 's' })
  const reply = (await clock.until(engine.inventory({ remotes: ['main'], volumes: true }))).remotes.main
  return reply?.ok === true ? reply.inventory : expect.fail(JSON.stringify(reply))
}

const volumesIn = ({ instances }: RemoteInventory) => instances.filter(({ type }) => type === 'volume')

test('a volume is condensed to its marks, its users and its snapshots', async () => {
  const rows = [custom('db', { config: { 'user.stapes.exclude': 'true', size: '1GiB' } }), custom('db/s1')]
  const seen = await see({
    [listing(1)]: sync(rows),
    '/1.0/instances?recursion=1&all-projects=true': sync([instance('web', { pool: 'fast', source: 'db' })]),
  })
  expect(volumesIn(seen)).toEqual([
    {
      ...{ project: 'default', name: 'fast:db', type: 'volume', status: '', location: 'none', pool: 'fast' },
      config: { 'user.stapes.exclude': 'true' },
      own: ['user.stapes.exclude'],
      snapshots: [['s1', SECONDS]],
      identity: { uuid: '2026-11-22T20:19:15_821638194Z', since: SECONDS },
      users: ['default/web'],
    },
  ])
  expect(seen.unlisted).toBeUndefined()
})

test('where a project has no such volume of its own, that of the project default is meant', async () => {
  const seen = await see({
    [listing(1)]: sync([custom('db'), custom('db/s1'), custom('own', { project: 'prod' }), custom('own')]),
    '/1.0/instances?recursion=1&all-projects=true': sync([
      instance('a', { pool: 'fast', source: 'db' }, 'prod'),
      instance('b', { pool: 'fast', source: 'own' }, 'prod'),
    ]),
  })
  const users = volumesIn(seen).map(({ project, name, users: by = [] }) => [`${project}/${name}`, ...by])
  expect(users).toEqual([['default/fast:db', 'prod/a'], ['prod/fast:own', 'prod/b'], ['default/fast:own']])
})

test('what Incus takes no snapshots of says so', async () => {
  const rows = [custom('cd', { content_type: 'iso' }), custom('dep', { config: { dependent: 'true' } })]
  const seen = volumesIn(
    await see({ [listing(1)]: sync(rows), [ownList('cd')]: sync([]), [ownList('dep')]: sync([]) }),
  )
  expect(seen.map(({ unsnapped }) => unsnapped)).toEqual([
    expect.stringContaining('ISO'),
    expect.stringContaining('dependent'),
  ])
})

describe('volumes that are not known are not absent', () => {
  test('of a pool that can’t be listed', async () => {
    const seen = await see({ [listing(1)]: refusal(500, 'the pool is broken') })
    expect(seen.unlisted).toEqual([expect.stringMatching(/pool "fast" can't be listed: the pool is broken/)])
  })

  test('where pools can’t be listed', async () => {
    expect((await see({ '/1.0/storage-pools': refusal(403, 'no') })).unlisted).toHaveLength(1)
  })

  test('of a pool in which one can’t be rendered: each is read by itself', async () => {
    const one = (name: string) => `/1.0/storage-pools/fast/volumes/custom/${name}?project=default&recursion=1`
    const rows = [custom('good'), custom('bad')]
    const whole = { snapshots: [{ name: 's1', created_at: CREATED }], backups: [], state: {} }
    const seen = await see(
      {
        [listing(2)]: refusal(500, 'volume bad is broken'),
        [listing(1)]: sync(rows),
        [one('good')]: sync({ ...custom('good'), ...whole }),
        [one('bad')]: refusal(500, 'broken'),
      },
      true,
    )
    expect(volumesIn(seen).map(({ name, snapshots }) => [name, snapshots])).toEqual([
      ['fast:good', [['s1', SECONDS]]],
      ['fast:bad', null],
    ])
  })

  test('that a pool lists twice, as two members of a cluster may', async () => {
    const [found] = volumesIn(
      await see({ [listing(1)]: sync([custom('db'), custom('db'), custom('db/s1')]) }),
    )
    expect(found).toMatchObject({ snapshots: null, problem: expect.stringContaining('twice') })
  })

  test('that a listing says to have no snapshots, while their own list has some', async () => {
    const own = sync([{ name: 'db/s1', created_at: CREATED, expires_at: null }])
    const [found] = volumesIn(await see({ [listing(1)]: sync([custom('db')]), [ownList('db')]: own }))
    expect(found).toMatchObject({ snapshots: null, problem: expect.stringContaining('lists no snapshot') })
  })

  test('by a name that stapes can’t use', async () => {
    const seen = await see({ [listing(1)]: sync([custom('my data')]) })
    expect(volumesIn(seen)).toEqual([])
    expect(seen.unusable).toEqual([expect.stringContaining('"my data"')])
  })
})

describe('a server that lists nonsense', () => {
  test.each<[string, unknown, RegExp]>([
    ['no list', {}, /another form/],
    ['a row that is none', [7], /another form/],
    ['a row without a name', [custom('')], /another form/],
    ['a row without a project', [custom('db', { project: 7 })], /another form/],
  ])('%s: its volumes are unknown', async (_, rows, why) => {
    expect((await see({ [listing(1)]: sync(rows) })).unlisted).toEqual([expect.stringMatching(why)])
  })

  test.each<[string, object, RegExp]>([
    ['without config', { config: null }, /without its config/],
    ['with a key that is too long', { config: { 'user.stapes.keep': 'x'.repeat(5000) } }, /at most/],
    ['with half a character', { config: { 'user.stapes.keep': '\ud800' } }, /can't be encoded/],
  ])('a volume %s: nothing of it is known', async (_, more, why) => {
    const [found] = volumesIn(await see({ [listing(1)]: sync([custom('db', more), custom('db/s1')]) }))
    expect(found).toMatchObject({ snapshots: null, config: {}, problem: expect.stringMatching(why) })
  })

  test.each(['\u001b[31mred', 'a b', '..', '-rf', 'a>b', '\u202egnp', 'x'.repeat(101)])(
    'a volume called %j is left out, and told without what could do harm',
    async (name) => {
      const seen = await see({ [listing(1)]: sync([custom(name)]) })
      expect(volumesIn(seen)).toEqual([])
      const told = seen.unusable?.join() ?? ''
      expect(['\u001b', '\u202e'].some((sign) => told.includes(sign))).toBe(false)
      expect(told.length).toBeGreaterThan(0)
    },
  )

  test('more names that can’t be used than anybody reads are counted no further', async () => {
    const rows = Array.from({ length: 50_000 }, (_, index) => custom(`bad ${index}`))
    const { unusable = [] } = await see({ [listing(1)]: sync(rows) })
    expect(unusable.length).toBeLessThan(20)
  })

  test('pools by names that no request can have', async () => {
    const seen = await see({
      '/1.0/storage-pools': sync(['/1.0/storage-pools/..', '/1.0/storage-pools/fast']),
    })
    expect(seen.unlisted).toHaveLength(1)
  })
})

test('those of projects that the relay may not see are left out', async () => {
  expect(volumesIn(await see({ [listing(1)]: sync([custom('db', { project: 'secret' })]) }))).toEqual([])
})

test('a snapshot of a volume that is being made is named by its operation', async () => {
  const url = '/1.0/storage-pools/fast/volumes/custom/d%25b'
  const running = {
    ...{ id: 'a1', status_code: 103, description: 'Creating storage volume snapshot', metadata: null },
    resources: {
      storage_volumes: [`${url}?project=prod`, '/1.0/storage-pools/fast/volumes/container/web'],
      storage_volume_snapshots: [`${url}/snapshots/s1?project=prod`],
    },
  }
  const seen = await see({
    [listing(1)]: sync([]),
    '/1.0/operations?recursion=1&all-projects=true': sync({ running: [running] }),
  })
  expect(seen.operations).toMatchObject([
    { project: 'prod', instances: ['fast:d%b'], snapshots: ['fast:d%b/s1'] },
  ])
})

const VOLUME = { pool: 'fast', volume: 'db' }

async function send(
  step: IncusRequest,
  volume: object = {},
  operations: object = {},
): Promise<{ sent: string[]; bodies: unknown[]; ok: boolean }> {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const bodies: unknown[] = []
  incus.answer = (_, { method, path, body }) => {
    if (path.startsWith('/1.0/operations')) return sync(operations)
    if (method === 'GET')
      return sync({ ...custom('db'), description: 'of the shop', expires_at: null, ...volume })
    bodies.push(body)
    return sync({})
  }
  const ran = await clock.until(runCalls([{ remote: 'main', ...step }], callIo(incus, clock)))
  return { sent: incus.calls.map(String), bodies, ok: ran.ok }
}

describe('the relay', () => {
  test('deletes no snapshot of a volume that stapes did not name', async () => {
    const strange = request(
      'deleteVolumeSnapshot',
      { ...VOLUME, snapshot: 'by-hand' },
      { project: 'default' },
    )
    expect(await send(strange)).toMatchObject({ ok: false, bodies: [] })
    const own = { ...VOLUME, snapshot: 'daily-20261122T0300Z' }
    expect((await send(request('deleteVolumeSnapshot', own, { project: 'default' }))).ok).toBe(true)
  })

  test('repeats the description that Incus would forget', async () => {
    const config = { 'user.stapes.hold.s1': 'why' }
    const mark = request('markVolume', VOLUME, { project: 'default' }, { config })
    expect((await send(mark)).bodies).toEqual([{ config, description: 'of the shop' }])
    const expires_at = '2040-01-02T03:04:05Z'
    const patch = request('patchVolumeSnapshot', { ...VOLUME, snapshot: 's1' }, {}, { expires_at })
    expect((await send(patch)).bodies).toEqual([{ expires_at, description: 'of the shop' }])
  })

  test.each([
    { 'user.stapes.exclude': 'true' },
    { 'user.stapes.replica-of.x': 'x' },
    { 'user.stapes.restoring.x': 'x' },
    { 'security.shifted': 'true' },
  ])("sets no key of a volume but its marks and Incus's own schedule: %j", (config) => {
    const { method, path } = request('markVolume', VOLUME)
    const route = allowRoute(method, path)
    expect(route.ok && allowBody(route.value, { config }).ok).toBe(false)
  })

  test('changes no volume but by its marks, and restores', () => {
    const route = allowRoute('PUT', '/1.0/storage-pools/fast/volumes/custom/db')
    const isAllowed = (body: object): boolean => route.ok && allowBody(route.value, body).ok
    expect(isAllowed({ restore: 's1' })).toBe(true)
    expect(isAllowed({ restore: 's1', config: {} })).toBe(false)
    expect(isAllowed({ config: {} })).toBe(false)
  })

  const allows = (name: 'sendVolume' | 'receiveVolume', body: object): boolean => {
    const { method, path } = request(name, name === 'sendVolume' ? VOLUME : { pool: 'fast' })
    const route = allowRoute(method, path)
    return route.ok && allowBody(route.value, body).ok
  }

  test('sends and receives volumes with their snapshots alone: a refresh without would remove those', () => {
    const sent = { name: 'db', migration: true, volume_only: false }
    expect(allows('sendVolume', sent)).toBe(true)
    for (const other of [
      { ...sent, volume_only: true },
      { name: 'db', migration: true },
      { ...sent, Volume_Only: true },
      { name: 'new' },
      { ...sent, pool: 'other' },
    ])
      expect(allows('sendVolume', other)).toBe(false)
    const received = { name: 'db', source: { type: 'migration', mode: 'pull', volume_only: false } }
    expect(allows('receiveVolume', received)).toBe(true)
    for (const source of [
      { ...received.source, volume_only: true },
      { type: 'migration', mode: 'pull' },
      { type: 'copy', name: 'db/s1' },
    ])
      expect(allows('receiveVolume', { ...received, source })).toBe(false)
    expect(allows('receiveVolume', { name: 'db' })).toBe(false)
  })

  const OF = { 'user.stapes.replica-of': 'main/default/fast:db', 'user.stapes.copying': 'x 0' }
  const running = {
    running: [
      {
        ...{ id: 'a1', status_code: 103, description: 'Copying storage volume', metadata: null },
        resources: { storage_volumes: ['/1.0/storage-pools/fast/volumes/custom/db'] },
      },
    ],
  }
  const deletion = request('deleteVolume', VOLUME, { project: 'default' })
  test.each([
    ['that stapes did not make', {}, {}],
    ['that was verified', { config: { ...OF, 'user.stapes.verified': 's1@5' } }, {}],
    ['of which that isn’t known', { config: { 'user.stapes.replica-of': 'main/default/fast:db' } }, {}],
    ['that somebody has attached', { config: OF, used_by: ['/1.0/instances/web'] }, {}],
    ['whose users can’t be read', { config: OF, used_by: null }, {}],
    ['onto which a transfer runs: Incus would let it', { config: OF }, running],
  ])('deletes no volume %s', async (_, volume, operations) => {
    expect(await send(deletion, volume, operations)).toMatchObject({ ok: false, bodies: [] })
  })

  test('deletes a first copy that was never verified, while nothing runs on it and nobody has it', async () => {
    expect((await send(deletion, { config: OF })).ok).toBe(true)
  })

  test('changes the marks of a transfer only while none runs, and deletes others’ snapshots only on a copy', async () => {
    const config = { 'user.stapes.copying': 'x 1', 'user.stapes.owner': '' }
    const mark = request('markVolume', VOLUME, { project: 'default' }, { config })
    expect((await send(mark, { config: OF }, running)).ok).toBe(false)
    expect((await send(mark, { config: OF })).ok).toBe(true)
    const strange = request('deleteVolumeSnapshot', { ...VOLUME, snapshot: 'theirs' }, { project: 'default' })
    expect((await send(strange, { config: OF })).ok).toBe(true)
  })
})
