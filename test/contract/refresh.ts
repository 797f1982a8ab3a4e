/** Refreshing a copy: a mirror by name and second, and what it leaves alone. */

import { describe, expect, test } from 'vitest'
import {
  deleteSnapshot,
  listSnapshots,
  patchSnapshot,
  readInstance,
  readOperation,
  snapshotNames,
  succeed,
  takeSnapshot,
} from './calls.ts'
import { type Copy, fetchOffered, offer, pull, settleBoth, startPush } from './copy.ts'
import type { World } from './incus.ts'
import type { ContractInstance } from './server.ts'

const SOURCE_DATE = '2040-01-01T00:00:00Z'
const TARGET_DATE = '2041-01-01T00:00:00Z'

export function refreshContract(world: World): void {
  /** A source with those snapshots, each with its own data, already copied. */
  const copied = async (names: string[], config = {}): Promise<Copy & { source: ContractInstance }> => {
    const source = await world.createInstance('mirrored')
    for (const name of names) await snapshot(source, name)
    const copy = { from: world.main, to: world.backup, source, config }
    await pull(copy)
    return { ...copy, refresh: true }
  }
  const snapshot = async (source: ContractInstance, name: string, more = {}) => {
    await world.main.server.write(source, name, 1000)
    await takeSnapshot(world.main, source, name, more)
  }

  /** A copy that has s1, while its source took s2 in the very second of s1. */
  const copiedInOneSecond = async (): Promise<Copy & { source: ContractInstance }> => {
    for (let tries = 0; tries < 20; tries++) {
      const copy = await copied(['s1'])
      await takeSnapshot(world.main, copy.source, 's2')
      const seconds = (await listSnapshots(world.main, copy.source)).map((it) => it.created_at.slice(0, 19))
      if (new Set(seconds).size === 1) return copy
      await world.elapse(0.1)
    }
    throw new Error('a copy never took less than what was left of its second')
  }
  /** Snapshots are compared by the second: one as old as the newest common one isn't newer. */
  const nextSecond = () => world.elapse(1.1)

  describe('a refresh', () => {
    test('sends what is new, and deletes what the source has not', async () => {
      const copy = await copied(['s1', 's2'])
      await takeSnapshot(world.backup, copy.source, 'only-here')
      await deleteSnapshot(world.main, copy.source, 's1')
      await nextSecond()
      await snapshot(copy.source, 's3')
      await pull({ ...copy, excludeOlder: true })
      expect(await snapshotNames(world.backup, copy.source)).toEqual(['s2', 's3'])
      expect(await world.backup.server.readMarker(copy.source, 's3')).toBe('s3')
      expect(await world.backup.server.readMarker(copy.source)).toBe('s3')
    })

    test('replaces a snapshot of the same name and another second', async () => {
      const copy = await copied(['s1', 's2'])
      await deleteSnapshot(world.main, copy.source, 's2')
      await nextSecond()
      await world.main.server.write(copy.source, 's2 again', 1000)
      await takeSnapshot(world.main, copy.source, 's2')
      await pull(copy)
      expect(await world.backup.server.readMarker(copy.source, 's2')).toBe('s2 again')
    })

    test('sends again what only the target had pruned', async () => {
      const copy = await copied(['s1', 's2'])
      await deleteSnapshot(world.backup, copy.source, 's1')
      await pull(copy)
      expect(await snapshotNames(world.backup, copy.source)).toEqual(['s1', 's2'])
      expect(await world.backup.server.readMarker(copy.source, 's1')).toBe('s1')
    })

    test('leaves away what is older than the newest common one, if asked to', async () => {
      const copy = await copied(['s1', 's2'])
      await deleteSnapshot(world.backup, copy.source, 's1')
      await nextSecond()
      await snapshot(copy.source, 's3')
      await pull({ ...copy, excludeOlder: true })
      expect(await snapshotNames(world.backup, copy.source)).toEqual(['s2', 's3'])
    })

    test('then also leaves away what is as old as that one to the second, for ever', async () => {
      const copy = await copiedInOneSecond()
      await pull({ ...copy, excludeOlder: true })
      expect(await snapshotNames(world.backup, copy.source)).toEqual(['s1'])
      await nextSecond()
      await snapshot(copy.source, 's3')
      await pull({ ...copy, excludeOlder: true })
      expect(await snapshotNames(world.backup, copy.source)).toEqual(['s1', 's3'])
    })

    test('brings the expiry of new snapshots, and keeps that of known ones', async () => {
      const copy = await copied(['s1'])
      await succeed(
        world.backup,
        await patchSnapshot(world.backup, copy.source, 's1', { expires_at: TARGET_DATE }),
      )
      await succeed(
        world.main,
        await patchSnapshot(world.main, copy.source, 's1', { expires_at: SOURCE_DATE }),
      )
      await snapshot(copy.source, 's2', { expires_at: SOURCE_DATE })
      await pull(copy)
      const expiry = (await listSnapshots(world.backup, copy.source)).map((it) => [it.name, it.expires_at])
      expect(Object.fromEntries(expiry)).toEqual({ s1: TARGET_DATE, s2: SOURCE_DATE })
    })

    test('ignores the config of its body', async () => {
      const copy = await copied(['s1'], { 'user.x': 'first' })
      await pull({ ...copy, config: { 'user.x': 'second', 'user.y': 'new' } })
      const { config } = await readInstance(world.backup, copy.source)
      expect(config['user.x']).toBe('first')
      expect(config).not.toHaveProperty(['user.y'])
    })

    test('can be pushed, and then mirrors just so', async () => {
      const copy = await copied(['s1'])
      await takeSnapshot(world.backup, copy.source, 'only-here')
      await snapshot(copy.source, 's2')
      const ended = await settleBoth(copy, await startPush(copy))
      expect([ended.source.status, ended.target.status]).toEqual(['Success', 'Success'])
      expect(await snapshotNames(world.backup, copy.source)).toEqual(['s1', 's2'])
      expect(await world.backup.server.readMarker(copy.source, 's2')).toBe('s2')
    })

    test('of a target that is not there is a first copy', async () => {
      const source = await world.createInstance('absent')
      await snapshot(source, 's1')
      await pull({ from: world.main, to: world.backup, source, refresh: true, excludeOlder: true })
      expect(await snapshotNames(world.backup, source)).toEqual(['s1'])
    })

    test('without the snapshots deletes all that the target has', async () => {
      const copy = await copied(['s1', 's2'])
      await pull({ ...copy, instanceOnly: true })
      expect(await snapshotNames(world.backup, copy.source)).toEqual([])
    })

    test('onto a running target is refused', async () => {
      const source = { name: world.fresh('awake') }
      await world.main.server.createInstance({ ...source, running: true })
      await world.main.server.setRunning(source, false)
      const copy = { from: world.main, to: world.backup, source }
      await pull(copy)
      await world.backup.server.setRunning(source, true)
      const offered = readOperation(await offer(copy))
      const reply = await fetchOffered({ ...copy, refresh: true }, offered)
      expect(reply.status).toBe(500)
      expect(reply.envelope.error).toBe('Failed getting exclusive access to instance: Instance is running')
      await world.main.ask('cancelOperation', { parameters: { operation: offered.id } })
      await world.backup.server.setRunning(source, false)
    })
  })
}
