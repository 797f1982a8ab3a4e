/** Daemons killed in mid-copy, and the copies that lie about it afterwards. */

import { describe, expect, test } from 'vitest'
import {
  deleteSnapshot,
  exists,
  readInstance,
  readOperation,
  settle,
  snapshotNames,
  startDelete,
  startRestore,
  startSnapshot,
  takeSnapshot,
} from './calls.ts'
import { type Copy, pull, settleBoth, startPull } from './copy.ts'
import type { World } from './incus.ts'
import { NESTED } from './model.ts'
import type { ContractInstance } from './server.ts'
import type { Side } from './side.ts'

/** Each snapshot takes three seconds. */
const BYTES = 900_000
const SLOW = 300_000

export function faultContract(world: World): void {
  const snapshot = async (side: Side, source: ContractInstance, name: string) => {
    await side.server.write(source, name, BYTES)
    await takeSnapshot(side, source, name)
  }
  const sourceOn = async (side: Side, names: string[]): Promise<ContractInstance> => {
    const source = { name: world.fresh('fault') }
    await side.server.createInstance(source)
    for (const name of names) await snapshot(side, source, name)
    return source
  }
  /** Starts the copy, kills that side after it got going, and brings it back; the survivor's end is awaited. */
  const killDuring = async (copy: Copy, victim: Side) => {
    await copy.from.server.throttle(SLOW)
    const started = await startPull(copy)
    await world.elapse(1.5)
    await victim.server.kill()
    const survivor = victim === copy.to ? copy.from : copy.to
    const ended = await settle(survivor, victim === copy.to ? started.source : started.target)
    await victim.server.start()
    await copy.from.server.throttle(null)
    return { started, ended }
  }
  const at = (side: Side, it: ContractInstance) => (name?: string) => side.server.readMarker(it, name)

  describe('after a daemon was killed', () => {
    test('its operations are unknown', async () => {
      const it = await sourceOn(world.backup, [])
      const { id } = readOperation(await startSnapshot(world.backup, it, 's1'))
      await settle(world.backup, await startSnapshot(world.backup, it, 's2'))
      await world.backup.server.kill()
      await world.backup.server.start()
      const reply = await world.backup.ask('getOperation', { parameters: { operation: id } })
      expect([reply.status, reply.envelope.error]).toEqual([404, 'Operation not found'])
      expect(await snapshotNames(world.backup, it)).toContain('s2')
    })

    test('the target of a first copy: listed snapshots without data, which a refresh calls a success', async () => {
      const source = await sourceOn(world.main, ['s1', 's2', 's3'])
      const copy = { from: world.main, to: world.backup, source }
      const { started, ended } = await killDuring(copy, world.backup)
      expect(ended.status).toBe('Failure')
      const gone = await world.backup.ask('getOperation', { parameters: { operation: started.target.id } })
      expect(gone.status).toBe(404)
      expect((await readInstance(world.backup, source)).status).toBe('Stopped')
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2', 's3'])
      expect(await at(world.backup, source)('s3')).toBeNull()

      await pull({ ...copy, refresh: true, excludeOlder: true })
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2', 's3'])
      expect(await at(world.backup, source)('s3')).toBeNull()
    })

    test('such a snapshot is missed when it is to be restored, and nothing changes', async () => {
      const source = await sourceOn(world.main, ['s1', 's2'])
      const copy = { from: world.main, to: world.backup, source }
      await killDuring(copy, world.backup)
      await pull({ ...copy, refresh: true })
      for (const name of ['s1', 's2']) {
        const ended = await settle(world.backup, await startRestore(world.backup, source, name))
        expect(ended.err).toBe('Snapshot not found')
      }
      expect(await at(world.backup, source)()).toBe('s2')
    })

    test('a snapshot in the making stays listed, and is restored as far as it came', async () => {
      const source = await sourceOn(world.backup, [])
      await world.backup.server.write(source, 'data', BYTES)
      // What copies on dir outlives the daemon, and must not come to its end before the next one is up.
      await world.backup.server.throttle(SLOW / 4)
      await startSnapshot(world.backup, source, 'half')
      await world.elapse(1)
      await world.backup.server.kill()
      await world.backup.server.start()
      await world.backup.server.throttle(null)
      expect(await snapshotNames(world.backup, source)).toEqual(['half'])
      expect(await at(world.backup, source)('half')).toBeNull()
      const ended = await settle(world.backup, await startRestore(world.backup, source, 'half'))
      expect(ended.status).toBe('Success')
    })

    test('deleting such a snapshot and refreshing brings its data', async () => {
      const source = await sourceOn(world.main, ['s1', 's2'])
      const copy = { from: world.main, to: world.backup, source }
      await killDuring(copy, world.backup)
      await pull({ ...copy, refresh: true })
      for (const name of ['s1', 's2']) await deleteSnapshot(world.backup, source, name)
      await pull({ ...copy, refresh: true })
      expect(await at(world.backup, source)('s1')).toBe('s1')
      expect(await at(world.backup, source)('s2')).toBe('s2')
    })

    test('deleting such a snapshot before any refresh reports a failure, but removes it', async () => {
      const source = await sourceOn(world.main, ['s1', 's2'])
      const copy = { from: world.main, to: world.backup, source }
      await killDuring(copy, world.backup)
      const ended = await settle(world.backup, await startDelete(world.backup, source, 's2'))
      expect(ended.status).toBe('Failure')
      expect(ended.err).toMatch(
        world.has(NESTED)
          ? new RegExp(`^open .*/containers/${source.name}: no such file or directory$`)
          : /backup\.yaml: no such file or directory$/,
      )
      expect(await snapshotNames(world.backup, source)).toEqual(['s1'])
      await pull({ ...copy, refresh: true })
      expect(await at(world.backup, source)('s2')).toBe('s2')
    })

    test('such a target can be deleted and copied anew, in later versions once its mount is gone', async () => {
      const source = await sourceOn(world.main, ['s1', 's2'])
      const copy = { from: world.main, to: world.backup, source }
      await killDuring(copy, world.backup)
      const remove = async () =>
        settle(
          world.backup,
          await world.backup.ask('deleteInstance', { parameters: { instance: source.name } }),
        )
      if (world.has(NESTED)) {
        expect((await remove()).err).toMatch(/: device or resource busy$/)
        expect(await snapshotNames(world.backup, source)).toEqual([])
        await world.backup.server.unmount(source)
      }
      expect((await remove()).status).toBe('Success')
      await pull(copy)
      expect(await at(world.backup, source)('s2')).toBe('s2')
    })

    test('the target of a refresh: the new snapshot never gets its data', async () => {
      const source = await sourceOn(world.main, ['s1'])
      const copy = { from: world.main, to: world.backup, source }
      await pull(copy)
      await snapshot(world.main, source, 's2')
      await killDuring({ ...copy, refresh: true }, world.backup)
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2'])
      await pull({ ...copy, refresh: true })
      expect(await at(world.backup, source)('s1')).toBe('s1')
      expect(await at(world.backup, source)('s2')).toBeNull()
      expect(await at(world.backup, source)()).toBe('s2')
    })

    test('the source of a first copy: the target fails and is removed', async () => {
      const source = await sourceOn(world.main, ['s1', 's2'])
      const { ended } = await killDuring({ from: world.main, to: world.backup, source }, world.main)
      expect(ended.status).toBe('Failure')
      expect(await exists(world.backup, source)).toBe(false)
    })

    test('the source of a refresh: the mirror deletions are done, the rest stays', async () => {
      const source = await sourceOn(world.main, ['s1', 's2'])
      const copy = { from: world.main, to: world.backup, source }
      await pull(copy)
      await deleteSnapshot(world.main, source, 's1')
      await snapshot(world.main, source, 's3')
      const { ended } = await killDuring({ ...copy, refresh: true }, world.main)
      expect(ended.status).toBe('Failure')
      expect(await snapshotNames(world.backup, source)).toEqual(['s2'])
      expect(await at(world.backup, source)('s2')).toBe('s2')
    })

    test('a target on btrfs that receives from another driver: just the same', async () => {
      const source = await sourceOn(world.backup, ['s1', 's2'])
      const copy = { from: world.backup, to: world.main, source }
      await killDuring(copy, world.main)
      await pull({ ...copy, refresh: true })
      expect(await snapshotNames(world.main, source)).toEqual(['s1', 's2'])
      expect(await at(world.main, source)('s2')).toBeNull()
      expect(await at(world.main, source)()).toBe('s2')
    })
  })

  describe('without any fault of a daemon', () => {
    test('a source snapshot deleted before its turn arrives empty, and both sides call it a success', async () => {
      const source = await sourceOn(world.main, ['s1', 's2', 's3'])
      const copy = { from: world.main, to: world.backup, source }
      await world.main.server.throttle(SLOW)
      const started = await startPull(copy)
      await world.elapse(1.5)
      await world.main.server.throttle(null)
      await deleteSnapshot(world.main, source, 's3')
      const ended = await settleBoth(copy, started)
      expect([ended.source.status, ended.target.status]).toEqual(['Success', 'Success'])
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2', 's3'])
      expect(await at(world.backup, source)('s2')).toBe('s2')
      expect(await at(world.backup, source)('s3')).toBeNull()
    })
  })
}
