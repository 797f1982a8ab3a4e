/** Snapshots on request with a name, an end or the memory; and other names and descriptions for what is there. */
import { describe, expect, test } from 'vitest'
import { addCustom } from '../emulator/custom.ts'
import { instanceOf, seedInstance } from '../emulator/scene.ts'
import { ask, attack } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { begin, NAME, web } from './undo-scene.ts'
import { createWorld, type World } from './world.ts'

const POLICY = { keep: { last: 999 } }
const COPIED = { ...POLICY, copy: { remote: 'backup' } }
const names = (world: World): string[] => [...web(world).snapshots.keys()]
const foreign = (world: World): string[] => names(world).filter((name) => !name.startsWith('hourly-'))
const take = (world: World, more: object) => ask(world, { do: 'snapshot', instances: ['web'], ...more })
const said = async (ran: ReturnType<typeof ask>): Promise<string> => JSON.stringify(await ran)

describe('a snapshot on request', () => {
  test('gets its name and its end, and no rule counts or removes it', async () => {
    const world = await begin({ keep: { last: 2 } })
    const ran = await take(world, { name: 'before-upgrade', expiry: '7d' })
    expect(ran.results).toMatchObject([{ line: { sign: '+', what: 'before-upgrade' }, state: 'done' }])
    expect(foreign(world)).toEqual(['before-upgrade'])
    const end = web(world).snapshots.get('before-upgrade')?.expires.ms ?? 0
    expect(Math.abs(end - world.clock.now() - 7 * 24 * HOUR)).toBeLessThan(5 * MINUTE)
    await pass(world, 5 * HOUR, 15 * MINUTE)
    expect(foreign(world)).toEqual(['before-upgrade'])
    expect(names(world)).toHaveLength(4)
  })

  test('is taken though there is another one of this minute, and only once under its name', async () => {
    const world = await begin(POLICY)
    await take(world, {})
    expect((await take(world, {})).results).toEqual([])
    await take(world, { name: 'gold' })
    expect(foreign(world)).toHaveLength(2)
    expect((await take(world, { name: 'gold' })).refusal?.reason).toContain('already')
    expect(foreign(world)).toHaveLength(2)
  })

  test('never ends where that is wanted, whatever the policy says', async () => {
    const world = await begin({ ...POLICY, manual: { expiry: '2d' } })
    await take(world, { expiry: null })
    expect(foreign(world)).toHaveLength(1)
    expect(web(world).snapshots.get(foreign(world)[0] ?? '')?.expires.ms).toBeNull()
  })

  test('takes no name that another one has, unless that is to be used again: then both stay', async () => {
    const world = await begin(POLICY)
    await take(world, { name: 'gold' })
    const first = web(world).snapshots.get('gold')?.createdAt
    await pass(world, 2 * MINUTE)
    const again = await take(world, { name: 'gold' })
    expect(again.refusal?.reason).toContain('it has a snapshot "gold" already')
    const reused = await take(world, { name: 'gold', reuse: true })
    expect(reused.results).toMatchObject([{ state: 'done' }])
    expect(foreign(world).sort()).toEqual(['gold', 'gold.20261120T0410Z'])
    expect(web(world).snapshots.get('gold.20261120T0410Z')?.createdAt).toBe(first)
  })

  test('that could not be taken leaves the one that is called so as it is', async () => {
    const world = await begin(POLICY)
    await take(world, { name: 'gold' })
    await pass(world, 2 * MINUTE)
    world.incus.main.faults = ({ method, path }) =>
      method === 'POST' && path.includes('/web/snapshots?') ? { operation: 'No space left on device' } : null
    const ran = await take(world, { name: 'gold', reuse: true })
    expect(ran.results[0]?.state).not.toBe('done')
    expect(foreign(world)).toEqual(['gold'])
  })

  test.each([
    ['what has no memory to keep', { stateful: true }, /migration\.stateful=true/],
    [
      'a name of stapes',
      { name: 'hourly-20261120T0200Z', reuse: true },
      /form of the names that stapes itself gives/,
    ],
  ])('is refused of %s', async (_, more, why) => {
    const world = await begin(POLICY)
    expect((await take(world, more)).refusal?.reason ?? '').toMatch(why)
    expect(foreign(world)).toEqual([])
  })

  test('with a name that its copy has is not used again: the copy would lose the former one', async () => {
    const world = await begin(COPIED)
    await take(world, { name: 'gold' })
    await pass(world, 2 * HOUR)
    expect(instanceOf(world.incus.backup, { name: 'web' }).snapshots.has('gold')).toBe(true)
    const ran = await take(world, { name: 'gold', reuse: true })
    expect(ran.refusal?.reason).toContain('backup/default/web has it, too')
  })
})

describe('another name', () => {
  const rename = (world: World, snapshot: string, to: string) =>
    ask(world, { do: 'rename', instance: 'web', snapshot, to })

  test('is given to one on request, and keeps its date', async () => {
    const world = await begin(POLICY)
    await take(world, {})
    const [manual = ''] = foreign(world)
    const made = web(world).snapshots.get(manual)?.createdAt
    expect((await rename(world, manual, 'gold')).results).toMatchObject([{ state: 'done' }])
    expect(foreign(world)).toEqual(['gold'])
    expect(web(world).snapshots.get('gold')?.createdAt).toBe(made)
  })

  test('is not given to that of a slot, to a held one, or to what its copy has', async () => {
    const world = await begin(COPIED)
    expect(await said(rename(world, NAME, 'gold'))).toContain('that of a slot of hourly')
    await take(world, { name: 'gold' })
    await ask(world, { do: 'hold', instance: 'web', snapshot: 'gold', note: 'x' })
    expect(await said(rename(world, 'gold', 'silver'))).toContain('it is held by it')
    await ask(world, { do: 'release', instance: 'web', snapshot: 'gold' })
    await pass(world, 2 * HOUR)
    expect(await said(rename(world, 'gold', 'silver'))).toContain('backup/default/web has it, too')
    world.incus.backup.kill()
    expect(await said(rename(world, 'gold', 'silver'))).toContain('gives no answer')
    expect(foreign(world)).toEqual(['gold'])
  })

  test('makes nothing removable, whoever asks the relay', async () => {
    const world = await begin(COPIED)
    await take(world, { name: 'gold' })
    const at = { project: 'default', instance: 'web' }
    const step = { do: 'rename', snapshot: 'gold', to: 'silver', createdAt: null } as const
    const main = { remote: 'main', ...at }
    expect(await attack(world, [{ ...step, ref: main, to: 'manual-20261120T0100Z' }])).toMatch(
      /form of the names/,
    )
    expect(await attack(world, [{ ...step, ref: main, snapshot: NAME }])).toMatch(/that of a slot/)
    expect(await attack(world, [{ ...step, ref: main, createdAt: 5 }])).toMatch(
      /another one is called so now/,
    )
    expect(await attack(world, [{ ...step, ref: { remote: 'backup', ...at } }])).toMatch(
      /only a backup target/,
    )
    expect(foreign(world)).toEqual(['gold'])
  })
})

test('a description is not for an instance, of whose snapshots Incus keeps none', async () => {
  const world = await begin(POLICY)
  const asked = ask(world, { do: 'describe', instance: 'web', snapshot: NAME, text: 'x' })
  expect(await said(asked)).toContain('hold it with a note instead')
})

describe('the memory', () => {
  const START = new Date('2026-11-20T00:00:30Z')
  const config = { 'migration.stateful': 'true' }

  /** The embedded Incus lacks CRIU, so it refuses that of a container. */
  async function passed(stateful: unknown, type: 'container' | 'virtual-machine', set = config) {
    const world = createWorld({ start: START })
    seedInstance(world.incus.main, { name: 'web', running: true, type, config: set })
    const policy = { remotes: ['main'], schedule: '@hourly', keep: { last: 9 }, stateful }
    await world.apply({ policies: { hourly: policy } })
    await pass(world, 20 * MINUTE)
    return [...web(world).snapshots.values()].map((one) => one.stateful)
  }

  test('is kept where it can be, and else there is a snapshot without it, where the policy says so', async () => {
    expect(await passed('possible', 'virtual-machine')).toEqual([true])
    expect(await passed('possible', 'container')).toEqual([false])
    expect(await passed('possible', 'virtual-machine', {} as typeof config)).toEqual([false])
    expect(await passed(true, 'container')).toEqual([])
  })
})

test('a snapshot of a custom volume gets another name and a description, and keeps its end', async () => {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z') })
  addCustom(world.incus.main, { pool: 'default', project: 'default', name: 'db' })
  const select = { remotes: ['main'], volumes: ['default:*'] }
  await world.apply({ policies: { hourly: { select, schedule: '@hourly', expiry: '7d' } } })
  await pass(world, 5 * MINUTE)
  await ask(world, { do: 'snapshot', instances: ['default:db'], name: 'gold', expiry: '3d' })
  const one = { instance: 'default:db', snapshot: 'gold' }
  const snapshots = () => world.incus.main.state.pools.get('default')?.volumes.get('default/db')?.snapshots
  const end = snapshots()?.get('gold')?.expires.ms
  await ask(world, { do: 'describe', ...one, text: 'before the upgrade' })
  await ask(world, { do: 'rename', ...one, to: 'silver' })
  expect(snapshots()?.get('silver')).toMatchObject({
    description: 'before the upgrade',
    expires: { ms: end },
  })
  expect(snapshots()?.has('gold')).toBe(false)
})
