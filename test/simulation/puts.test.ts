import { describe, expect, test } from 'vitest'
import { type Io, planOnly, run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { PutRequest } from '../../shared/work/put/action.ts'
import { newNode, nodesOn, putNode } from '../emulator/disk-files.ts'
import { instanceOf, write } from '../emulator/scene.ts'
import { HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import { KILLED, killAfter } from './strikes.ts'
import { settledRelay } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 36 * HOUR)
const HOURLY = 'hourly-20261120T0600Z'
const DAILY = 'daily-20261120T0300Z'

const file = (text: string, more: object = {}) => ({ ...newNode('file', Buffer.from(text)), ...more })

async function begin(): Promise<Simulation> {
  const simulation = await simulate({ ...usual(start, until), drivers: { main: 'dir', backup: 'dir' } })
  const { world, pass } = simulation
  const web = instanceOf(world.incus.main, { name: 'web' })
  write(web, 'at three', 600e6)
  await pass(new Date('2026-11-20T05:59:00Z'))
  write(web, 'at six', 600e6)
  putNode(web, '/etc', newNode('folder'))
  putNode(web, '/etc/hosts', file('old hosts', { uid: 12, gid: 13, mode: 0o640, modified: 1_600_000_000 }))
  putNode(web, '/etc/ssl', { ...newNode('folder'), mode: 0o700 })
  putNode(web, '/etc/ssl/key', file('old key', { mode: 0o600 }))
  putNode(web, '/etc/mtab', newNode('link', Buffer.from('../proc/mounts')))
  await pass(new Date('2026-11-20T06:15:00Z'))
  // Somebody has damaged it since.
  putNode(web, '/etc/hosts', newNode('link', Buffer.from('/etc/victim')))
  putNode(web, '/etc/victim', file('victim'))
  putNode(web, '/etc/ssl/key', null)
  putNode(web, '/etc/ssl', null)
  putNode(web, '/etc/mtab', file('no link'))
  putNode(web, '/etc/later', file('later'))
  world.incus.main.snapshotMs = 10_000
  return simulation
}

const wish = {
  do: 'put',
  instance: 'main/default/web',
  snapshot: HOURLY,
  path: '/etc',
  reason: 'asked for',
} as const

const ioOf = ({ world }: Simulation): Io => world.places[0] as Io

async function ask(simulation: Simulation, more: Partial<PutRequest> = {}): Promise<Run> {
  const { world } = simulation
  const at = new Date(world.clock.now() + 10_000)
  await world.clock.advance(at)
  return world.clock.settle(run({ kind: 'run', at, request: { ...wish, ...more } }, ioOf(simulation)))
}

const later = ({ world }: Simulation, ms: number): Date => new Date(world.clock.now() + ms)

const nodes = ({ world }: Simulation) => nodesOn(instanceOf(world.incus.main, { name: 'web' }).disk)
const textAt = (simulation: Simulation, path: string) => nodes(simulation).get(path)?.bytes.toString()

const noted = ({ world }: Simulation) =>
  (
    JSON.parse(world.kv.peek('ledger') ?? '{}') as {
      work?: Record<string, { safety: string; state: string }>
    }
  ).work?.['put main/default/web']

/** As the snapshot had it, and what it did not have stays; the state before is in the safety snapshot, and nothing is left. */
function expectBack(simulation: Simulation): void {
  const { world } = simulation
  const now = nodes(simulation)
  expect(now.get('/etc/hosts')).toMatchObject({
    kind: 'file',
    uid: 12,
    gid: 13,
    mode: 0o640,
    modified: 1_600_000_000,
  })
  expect(textAt(simulation, '/etc/hosts')).toBe('old hosts')
  expect(textAt(simulation, '/etc/victim')).toBe('victim')
  expect(now.get('/etc/ssl')).toMatchObject({ kind: 'folder', mode: 0o700 })
  expect(textAt(simulation, '/etc/ssl/key')).toBe('old key')
  expect([now.get('/etc/mtab')?.kind, textAt(simulation, '/etc/mtab')]).toEqual(['link', '../proc/mounts'])
  expect(textAt(simulation, '/etc/later')).toBe('later')
  expect(textAt(simulation, '/marker')).toBe('at six')
  expect([...now.keys()].filter((path) => path.includes('.stapes'))).toEqual([])
  const web = instanceOf(world.incus.main, { name: 'web' })
  expect(web.config['user.stapes.putting']).toBeUndefined()
  const { safety = '' } = noted(simulation) ?? {}
  expect(web.config['user.stapes.restored']).toContain(safety)
  const before = web.snapshots.get(safety)
  expect(before === undefined ? null : nodesOn(before.disk).get('/etc/hosts')?.kind).toBe('link')
}

const temporaries = ({ world }: Simulation): string[] =>
  [...(world.incus.main.state.projects.get('default')?.instances.keys() ?? [])].filter((name) =>
    name.startsWith('stapes-files-'),
  )

describe('files of a snapshot', () => {
  test('are restored, after a snapshot of the state before', async () => {
    const simulation = await begin()
    expect(await ask(simulation)).toMatchObject({
      refusal: null,
      results: [{ state: 'started', line: { sign: '<', what: '/etc' } }],
      started: { puts: ['main/default/web'] },
    })
    await simulation.pass(later(simulation, 3 * MINUTE), 'ticked')
    expect(noted(simulation)).toMatchObject({ state: 'done', path: '/etc' })
    expectBack(simulation)
    await simulation.pass(later(simulation, 2 * HOUR))
    expect(temporaries(simulation)).toEqual([])
  })

  test('come from the copy, if that is asked for', async () => {
    const simulation = await begin()
    await ask(simulation, { snapshot: DAILY, path: '/marker', from: 'backup' })
    await simulation.pass(later(simulation, 3 * MINUTE), 'ticked')
    expect(noted(simulation)).toMatchObject({ state: 'done', from: 'backup/default/web' })
    expect(textAt(simulation, '/marker')).toBe('at three')
  })

  test('have a plan that says what is lost, and the same digest as long as nothing has changed', async () => {
    const simulation = await begin()
    const at = new Date(simulation.world.clock.now())
    const plan = await simulation.world.clock.settle(
      planOnly({ kind: 'run', at, request: wish }, ioOf(simulation)),
    )
    expect(plan?.actions).toMatchObject([
      { kind: 'put', safety: { name: 'before-restore-20261120T0615Z', taken: false } },
    ])
  })

  test.each([
    ['that are not there', { path: '/none' }, /has no \/none; nothing was changed/],
    ['where a folder stands now', { path: '/etc/hosts' }, /a folder at \/etc\/hosts now/],
  ])('%s change nothing, and leave no snapshot', async (_, more, why) => {
    const simulation = await begin()
    const web = instanceOf(simulation.world.incus.main, { name: 'web' })
    putNode(web, '/etc/hosts', newNode('folder'))
    await ask(simulation, more)
    await simulation.pass(later(simulation, 3 * MINUTE), 'ticked')
    expect(noted(simulation)).toMatchObject({ state: 'failed', reason: expect.stringMatching(why) })
    expect([...web.snapshots.keys()].filter((name) => name.startsWith('before-restore'))).toEqual([])
    expect(textAt(simulation, '/etc/later')).toBe('later')
  })

  test('of a virtual machine are refused before anything is begun', async () => {
    const simulation = await begin()
    instanceOf(simulation.world.incus.main, { name: 'web' }).type = 'virtual-machine'
    expect(await ask(simulation)).toMatchObject({
      refusal: { reason: expect.stringContaining('its own agent') },
    })
  })
})

/** Moments at which the relay is killed, by what it had asked of main until then: reads, the clone, the snapshot, the marks. */
const MOMENTS = [0, 8, 12, 13, 14, 15, 16, 17, 18, 19]

const isOfInstance = (remote: string, { path }: { path: string }): boolean =>
  remote === 'main' && path.startsWith('/1.0/instances/')

describe.each(KILLED)('the %s is killed', (_, kill) => {
  test.each(MOMENTS)('at request %i of it: the next ticks restore it, and nothing is left', async (at) => {
    const simulation = await begin()
    const { world, pass } = simulation
    const isKilled = killAfter(world, [at, kill], isOfInstance)
    await ask(simulation)
    await pass(later(simulation, 30 * MINUTE), 'ticked')
    world.weather.now = () => null
    expect(isKilled()).toBe(true)
    await pass(later(simulation, 90 * MINUTE))
    expect(noted(simulation)).toMatchObject({ state: 'done' })
    expectBack(simulation)
    expect(temporaries(simulation)).toEqual([])
  })
})

describe('the relay is killed while it writes', () => {
  test.each([1, 2, 5, 9, 14])(
    'at change %i: the next ticks restore it, over the same safety snapshot',
    async (at) => {
      const simulation = await begin()
      const { world, pass } = simulation
      const web = instanceOf(world.incus.main, { name: 'web' })
      let { disk } = web
      let left = at
      Object.defineProperty(web, 'disk', {
        get: () => disk,
        set: (changed: typeof disk) => {
          disk = changed
          left -= 1
          if (left === 0) world.relay.kill()
        },
      })
      await ask(simulation)
      await pass(later(simulation, 20 * MINUTE), 'ticked')
      expect(left).toBeLessThan(0)
      expect(noted(simulation)).toMatchObject({ state: 'done' })
      expectBack(simulation)
      expect([...web.snapshots.keys()].filter((name) => name.startsWith('before-restore'))).toHaveLength(1)
    },
  )
})

describe('files of a snapshot, by a stolen key,', () => {
  const ref = { remote: 'main', project: 'default', instance: 'web' }
  const step = {
    ...({ do: 'put', ref, from: ref, snapshot: HOURLY, path: '/etc' } as const),
    safety: { name: 'before-restore-20261120T0620Z', expiresAt: null as string | null, taken: false },
  }
  const soon = '2026-11-20T07:00:00.000Z'

  test.each([
    ['without a safety snapshot', { safety: { ...step.safety, taken: true } }, /doesn’t say that/],
    ['over one that soon expires', { safety: { ...step.safety, expiresAt: soon } }, /expire within a day/],
    ['over one that retention removes', { safety: { ...step.safety, name: HOURLY } }, /isn’t the name/],
    ['of another instance', { from: { ...ref, instance: 'db' } }, /no copy of it/],
    ['into a copy', { ref: { ...ref, remote: 'backup' } }, /only a backup target/],
  ])('%s are restored nowhere, whoever asks', async (_, more, why) => {
    const simulation = await begin()
    const before = nodes(simulation)
    const { answers } = await settledRelay(simulation.world).batch([
      { id: 'stolen', steps: [{ ...step, ...more }] },
    ])
    expect(answers.get('stolen')).toMatchObject([
      { ok: false, error: { code: 'not-allowed', message: expect.stringMatching(why) } },
    ])
    expect(nodes(simulation)).toEqual(before)
    expect(temporaries(simulation)).toEqual([])
  })

  /** Cut off once the safety snapshot is marked as whole. */
  async function cutOff(): Promise<{ simulation: Simulation; safety: string }> {
    const simulation = await begin()
    const web = instanceOf(simulation.world.incus.main, { name: 'web' })
    let { disk } = web
    Object.defineProperty(web, 'disk', {
      get: () => disk,
      set: (changed: typeof disk) => {
        disk = changed
        simulation.world.relay.kill()
      },
    })
    await ask(simulation)
    await simulation.world.clock.advance(later(simulation, 30_000))
    const [safety = ''] = (web.config['user.stapes.putting'] ?? '').split(' ')
    expect([...web.snapshots.keys()]).toContain(safety)
    return { simulation, safety }
  }

  test.each([
    ['over one that is gone', {}, true, /is not there any more/],
    ['of another snapshot over one from before', { snapshot: DAILY }, false, /doesn’t say that/],
  ])('%s are restored nowhere by the mark that is left', async (_, more, isGone, why) => {
    const { simulation, safety } = await cutOff()
    const web = instanceOf(simulation.world.incus.main, { name: 'web' })
    if (isGone) web.snapshots.delete(safety)
    const before = nodes(simulation)
    const wanted = { ...step, ...more, safety: { ...step.safety, name: safety, taken: true } }
    const { answers } = await settledRelay(simulation.world).batch([{ id: 'stolen', steps: [wanted] }])
    expect(answers.get('stolen')).toMatchObject([
      { ok: false, error: { code: 'not-allowed', message: expect.stringMatching(why) } },
    ])
    expect(nodes(simulation)).toEqual(before)
  })
})
