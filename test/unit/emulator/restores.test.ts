import { describe, expect, test } from 'vitest'
import { hasData, instanceOf, readMarker, seedInstance, setDriver, write } from '../../emulator/scene.ts'
import { idOf, VirtualPair } from './virtual-pair.ts'

const WEB = { name: 'web1' }
const ROUTE = '/1.0/instances/web1'
const BODY = { restore: 's1', stateful: false }

/** Takes a minute: three quarters for the data, the rest for the start. */
async function world(running = true): Promise<VirtualPair> {
  const pair = new VirtualPair()
  const instance = seedInstance(pair.main, { ...WEB, running, config: { 'user.at': 's1' } })
  write(instance, 's1', 1000)
  await pair.takeSnapshot(pair.main, 'web1', 's1')
  write(instance, 'later', 1000)
  instance.config['user.at'] = 'later'
  pair.main.restoreMs = 60_000
  return pair
}

const seen = (pair: VirtualPair) => {
  const { status, config } = instanceOf(pair.main, WEB)
  return { status, at: config['user.at'], data: readMarker(pair.main, WEB) }
}
const restore = (pair: VirtualPair) => pair.ask(pair.main, 'PUT', ROUTE, { body: BODY })

describe('a restore in place', () => {
  test('stops, brings data and then the config, and starts', async () => {
    const pair = await world()
    const started = await restore(pair)
    expect(seen(pair)).toEqual({ status: 'Stopped', at: 'later', data: null })
    await pair.elapse(50)
    expect(seen(pair)).toEqual({ status: 'Stopped', at: 's1', data: 's1' })
    expect((await pair.end(pair.main, idOf(started))).status).toBe('Success')
    expect(seen(pair)).toEqual({ status: 'Running', at: 's1', data: 's1' })
  })

  test('leaves stopped what was', async () => {
    const pair = await world(false)
    await pair.run(pair.main, 'PUT', ROUTE, BODY)
    expect(seen(pair)).toEqual({ status: 'Stopped', at: 's1', data: 's1' })
  })

  test.for<[string, number, object]>([
    ['before its config came', 30, { status: 'Stopped', at: 'later', data: null }],
    ['before its start', 50, { status: 'Stopped', at: 's1', data: 's1' }],
  ])('whose daemon is killed %s goes no further', async ([, seconds, left]) => {
    const pair = await world()
    await restore(pair)
    await pair.elapse(seconds)
    pair.main.kill()
    pair.main.start()
    await pair.elapse(120)
    expect(seen(pair)).toEqual(left)
    expect((await pair.run(pair.main, 'PUT', ROUTE, BODY)).status).toBe('Success')
    expect(seen(pair)).toMatchObject({ at: 's1', data: 's1' })
  })

  test('is waited for by a second one', async () => {
    const pair = await world()
    await restore(pair)
    const second = await restore(pair)
    await pair.elapse(61)
    expect(seen(pair)).toEqual({ status: 'Stopped', at: 's1', data: null })
    expect((await pair.end(pair.main, idOf(second))).status).toBe('Success')
    expect(seen(pair)).toEqual({ status: 'Running', at: 's1', data: 's1' })
  })

  test('lets a snapshot in, which holds what is half done', async () => {
    const pair = await world()
    await restore(pair)
    await pair.takeSnapshot(pair.main, 'web1', 's2')
    await pair.elapse(61)
    expect(hasData(pair.main, WEB, 's2')).toBe(false)
    expect(hasData(pair.main, WEB)).toBe(true)
  })

  test('whose snapshot goes meanwhile is called a success, without its data', async () => {
    const pair = await world()
    const started = await restore(pair)
    await pair.run(pair.main, 'DELETE', `${ROUTE}/snapshots/s1`)
    expect((await pair.end(pair.main, idOf(started))).status).toBe('Success')
    expect(seen(pair)).toEqual({ status: 'Running', at: 's1', data: null })
  })

  test('of a snapshot without data fails on btrfs, and takes nothing but the running', async () => {
    const pair = await world()
    const { disk } = instanceOf(pair.main, WEB).snapshots.get('s1') ?? {}
    if (disk !== undefined) disk.held = 'phantom'
    expect(await pair.run(pair.main, 'PUT', ROUTE, BODY)).toMatchObject({ status: 'Failure' })
    expect(seen(pair)).toEqual({ status: 'Stopped', at: 'later', data: 'later' })
  })

  test('past a newer snapshot fails on zfs, and leaves it stopped', async () => {
    const pair = await world()
    await pair.takeSnapshot(pair.main, 'web1', 's2')
    setDriver(pair.main, 'zfs')
    expect((await pair.run(pair.main, 'PUT', ROUTE, BODY)).err).toBe(
      'Snapshot "s1" cannot be restored due to subsequent snapshot(s). Set zfs.remove_snapshots to override',
    )
    expect(seen(pair)).toEqual({ status: 'Stopped', at: 'later', data: 'later' })
    const newest = await pair.run(pair.main, 'PUT', ROUTE, { ...BODY, restore: 's2' })
    expect(newest.status).toBe('Success')
  })

  test('fails on lvm without a thin pool, and leaves it stopped', async () => {
    const pair = await world()
    setDriver(pair.main, 'lvm', { 'lvm.use_thinpool': 'false' })
    expect((await pair.run(pair.main, 'PUT', ROUTE, BODY)).err).toMatch(/lvresize -l \+100%ORIGIN/)
    expect(seen(pair)).toEqual({ status: 'Stopped', at: 'later', data: 'later' })
    setDriver(pair.main, 'lvm')
    expect((await pair.run(pair.main, 'PUT', ROUTE, BODY)).status).toBe('Success')
  })

  test('of a snapshot that names a volume which is gone ends with disk and config restored, and stopped', async () => {
    const pair = await world()
    const snapshot = instanceOf(pair.main, WEB).snapshots.get('s1')
    Object.assign(snapshot?.settings.devices ?? {}, { vol: { type: 'disk', pool: 'default', source: 'v' } })
    expect((await pair.run(pair.main, 'PUT', ROUTE, BODY)).err).toMatch(/Storage volume not found$/)
    expect(seen(pair)).toEqual({ status: 'Stopped', at: 's1', data: 's1' })
  })
})
