/** New custom volumes of snapshots, in the whole product: whatever is killed, they are whole or gone, and nothing else changes. */
import { describe, expect, test } from 'vitest'
import type { Cloning, Step } from '../../shared/relay/steps.ts'
import { addCustom, customOf } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, seedInstance, writeVolume } from '../emulator/scene.ts'
import { type Custom, findPool } from '../emulator/state.ts'
import { ask, attack, type Ran } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
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

  test('from its copy, or onto another server, with the command that does so', async () => {
    const world = await begin('6.0.4', true)
    const asked = [await clone(world, { from: 'backup' }), await clone(world, { remote: 'backup' })]
    for (const { refusal } of asked) expect(refusal?.reason).toContain('incus storage volume copy')
    const back = { do: 'bring-back', snapshot: undefined, as: undefined }
    expect((await clone(world, back)).refusal?.reason).toContain(
      'incus storage volume copy backup:default/data main:default/data-restored',
    )
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
