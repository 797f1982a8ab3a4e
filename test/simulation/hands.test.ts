/** What people, other tools, upgrades and a second installation do to both servers; no good copy is lost by it. */

import { describe, expect, test } from 'vitest'
import { hasData, instanceOf, readMarker, seedInstance, write } from '../emulator/scene.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { nextMinute } from './passing.ts'
import { createWorld, type Installed, type Ticked, type World } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const WEB = { name: 'web' }
const KEY = 'main/default/web>backup/default/web'

type Scene = {
  world: World
  /** So many minutes, a tick in each; all that was told as a problem. */
  pass(minutes: number, others?: readonly Installed[]): Promise<string[]>
  /** Until its newest snapshot is verified on the copy. */
  verified(): Promise<void>
  /** Names on the backup server, each with whether it holds data. */
  copies(): Record<string, boolean>
  call(incus: EmbeddedIncus, method: string, path: string, body?: unknown): Promise<void>
}

const problemsOf = (ran: Ticked): string[] =>
  'threw' in ran ? [`threw ${ran.threw}`] : 'problems' in ran ? ran.problems : []

async function begin(
  policy: object = {},
  drivers: { main: 'btrfs' | 'dir'; backup: 'btrfs' | 'dir' } = { main: 'btrfs', backup: 'dir' },
): Promise<Scene> {
  const world = createWorld({ start, drivers })
  const { incus, clock } = world
  write(seedInstance(incus.main, { ...WEB, running: true }), 'web 0', 60e6)
  await world.apply({
    defaults: { remotes: ['main'] },
    policies: {
      q: { schedule: '*/15 * * * *', keep: { last: 8 }, copy: { remote: 'backup' }, ...policy },
    },
  })
  let turn = 0
  const scene: Scene = {
    world,
    async pass(minutes, others = []) {
      const told = new Set<string>()
      for (let minute = 0; minute < minutes; minute++) {
        const at = nextMinute(world)
        if (minute % 7 === 0 && incus.main.state.projects.get('default')?.instances.has('web') === true)
          write(instanceOf(incus.main, WEB), `web ${++turn}`, 60e6)
        for (const problem of problemsOf(await world.tick(at))) told.add(problem)
        for (const other of others)
          for (const problem of problemsOf(await other.tick(at))) told.add(`other: ${problem}`)
      }
      return [...told]
    },
    async verified() {
      await scene.pass(17)
      expect(copiesOf(ledgerIn(world))[KEY]?.state).toBe('verified')
    },
    copies() {
      const names = instanceOf(incus.backup, WEB).snapshots.keys()
      return Object.fromEntries([...names].map((name) => [name, hasData(incus.backup, WEB, name)]))
    },
    async call(on, method, path, body) {
      const { status } = await on.handle({ method, path, body } as Parameters<typeof on.handle>[0])
      expect(status).toBeLessThan(400)
      await clock.advance(clock.now() + 2000)
    },
  }
  return scene
}

/** One whose copy went on for so many minutes after it was first verified, and what it had then. */
async function beginVerified(minutes: number): Promise<Scene & { before: Record<string, boolean> }> {
  const scene = await begin()
  await scene.verified()
  await scene.pass(minutes)
  return { ...scene, before: scene.copies() }
}

const marks = (world: World): string =>
  instanceOf(world.incus.backup, WEB).config['user.stapes.verified'] ?? ''

/** What the copy's mark calls verified holds data. */
function expectHonest({ world, copies }: Scene): void {
  const held = copies()
  for (const entry of marks(world)
    .split(' ')
    .filter((one) => one !== ''))
    expect([entry, held[entry.slice(0, entry.lastIndexOf('@'))] ?? true]).toEqual([entry, true])
}

describe('the mark of what was verified', () => {
  test('is erased: the next transfer sets it again, and nothing is lost', async () => {
    const scene = await beginVerified(30)
    const { world, pass, copies, call, before } = scene
    await call(world.incus.backup, 'PATCH', '/1.0/instances/web', { config: { 'user.stapes.verified': '' } })
    await pass(32)
    expect(Object.keys(copies())).toEqual(expect.arrayContaining(Object.keys(before)))
    expect(marks(world).split(' ').length).toBe(Object.keys(copies()).length)
    expectHonest(scene)
  })

  test('is erased and the ledger is lost: all stays as it is, for days, and that is told', async () => {
    const scene = await beginVerified(30)
    const { world, pass, copies, call, before } = scene
    await call(world.incus.backup, 'PATCH', '/1.0/instances/web', { config: { 'user.stapes.verified': '' } })
    world.kv.wipe(['ledger'])
    world.relay.restart()
    const told = await pass(24 * 60)
    expect(copies()).toEqual(before)
    expect(told.join('\n')).toContain('it is not known whether any snapshot of the copy was ever verified')
  })
})

test('the copy was made when the source’s server had another certificate: it goes on, under the one of now', async () => {
  const scene = await begin()
  const { world, pass, verified, copies, call } = scene
  const server = () => instanceOf(world.incus.backup, WEB).config['user.stapes.replica-of.server'] ?? ''
  await verified()
  const now = server()
  const before = copies()
  const config = { 'user.stapes.replica-of.server': 'e'.repeat(64) }
  await call(world.incus.backup, 'PATCH', '/1.0/instances/web', { config })
  await pass(32)
  expect(server()).toBe(now)
  expect(Object.keys(copies())).toEqual(expect.arrayContaining(Object.keys(before)))
  expect(Object.keys(copies()).length).toBeGreaterThan(Object.keys(before).length)
  expectHonest(scene)
})

describe('the backup server is upgraded from 6.0.4 to 7.0.2', () => {
  test('in the life of a copy: it goes on, and what was verified stays', async () => {
    const scene = await beginVerified(30)
    const { world, pass, copies, before } = scene
    world.incus.backup.upgrade('7.0.2')
    await pass(47)
    expect(Object.keys(copies())).toEqual(expect.arrayContaining(Object.keys(before)))
    expect(copiesOf(ledgerIn(world))[KEY]?.state).toBe('verified')
    expectHonest(scene)
    world.incus.main.upgrade('7.0.2')
    await pass(47)
    expect(copiesOf(ledgerIn(world))[KEY]?.state).toBe('verified')
    expectHonest(scene)
  })
})

describe('a second installation with the same configuration', () => {
  const document = {
    defaults: { remotes: ['main'] },
    policies: { q: { schedule: '*/15 * * * *', keep: { last: 8 }, copy: { remote: 'backup' } } },
  }
  test.each(['other', 'key'])(
    'and the key %s: no partial snapshot is called verified, and one of them says so',
    async (kin) => {
      const scene = await begin()
      const { world, pass, copies } = scene
      const other = world.install(kin)
      await other.apply(document)
      world.incus.main.bandwidth = 1e6
      const told = await pass(16, [other])
      for (let death = 0; death < 3; death++) {
        for (let minute = 0; minute < 300 && world.incus.backup.transfers.size === 0; minute++)
          told.push(...(await pass(1, [other])))
        await world.clock.advance(world.clock.now() + 20_000)
        world.incus.backup.kill()
        told.push(...(await pass(2, [other])))
        world.incus.backup.start()
        told.push(...(await pass(20, [other])))
        expectHonest(scene)
      }
      world.incus.main.bandwidth = 100e6
      told.push(...(await pass(120, [other])))
      expectHonest(scene)
      expect(Object.values(copies())).toContain(true)
      expect(told.join('\n')).toContain('another installation of stapes makes this copy')
    },
  )
})

describe('on the backup server', () => {
  test('the copy is replaced by an instance made by hand: nothing of that is touched', async () => {
    const scene = await begin()
    const { world, pass, verified, call } = scene
    const { backup } = world.incus
    await verified()
    await call(backup, 'DELETE', '/1.0/instances/web')
    write(seedInstance(backup, WEB), 'by hand', 1e6)
    for (const name of ['q-20261120T0000Z', 'mine'])
      await call(backup, 'POST', '/1.0/instances/web/snapshots', { name })
    const told = await pass(90)
    const snapshots = [...instanceOf(backup, WEB).snapshots.values()]
    expect(snapshots.map(({ name, expires }) => [name, expires.ms])).toEqual([
      ['q-20261120T0000Z', null],
      ['mine', null],
    ])
    expect(told.join('\n')).toContain('and stapes did not make it')
  })

  test('the copy is gone: a new one is made', async () => {
    const scene = await begin()
    await scene.verified()
    await scene.call(scene.world.incus.backup, 'DELETE', '/1.0/instances/web')
    await scene.verified()
    expectHonest(scene)
    expect(Object.values(scene.copies())).toContain(true)
  })
})

describe('on the source', () => {
  test('it was rolled back: the verified copies of what is gone there stay, and that is told', async () => {
    const { world, pass, copies, call, before } = await beginVerified(45)
    const names = [...instanceOf(world.incus.main, WEB).snapshots.keys()].sort()
    for (const name of names.slice(1))
      await call(world.incus.main, 'DELETE', `/1.0/instances/web/snapshots/${name}`)
    const told = await pass(12 * 60)
    expect(copies()).toEqual(before)
    expect(told.join('\n')).toContain('was the source rolled back or replaced?')
  })

  test('a snapshot is named for the future: copies go on', async () => {
    const { world, pass, verified, call } = await begin()
    await call(world.incus.main, 'POST', '/1.0/instances/web/snapshots', { name: 'q-20990101T0000Z' })
    await verified()
    await pass(60)
    expect(instanceOf(world.incus.backup, WEB).snapshots.size).toBeGreaterThan(3)
    expect(copiesOf(ledgerIn(world))[KEY]?.state).toBe('verified')
  })

  test('snapshots have names that no request can hold: copies go on', async () => {
    const scene = await begin()
    const { world, pass, verified } = scene
    const instance = instanceOf(world.incus.main, WEB)
    for (const name of ['fifty', 'CORP']) {
      await scene.call(world.incus.main, 'POST', '/1.0/instances/web/snapshots', { name })
      const made = instance.snapshots.get(name)
      if (made === undefined) throw new Error('it was not made')
      instance.snapshots.delete(name)
      const odd = name === 'fifty' ? '50%' : 'CORP\\before'
      instance.snapshots.set(odd, Object.assign(made, { name: odd }))
    }
    await verified()
    await pass(60)
    expect(copiesOf(ledgerIn(world))[KEY]?.state).toBe('verified')
    expectHonest(scene)
  })
})

describe('main is gone for good', () => {
  test('the copy still has its newest verified snapshot, whatever copy.expiry says', async () => {
    const { world, pass, verified, copies } = await begin({ copy: { remote: 'backup', expiry: '5M' } })
    await verified()
    await pass(32)
    world.incus.main.kill()
    await pass(24 * 60)
    const left = Object.keys(copies())
    expect(left.length).toBeGreaterThan(0)
    expect(readMarker(world.incus.backup, WEB, left.at(-1))).not.toBeNull()
  })
})

describe('the backup server is away for longer than snapshots last', () => {
  test('copying goes on when it is back, without anybody’s help', async () => {
    const scene = await begin({ expiry: '1d' })
    const { world, pass, verified } = scene
    await verified()
    world.incus.backup.kill()
    await pass(4 * 24 * 60)
    world.incus.backup.start()
    await pass(5 * 60)
    expect(copiesOf(ledgerIn(world))[KEY]?.state).toBe('verified')
    expectHonest(scene)
  })
})

describe('policies without a minute of rest', () => {
  test.each([
    ['one with a slot each minute', { q: '* * * * *' }],
    ['two that take turns', { even: '*/2 * * * *', odd: '1-59/2 * * * *' }],
  ])('%s: its copies are made', async (_, schedules) => {
    const { world, pass } = await begin()
    await world.clock.advance(world.clock.now() + 2000)
    await world.apply({
      defaults: { remotes: ['main'] },
      policies: Object.fromEntries(
        Object.entries(schedules).map(([name, schedule]) => [
          name,
          { schedule, keep: { last: 3 }, copy: { remote: 'backup' } },
        ]),
      ),
    })
    await pass(42)
    expect(copiesOf(ledgerIn(world))[KEY]).toMatchObject({ attempts: 0, newest: expect.any(String) })
    expect(instanceOf(world.incus.backup, WEB).snapshots.size).toBeGreaterThan(1)
  })
})
