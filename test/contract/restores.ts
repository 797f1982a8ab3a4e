/** Restoring in place and starting again, and what the pool says that it depends on. */

import { describe, expect, test } from 'vitest'
import {
  deleteSnapshot,
  listSnapshots,
  readInstance,
  readOperation,
  settle,
  snapshotNames,
  startRestore,
  startSnapshot,
  succeed,
  takeSnapshot,
} from './calls.ts'
import { settleBoth, startPull } from './copy.ts'
import type { World } from './incus.ts'
import { poolSchema } from './model.ts'
import type { ContractInstance } from './server.ts'
import { readMetadata, type Side } from './side.ts'

const MARK = 'user.stapes.restoring'

export function restoreContract(world: World): void {
  /** With the snapshot s1, changed data, and a mark that came after it. */
  const changedOn = async (side: Side, bytes = 1000): Promise<ContractInstance> => {
    const it = { name: world.fresh('restored') }
    await side.server.createInstance({ ...it, config: { 'user.at': 's1' } })
    await side.server.write(it, 's1', bytes)
    await takeSnapshot(side, it, 's1')
    await change(side, it, bytes)
    return it
  }
  const change = async (side: Side, it: ContractInstance, bytes = 1000) => {
    await side.server.write(it, 'later', bytes)
    const body = { config: { 'user.at': 'later', [MARK]: 's1' } }
    await side.ask('markInstance', { parameters: { instance: it.name }, body })
  }
  const seen = async (side: Side, it: ContractInstance) => {
    const { status, config } = await readInstance(side, it)
    return { status, at: config['user.at'], mark: config[MARK], data: await side.server.readMarker(it) }
  }
  const restored = { at: 's1', mark: undefined, data: 's1' }
  const changed = { at: 'later', mark: 's1', data: 'later' }
  const start = (side: Side, it: ContractInstance) =>
    side.ask('startInstance', { parameters: { instance: it.name }, body: { action: 'start' } })

  describe('a restore in place', () => {
    test('of what is stopped leaves it stopped, with data and config of the snapshot', async () => {
      const it = await changedOn(world.main)
      expect(await seen(world.main, it)).toEqual({ status: 'Stopped', ...changed })
      const started = await startRestore(world.main, it, 's1')
      expect(started.status).toBe(202)
      expect(readOperation(started)).toMatchObject({
        ...{ class: 'task', description: 'Restoring snapshot', may_cancel: false },
        resources: { instances: [`/1.0/instances/${it.name}`] },
      })
      expect((await settle(world.main, started)).status).toBe('Success')
      expect(await seen(world.main, it)).toEqual({ status: 'Stopped', ...restored })
      expect(await snapshotNames(world.main, it)).toEqual(['s1'])
    })

    test('goes past newer snapshots, which stay, and brings back a mark that a snapshot holds', async () => {
      const it = await changedOn(world.main)
      await takeSnapshot(world.main, it, 's2')
      await succeed(world.main, await startRestore(world.main, it, 's1'))
      expect(await seen(world.main, it)).toEqual({ status: 'Stopped', ...restored })
      expect(await snapshotNames(world.main, it)).toEqual(['s1', 's2'])
      await succeed(world.main, await startRestore(world.main, it, 's2'))
      expect(await seen(world.main, it)).toEqual({ status: 'Stopped', ...changed })
    })

    test('leaves the profiles as they are: a snapshot has none of its own', async () => {
      const it = await changedOn(world.main)
      await world.main.server.putProfile('late', { 'user.late': 'yes' })
      await world.main.server.setProfiles(it, ['default', 'late'])
      const [snapshot] = await listSnapshots(world.main, it)
      expect(snapshot?.expanded_config).toMatchObject({ 'user.late': 'yes', 'user.at': 's1' })
      await succeed(world.main, await startRestore(world.main, it, 's1'))
      expect((await readInstance(world.main, it)).profiles).toEqual(['default', 'late'])
    })

    test('of what runs ends with it running', async () => {
      const it = { name: world.fresh('restored') }
      await world.main.server.createInstance({ ...it, running: true, config: { 'user.at': 's1' } })
      await world.main.server.setRunning(it, false)
      await world.main.server.write(it, 's1', 1000)
      await takeSnapshot(world.main, it, 's1')
      await change(world.main, it)
      expect((await settle(world.main, await start(world.main, it))).status).toBe('Success')
      await succeed(world.main, await startRestore(world.main, it, 's1'))
      expect(await seen(world.main, it)).toEqual({ status: 'Running', ...restored })
      expect((await settle(world.main, await start(world.main, it))).err).toBe(
        'The instance is already running',
      )
      await world.main.server.setRunning(it, false)
    })

    test('of the disk alone leaves the config, where the server knows it; where not, it asks for nothing', async () => {
      const isKnown = world.has('instance_snapshot_disk_only_restore')
      const left = { ...restored, ...(isKnown ? { at: 'later', mark: 's1' } : {}) }
      const it = { name: world.fresh('restored') }
      await world.main.server.createInstance({ ...it, running: true, config: { 'user.at': 's1' } })
      await world.main.server.setRunning(it, false)
      await world.main.server.write(it, 's1', 1000)
      await takeSnapshot(world.main, it, 's1')
      for (const status of ['Stopped', 'Running']) {
        await change(world.main, it)
        if (status === 'Running') await succeed(world.main, await start(world.main, it))
        await succeed(world.main, await startRestore(world.main, it, 's1', { disk_only: true }))
        expect(await seen(world.main, it)).toEqual({ status, ...left })
      }
      await world.main.server.setRunning(it, false)
    })

    test('of a snapshot that names a volume which is gone fails at its start, with disk and config restored', async () => {
      const { server } = world.main
      const it = { name: world.fresh('restored') }
      await server.createInstance({ ...it, running: true, config: { 'user.at': 's1' } })
      await server.setRunning(it, false)
      const detach = await server.attachVolume(it, world.fresh('volume'))
      await server.write(it, 's1', 1000)
      await takeSnapshot(world.main, it, 's1')
      await detach()
      await change(world.main, it)
      await succeed(world.main, await start(world.main, it))
      const ended = await settle(world.main, await startRestore(world.main, it, 's1'))
      expect(ended.status).toBe('Failure')
      expect(ended.err).toMatch(/^Failed start validation for device ".*Storage volume not found$/)
      expect(await seen(world.main, it)).toEqual({ status: 'Stopped', ...restored })
      expect((await settle(world.main, await start(world.main, it))).err).toBe(ended.err)
    })

    test('of a snapshot that is not there fails in its operation, and changes nothing', async () => {
      const it = await changedOn(world.main)
      const ended = await settle(world.main, await startRestore(world.main, it, 'none'))
      expect([ended.status, ended.err]).toEqual(['Failure', `Snapshot ${it.name}/none does not exist`])
      expect(await seen(world.main, it)).toEqual({ status: 'Stopped', ...changed })
    })

    test('of an unknown instance is refused at once', async () => {
      const reply = await startRestore(world.main, { name: 'nobody' }, 's1')
      expect(reply.status).toBe(404)
      expect(reply.envelope.error).toMatch(/Instance not found$/)
    })

    test('of what is being copied fails', async () => {
      const source = await changedOn(world.main, 800_000)
      await world.main.server.throttle(400_000)
      const copy = { from: world.main, to: world.backup, source }
      const started = await startPull(copy)
      const ended = settleBoth(copy, started)
      await world.elapse(1)
      await world.main.server.throttle(null)
      expect((await settle(world.main, await startRestore(world.main, source, 's1'))).err).toBe(
        'Failed to create instance restore operation: Instance is busy running a "migrate" operation',
      )
      expect((await ended).source.status).toBe('Success')
      expect(await seen(world.main, source)).toEqual({ status: 'Stopped', ...changed })
    })
  })

  describe('a restore that takes three seconds', () => {
    const backup = () => world.backup
    let it: ContractInstance
    const begin = async () => {
      it = await changedOn(backup(), 900_000)
      await backup().server.throttle(300_000)
      const started = readOperation(await startRestore(backup(), it, 's1'))
      await world.elapse(1)
      expect(await seen(backup(), it)).toMatchObject({ status: 'Stopped', at: 'later', mark: 's1' })
      return started
    }

    test('is waited for by another one, but not by a snapshot, which holds neither the one nor the other', async () => {
      const first = await begin()
      await backup().server.throttle(null)
      const others = [
        readOperation(await startSnapshot(backup(), it, 's2')),
        readOperation(await startRestore(backup(), it, 's1')),
      ]
      const ended = await Promise.all([first, ...others].map((started) => settle(backup(), started)))
      expect(ended.map(({ status }) => status)).toEqual(['Success', 'Success', 'Success'])
      expect(await backup().server.readMarker(it, 's2')).not.toBe('s1')
      expect(await seen(backup(), it)).toEqual({ status: 'Stopped', ...restored })
    })

    test('and whose snapshot is deleted meanwhile is called a success, without its data', async () => {
      const started = await begin()
      await backup().server.throttle(null)
      await deleteSnapshot(backup(), it, 's1')
      expect((await settle(backup(), started)).status).toBe('Success')
      expect(await seen(backup(), it)).toMatchObject({ status: 'Stopped', at: 's1', mark: undefined })
      expect(await backup().server.readMarker(it)).not.toBe('s1')
    })

    test('and whose daemon is killed leaves it stopped with its mark, to be restored again', async () => {
      await begin()
      await backup().server.kill()
      await backup().server.start()
      await backup().server.throttle(null)
      expect(await seen(backup(), it)).toMatchObject({ status: 'Stopped', at: 'later', mark: 's1' })
      expect(await snapshotNames(backup(), it)).toEqual(['s1'])
      // What copied for the daemon may have outlived it.
      await world.elapse(4)
      await succeed(backup(), await startRestore(backup(), it, 's1'))
      expect(await seen(backup(), it)).toEqual({ status: 'Stopped', ...restored })
    })
  })

  describe('a pool', () => {
    test.for(['main', 'backup'] as const)(
      'of %s tells its driver, to a restricted client too',
      async (name) => {
        const { driver, pool } = world[name].server
        for (const client of ['trusted', 'restricted'] as const) {
          const query = client === 'restricted' ? { project: 'fenced' } : {}
          const reply = await world[name].ask('getPool', { parameters: { pool }, query, client })
          expect(readMetadata(reply, poolSchema)).toMatchObject({ name: pool, driver })
        }
      },
    )

    test('that is not there is a 404', async () => {
      const reply = await world.main.ask('getPool', { parameters: { pool: 'none' } })
      expect([reply.status, reply.envelope.error]).toEqual([404, 'Storage pool not found'])
    })
  })
}
