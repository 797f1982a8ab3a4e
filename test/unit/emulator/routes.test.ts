import { describe, expect, test } from 'vitest'
import { type RouteName, request, routes } from '../../../shared/incus/routes.ts'
import { addBucket } from '../../emulator/buckets.ts'
import { addCustom } from '../../emulator/custom.ts'
import { handlers } from '../../emulator/handlers.ts'
import { seedInstance } from '../../emulator/scene.ts'
import { VirtualPair } from './virtual-pair.ts'

const names = Object.keys(routes) as RouteName[]

const BODIES: Partial<Record<RouteName, unknown>> = {
  receiveInstance: { name: 'copy', source: { type: 'migration', mode: 'push' } },
  sendInstance: { migration: true },
  sendSnapshot: { migration: true },
  markInstance: { config: { 'user.stapes.x': 'y' } },
  createSnapshot: { name: 's2' },
  patchSnapshot: { expires_at: null },
  restoreInstance: { restore: 's1', stateful: false },
  startInstance: { action: 'start' },
  restoreVolume: { restore: 's1' },
  execInstance: { command: ['true'] },
  createBackup: { name: 'b2' },
  sendVolume: { migration: true },
  receiveVolume: {
    name: 'copied',
    source: { type: 'migration', mode: 'push' },
  },
  markVolume: { config: { 'user.stapes.hold.s1': 'y' } },
  createVolumeSnapshot: { name: 's2' },
  renameVolumeSnapshot: { name: 's2' },
  patchVolumeSnapshot: { expires_at: null },
  createVolumeBackup: { name: 'b2' },
  receiveBucket: { name: 'pics2' },
  markBucket: { config: {} },
  createBucketBackup: { name: 'b2' },
}

/** What only one that runs answers. */
const ELSEWHERE: Partial<Record<RouteName, Record<string, string>>> = {
  execInstance: { instance: 'runner' },
  getExecOutput: { instance: 'runner', file: 'out' },
  deleteExecOutput: { instance: 'runner', file: 'out' },
}

const QUERIES: Partial<Record<RouteName, Record<string, string>>> = {
  waitOperation: { timeout: '0' },
  listProfiles: { recursion: '1' },
}

async function world() {
  const pair = new VirtualPair(undefined, '7.0.2')
  seedInstance(pair.main, { name: 'web1' })
  const runner = seedInstance(pair.main, { name: 'runner', running: true })
  runner.outputs.set('out', Buffer.from('x'))
  await pair.takeSnapshot(pair.main, 'web1', 's1')
  const offer = await pair.ask(pair.main, 'POST', '/1.0/instances/web1', { body: { migration: true } })
  const { id } = offer.body.metadata as { id: string }
  await pair.run(pair.main, 'POST', '/1.0/instances/web1/backups', { name: 'b1' })
  addCustom(pair.main, { pool: 'default', project: 'default', name: 'web1' })
  await pair.run(pair.main, 'POST', '/1.0/storage-pools/default/volumes/custom/web1/snapshots', {
    name: 's1',
  })
  await pair.run(pair.main, 'POST', '/1.0/storage-pools/default/volumes/custom/web1/backups', { name: 'b1' })
  addBucket(pair.main, { pool: 'default', project: 'default', name: 'pics' })
  pair.main.bucketsAddress = '127.0.0.1:8555'
  await pair.run(pair.main, 'POST', '/1.0/storage-pools/default/buckets/pics/backups', { name: 'b1' })
  const parameters = {
    bucket: 'pics',
    instance: 'web1',
    snapshot: 's1',
    pool: 'default',
    type: 'container',
    volume: 'web1',
    operation: id,
    backup: 'b1',
  }
  return { pair, parameters }
}

describe('the embedded Incus serves the routes table', () => {
  test.for(names)('%s is done, not refused', async (name) => {
    const { pair, parameters } = await world()
    const query = QUERIES[name] ?? {}
    const { method, path } = request(name, { ...parameters, ...ELSEWHERE[name] }, query)
    const body = BODIES[name]
    const answer = await pair.ask(pair.main, method, path, body === undefined ? {} : { body })
    expect(answer.body?.error ?? '').toMatch(/^$|^context deadline exceeded$/)
    expect(answer.status).toBeLessThan(300)
  })

  test('and has a handler for nothing else', () => {
    expect(Object.keys(handlers).sort()).toEqual([...names].sort())
  })

  test.for([
    ['GET', '/1.0/nothing', 404, 'not found'],
    ['GET', '/1.0/instances/', 404, 'not found'],
    ['GET', '/1.0/instances/web1/console', 404, 'not found'],
    ['GET', '/2.0', 404, 'not found'],
    ['POST', '/1.0/instances/web1/console', 404, 'not found'],
    ['PUT', '/1.0/instances', 501, 'not implemented'],
    ['HEAD', '/1.0', 501, 'not implemented'],
  ] as const)('%s %s is a %i', async ([method, path, status, error]) => {
    const { pair } = await world()
    const answer = await pair.ask(pair.main, method, path)
    expect([answer.status, answer.body.error]).toEqual([status, error])
  })
})
