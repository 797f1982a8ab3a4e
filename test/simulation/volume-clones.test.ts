/** New custom volumes of snapshots, in the whole product: whatever is killed, they are whole or gone, and nothing else changes. */
import { describe, expect, test } from 'vitest'
import type { Cloning, Step } from '../../shared/relay/steps.ts'
import { addCustom, customOf } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, instanceOf, seedInstance, writeVolume } from '../emulator/scene.ts'
import { type Custom, findPool } from '../emulator/state.ts'
import { ask, attack, type Ran } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { countIn, RELAY_KILLED, SERVER_KILLED, type Strike, strikeAt } from './strikes.ts'
import { createWorld, type World } from './world.ts'

const STEP = 2 * MINUTE
const START = new Date('2026-11-20T00:00:30Z')
const KEY = 'main/default/default:data'
const COPYING = 'Copying storage volume'
const SNAPSHOT = 'hourly-20261120T0100Z'

async function begin(version: Version = '6.0.4', copied = false): Promise<World> {
  const world = createWorld({ start: START, versions: { main: version, backup: version } })
  seedInstance(world.incus.main, { name: 'web', running: true })
  attachVolume(world.incus.main, { name: 'web' }, 'data')
  const config = { 'user.for': 'shop', 'snapshots.expiry': '7d', 'volatile.idmap.last': '[1]' }
  Object.assign(on(world), { description: 'of the shop', config })
  writeVolume(world.incus.main, 'data', 'then', 600_000)
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly', select: { instances: [], volumes: ['default:data'] } },
        ...(copied ? { copy: { remote: 'backup' } } : {}),
      },
    },
  })
  await pass(world, HOUR + 10 * MINUTE, STEP)
  on(world).config['volatile.idmap.last'] = '[2]'
  writeVolume(world.incus.main, 'data', 'now', 600_000)
  return world
}

const on = (world: World, name = 'data'): Custom => customOf(world.incus.main, { name })
const isThere = (world: World, name: string): boolean =>
  findPool(world.incus.main.state, 'default').volumes.has(`default/${name}`)

const clone = (world: World, more: object = {}): Promise<Ran> =>
  ask(world, { do: 'clone', instance: KEY, snapshot: SNAPSHOT, as: 'anew', reason: 'by ann', ...more })

describe.each<Version>(['6.0.4', '7.0.2'])('on %s', (version) => {
  test('a volume is made of a snapshot, without marks, and its original stays as it is', async () => {
    const world = await begin(version)
    const before = [...on(world).snapshots.keys()]
    expect((await clone(world)).refusal).toBeNull()
    await pass(world, 5 * MINUTE)
    const made = on(world, 'anew')
    expect([made.disk.marker, made.description, made.content]).toEqual(['then', 'of the shop', 'filesystem'])
    expect(made.config).toEqual({
      'user.for': 'shop',
      'snapshots.expiry': '7d',
      'volatile.idmap.last': '[1]',
    })
    expect(on(world).disk.marker).toBe('now')
    expect([...on(world).snapshots.keys()]).toEqual(before)
    const { conditions } = await statusIn(world)
    expect(JSON.stringify(conditions)).not.toContain('anew')
  })

  test.each([
    ['server', 5],
    ['relay', 5],
    ['relay at once', 5],
    ['relay at once', 25],
  ])(
    'it is made, and nothing is removed meanwhile, where the %s was killed and it takes %i minutes',
    async (what, minutes) => {
      const world = await begin(version)
      const { main } = world.incus
      main.copyMs = minutes * MINUTE - 30_000
      const torn: string[] = []
      world.weather.now = (_, { method, path }) => {
        const isMade = [...main.operations.all()].some(
          (one) => one.description === COPYING && one.state === 103,
        )
        if (method === 'DELETE' && path.includes('/custom/anew') && isMade) torn.push(path)
        return null
      }
      await clone(world)
      // Else the ledger knows the operation, and the relay waits for that.
      if (what === 'relay at once') world.relay.kill()
      await pass(world, MINUTE)
      expect(on(world, 'anew').disk.held).toBe('empty')
      if (what === 'relay') world.relay.restart()
      if (what === 'server') {
        world.incus.main.kill()
        world.incus.main.start()
      }
      await pass(world, (3 * minutes + 25) * MINUTE)
      expect([on(world, 'anew').disk.held, on(world, 'anew').disk.marker]).toEqual(['whole', 'then'])
      expect(torn).toEqual([])
      expect(on(world, 'anew').config).not.toHaveProperty(['user.stapes.restoring-as'])
      expect(on(world).disk.marker).toBe('now')
    },
  )
})

test('into another pool of its server', async () => {
  const world = await begin()
  const pool = findPool(world.incus.main.state, 'default')
  world.incus.main.state.pools.set('big', { ...pool, name: 'big', volumes: new Map() })
  expect((await clone(world, { pool: 'big' })).refusal).toBeNull()
  await pass(world, 5 * MINUTE)
  expect(customOf(world.incus.main, { pool: 'big', name: 'anew' }).disk.marker).toBe('then')
  expect((await clone(world, { pool: 'none' })).refusal?.reason).toContain('there is no storage pool "none"')
})

/** From the backup server, where the snapshots of two slots are verified. */
async function beginCopied(version: Version): Promise<World> {
  const world = await begin(version, true)
  await pass(world, HOUR, STEP)
  on(world).config['user.stapes.hold.by-hand'] = 'x'
  return world
}

const bringBack = (world: World): Promise<Ran> =>
  ask(world, { do: 'bring-back', instance: KEY, reason: 'by ann' })

/** With all its snapshots, and the instance with it. */
function lose(world: World): void {
  const { main } = world.incus
  instanceOf(main, { name: 'web' }).devices = {}
  findPool(main.state, 'default').volumes.delete('default/data')
}

describe.each<Version>(['6.0.4', '7.0.2'])('from the backup server, on %s', (version) => {
  test('a volume is made of one verified snapshot, and has no other', async () => {
    const world = await beginCopied(version)
    const before = [...on(world).snapshots.keys()]
    expect((await clone(world, { from: 'backup' })).refusal).toBeNull()
    await pass(world, 8 * MINUTE)
    const made = on(world, 'anew')
    expect([made.disk.held, made.disk.marker, made.description]).toEqual(['whole', 'then', 'of the shop'])
    expect([...made.snapshots.keys()]).toEqual([])
    expect(made.config).toEqual({
      'user.for': 'shop',
      'snapshots.expiry': '7d',
      'volatile.idmap.last': '[1]',
    })
    expect([...on(world).snapshots.keys()]).toEqual(before)
    expect(on(world).disk.marker).toBe('now')
  })

  test('one that was lost is brought back with all that is verified, and its copies go on', async () => {
    const world = await beginCopied(version)
    const verified = [...customOf(world.incus.backup, { name: 'data' }).snapshots.keys()]
    // As a transfer that was cut off leaves it.
    Object.assign(customOf(world.incus.backup, { name: 'data' }).disk, { held: 'half' })
    lose(world)
    const offered = await ask(world, { do: 'restore', instance: KEY, snapshot: SNAPSHOT, reason: 'x' })
    expect(offered.refusal?.reason).toContain(`/backup bring-back ${KEY}`)
    expect((await bringBack(world)).refusal).toBeNull()
    await pass(world, 10 * MINUTE)
    expect([on(world).disk.held, on(world).disk.marker]).toEqual(['whole', 'now'])
    expect([...on(world).snapshots.keys()]).toEqual(verified)
    expect(Object.keys(on(world).config).filter((key) => key.startsWith('user.stapes.'))).toEqual([])
    await pass(world, 2 * HOUR, STEP)
    const newest = [...on(world).snapshots.keys()].at(-1) ?? ''
    expect(newest).not.toBe(verified.at(-1))
    expect(customOf(world.incus.backup, { name: 'data' }).config['user.stapes.verified']).toContain(newest)
  })
})

describe('at each request to the server', () => {
  const asked = { one: (world: World) => clone(world, { from: 'backup' }), all: bringBack }
  const isOfVolume = (remote: string, { method, path }: { method: string; path: string }): boolean =>
    remote === 'main' && (method !== 'GET' || /volumes\/custom\/|operations\//.test(path))

  test.each<[keyof typeof asked, ...Strike]>([
    ['one', ...RELAY_KILLED],
    ['all', ...RELAY_KILLED],
    ['one', ...SERVER_KILLED],
    [
      'all',
      'the relay is killed, and the ledger is lost',
      ({ relay, kv }) => {
        relay.kill()
        kv.wipe(['ledger'])
      },
    ],
  ])('of %s, where %s: it is whole or gone, and nothing else changes', async (what, how, strike) => {
    const start = async (): Promise<World> => {
      const world = await beginCopied('6.0.4')
      if (what === 'all') lose(world)
      return world
    }
    const name = what === 'all' ? 'data' : 'anew'
    const counted = await start()
    const count = countIn(counted, isOfVolume)
    await asked[what](counted)
    await pass(counted, 2 * MINUTE)
    const requests = count()
    expect(requests).toBeGreaterThan(8)
    for (let struck = 1; struck <= requests; struck++) {
      const world = await start()
      const there = [...customOf(world.incus.backup, { name: 'data' }).snapshots.keys()]
      strikeAt(world, [struck, strike], isOfVolume)
      await asked[what](world)
      await pass(world, 20 * MINUTE)
      if (isThere(world, name)) {
        const { disk, config } = on(world, name)
        expect([struck, disk.held, disk.marker]).toEqual([struck, 'whole', what === 'all' ? 'now' : 'then'])
        expect(config).not.toHaveProperty(['user.stapes.restoring-as'])
      } else expect(how).toContain('ledger')
      const copy = [...customOf(world.incus.backup, { name: 'data' }).snapshots.keys()]
      expect(copy).toEqual(expect.arrayContaining(there))
    }
  })
})

describe('is refused, and nothing is changed', () => {
  test('under a name that another volume has', async () => {
    const world = await begin()
    addCustom(world.incus.main, { pool: 'default', project: 'default', name: 'anew' })
    on(world, 'anew').disk.marker = 'theirs'
    expect((await clone(world)).refusal?.reason).toContain(
      'there is a volume main/default/default:anew already',
    )
    await pass(world, 5 * MINUTE)
    expect(on(world, 'anew').disk.marker).toBe('theirs')
  })

  test('onto a server whose relay’s configuration does not allow that', async () => {
    const world = await begin('6.0.4', true)
    expect((await clone(world, { remote: 'backup' })).refusal?.reason).toContain('set "receives"')
  })

  test('where all of it is to be brought back over it', async () => {
    const world = await begin('6.0.4', true)
    expect((await bringBack(world)).refusal?.reason).toMatch(/default:data exists: restore it in place/)
  })

  test('where the snapshot isn’t verified on the backup server', async () => {
    const world = await begin('6.0.4', true)
    for (const name of [...on(world).snapshots.keys()]) on(world).snapshots.delete(name)
    customOf(world.incus.backup, { name: 'data' }).config['user.stapes.verified'] = ''
    world.kv.wipe(['ledger'])
    world.relay.forget()
    expect((await clone(world, { from: 'backup' })).refusal).not.toBeNull()
    expect(isThere(world, 'anew')).toBe(false)
  })

  test('by a name that Incus or a command would not take', async () => {
    const world = await begin()
    expect((await clone(world, { as: '-x' })).refusal?.reason).toContain('stapes takes no such name')
  })
})

describe('whoever has stolen the signing key', () => {
  const ref = (instance: string, remote = 'main') => ({ remote, project: 'default', instance })
  const cloning = (more: Partial<Cloning>): Step => ({
    ...{ do: 'clone', from: ref('default:data'), snapshot: SNAPSHOT, to: ref('default:anew') },
    ...{ whole: false, start: false, pool: null, transferMode: 'pull', ...more },
  })

  test('replaces no volume, makes no instance of one, and none elsewhere', async () => {
    const world = await begin()
    addCustom(world.incus.main, { pool: 'default', project: 'default', name: 'anew' })
    const answered = await attack(world, [
      cloning({}),
      cloning({ to: ref('default:data') }),
      cloning({ to: ref('new') }),
      cloning({ from: ref('web'), to: ref('default:new') }),
      cloning({ to: ref('default:new', 'backup') }),
      cloning({ whole: true, to: ref('default:new') }),
      cloning({ from: ref('default:data', 'backup'), to: ref('default:data') }),
      cloning({ from: ref('default:data', 'backup'), whole: true, to: ref('default:new') }),
      { do: 'remove-clone', ref: ref('default:data') },
      { do: 'remove-clone', ref: ref('default:anew') },
    ])
    expect(answered).not.toContain('"ok":true')
    expect(on(world).disk.marker).toBe('now')
    expect(isThere(world, 'anew')).toBe(true)
  })

  test('removes none by a mark that the relay did not set, and none that is whole', async () => {
    const world = await begin()
    addCustom(world.incus.main, { pool: 'default', project: 'default', name: 'theirs' })
    on(world, 'theirs').config['user.stapes.restoring-as'] = `${SNAPSHOT} alone stopped making ~x`
    await pass(world, 10 * MINUTE, STEP)
    await clone(world)
    await pass(world, 5 * MINUTE)
    const removals = ['theirs', 'anew'].map(
      (name): Step => ({ do: 'remove-clone', ref: ref(`default:${name}`) }),
    )
    expect(await attack(world, removals)).not.toContain('"ok":true')
    expect([isThere(world, 'theirs'), isThere(world, 'anew')]).toEqual([true, true])
  })
})
