import { describe, expect, test } from 'vitest'
import { boot, hold, setFull, setReachable, shutDown } from '../../emulator/breakage.ts'
import type { Fault } from '../../emulator/faults.ts'
import { render } from '../../emulator/render.ts'
import { hasData, instanceOf, seedInstance, write } from '../../emulator/scene.ts'
import { idOf, VirtualPair } from './virtual-pair.ts'

const SNAPSHOTS = '/1.0/instances/web1/snapshots'

function world(): VirtualPair {
  const pair = new VirtualPair()
  seedInstance(pair.main, { name: 'web1', running: true })
  return pair
}

const snapshotNames = (pair: VirtualPair): string[] => [
  ...instanceOf(pair.main, { name: 'web1' }).snapshots.keys(),
]

describe('a fault of one request', () => {
  const create = (pair: VirtualPair, fault: Fault) => {
    pair.main.faults = ({ method }) => (method === 'POST' ? fault : null)
    return pair.ask(pair.main, 'POST', SNAPSHOTS, { body: { name: 's1' } })
  }

  test.for<[string, Fault, string, string[]]>([
    ['refused', { before: 'refuse' }, 'ECONNREFUSED', []],
    ['reset before the effect', { before: 'reset' }, 'ECONNRESET', []],
    ['reset after the effect', { after: 'reset' }, 'ECONNRESET', ['s1']],
  ])('%s', async ([, fault, code, names]) => {
    const pair = world()
    await expect(create(pair, fault)).rejects.toMatchObject({ code })
    expect(snapshotNames(pair)).toEqual(names)
  })

  test.for<[string, Fault, string[]]>([
    ['before the effect', { before: 'hang' }, []],
    ['after the effect', { after: 'hang' }, ['s1']],
  ])('no answer ever, %s', async ([, fault, names]) => {
    const pair = world()
    let answered = false
    create(pair, fault).finally(() => {
      answered = true
    })
    await pair.elapse(3600)
    expect(answered).toBe(false)
    expect(snapshotNames(pair)).toEqual(names)
  })

  test("an error in Incus's own envelope", async () => {
    const answer = await create(world(), { before: { status: 502, error: 'bad gateway' } })
    expect(answer).toMatchObject({
      status: 502,
      body: { type: 'error', error_code: 502, error: 'bad gateway' },
    })
  })

  test('a delay, after which the effect comes', async () => {
    const pair = world()
    const answer = create(pair, { delayMs: 10_000 })
    await pair.elapse(9)
    expect(snapshotNames(pair)).toEqual([])
    await pair.elapse(2)
    expect((await answer).status).toBe(202)
  })

  test('an operation that fails, and changes nothing', async () => {
    const pair = world()
    const busy = 'Instance is busy running a "restore" operation'
    const started = await create(pair, { operation: busy })
    expect(await pair.end(pair.main, idOf(started))).toMatchObject({ status: 'Failure', err: busy })
    expect(snapshotNames(pair)).toEqual([])
  })
})

describe('a killed daemon', () => {
  test('refuses connections, drops those that wait and forgets its operations', async () => {
    const pair = world()
    pair.main.snapshotMs = 5000
    const started = await pair.ask(pair.main, 'POST', SNAPSHOTS, { body: { name: 's1' } })
    const waiting = pair.ask(pair.main, 'GET', `/1.0/operations/${idOf(started)}/wait`)
    pair.main.kill()
    await expect(waiting).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect(pair.ask(pair.main, 'GET', '/1.0')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    pair.main.start()
    expect((await pair.ask(pair.main, 'GET', `/1.0/operations/${idOf(started)}`)).status).toBe(404)
  })

  test('keeps what was stored, and a snapshot in the making as one without data', async () => {
    const pair = world()
    await pair.takeSnapshot(pair.main, 'web1', 'whole')
    pair.main.snapshotMs = 5000
    await pair.ask(pair.main, 'POST', SNAPSHOTS, { body: { name: 'half' } })
    pair.main.kill()
    pair.main.start()
    await pair.elapse(10)
    expect(render(pair.main)).toBe(
      [
        'main:default/web1 running',
        '  whole  2026-11-22T00:00:00Z',
        '  half   2026-11-22T00:00:00Z  phantom',
      ].join('\n'),
    )
  })
})

describe('a target killed in a first copy', () => {
  async function phantoms(): Promise<VirtualPair> {
    const pair = world()
    write(instanceOf(pair.main, { name: 'web1' }), 'data', 1000)
    await pair.takeSnapshot(pair.main, 'web1', 's1')
    await pair.takeSnapshot(pair.main, 'web1', 's2')
    pair.main.bandwidth = 100
    await pair.startPull('web1')
    await pair.elapse(1)
    pair.backup.kill()
    pair.backup.start()
    pair.main.bandwidth = null
    return pair
  }
  const isWhole = (pair: VirtualPair, snapshot?: string) => hasData(pair.backup, { name: 'web1' }, snapshot)

  test('has snapshots without data; a refresh succeeds and leaves them so', async () => {
    const pair = await phantoms()
    expect((await pair.pull('web1', { refresh: true })).status).toBe('Success')
    expect([isWhole(pair), isWhole(pair, 's1'), isWhole(pair, 's2')]).toEqual([true, false, false])
  })

  test('misses them when one is to be restored', async () => {
    const pair = await phantoms()
    await pair.pull('web1', { refresh: true })
    const restored = await pair.run(pair.backup, 'PUT', '/1.0/instances/web1', { restore: 's1' })
    expect(restored).toMatchObject({ status: 'Failure', err: 'Snapshot not found' })
    expect(isWhole(pair)).toBe(true)
  })

  test('is found out by an export', async () => {
    const pair = await phantoms()
    const ended = await pair.run(pair.backup, 'POST', '/1.0/instances/web1/backups', { name: 'b0' })
    expect(ended.err).toBe('Create backup: Backup create: Snapshot "s1" expected but not in storage')
  })

  test('is healed by deleting the snapshot and refreshing', async () => {
    const pair = await phantoms()
    await pair.run(pair.backup, 'DELETE', `${SNAPSHOTS}/s1`)
    await pair.pull('web1', { refresh: true })
    expect([isWhole(pair, 's1'), isWhole(pair, 's2')]).toEqual([true, false])
  })
})

describe('a broken server', () => {
  test('with a full pool fails snapshots and copies in their operations', async () => {
    const pair = world()
    await pair.takeSnapshot(pair.main, 'web1', 's1')
    setFull(pair.main, true)
    const snapshot = await pair.run(pair.main, 'POST', SNAPSHOTS, { name: 's2' })
    expect(snapshot.err).toMatch(/No space left on device$/)
    expect(snapshotNames(pair)).toEqual(['s1'])
    setFull(pair.backup, true)
    expect((await pair.pull('web1')).err).toMatch(/No space left on device$/)
    expect(render(pair.backup)).toBe('')
  })

  test('with a member that is down shows its instances as Error, with null snapshots', async () => {
    const pair = world()
    await pair.takeSnapshot(pair.main, 'web1', 's1')
    instanceOf(pair.main, { name: 'web1' }).location = 'n2'
    setReachable(pair.main, 'n2', false)
    const listed = await pair.ask(pair.main, 'GET', '/1.0/instances?recursion=2')
    expect(listed.body.metadata).toMatchObject([
      { status: 'Error', status_code: 112, snapshots: null, state: null },
    ])
    const one = await pair.ask(pair.main, 'GET', SNAPSHOTS.concat('?recursion=1'))
    expect([one.status, one.body.error]).toEqual([500, "Server isn't ready yet"])
    setReachable(pair.main, 'n2', true)
    const again = await pair.ask(pair.main, 'GET', '/1.0/instances?recursion=2')
    expect(again.body.metadata).toMatchObject([{ status: 'Running', snapshots: [{ name: 's1' }] }])
  })

  test('that goes down reads, but no longer writes', async () => {
    const pair = world()
    shutDown(pair.main)
    expect((await pair.ask(pair.main, 'GET', '/1.0')).status).toBe(200)
    const refused = await pair.ask(pair.main, 'POST', SNAPSHOTS, { body: { name: 's1' } })
    expect([refused.status, refused.body.error]).toEqual([503, 'Shutting down'])
  })

  test('that comes up does nothing yet', async () => {
    const pair = world()
    boot(pair.main)
    expect(await pair.ask(pair.main, 'GET', '/1.0')).toMatchObject({
      status: 503,
      body: { error: 'Daemon is starting up' },
    })
  })

  test('with a held instance lets it be neither refreshed nor deleted', async () => {
    const pair = world()
    await pair.pull('web1')
    hold(instanceOf(pair.backup, { name: 'web1' }), 'restore')
    await expect(pair.pull('web1', { refresh: true })).rejects.toThrow(
      'Failed getting exclusive access to instance: Instance is busy running a "restore" operation',
    )
    const deleted = await pair.run(pair.backup, 'DELETE', '/1.0/instances/web1')
    expect(deleted.err).toBe(
      'Failed to create instance delete operation: Instance is busy running a "restore" operation',
    )
  })
})
