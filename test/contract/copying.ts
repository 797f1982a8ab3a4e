/** What both servers show and allow while a first copy is under way. */

import { beforeAll, describe, expect, test } from 'vitest'
import {
  exists,
  readInstance,
  settle,
  snapshotNames,
  startSnapshot,
  succeed,
  takeSnapshot,
  volumeDates,
} from './calls.ts'
import { type Copy, type Ended, settleBoth, startPull } from './copy.ts'
import type { World } from './incus.ts'
import { fullInstanceSchema, NESTED, operationListSchema } from './model.ts'
import type { ContractInstance } from './server.ts'
import { readMetadata } from './side.ts'

export function copyingContract(world: World): void {
  const copyOf = (source: ContractInstance, more: Partial<Copy> = {}): Copy => ({
    ...{ from: world.main, to: world.backup, source },
    ...more,
  })

  describe('while a first copy is under way', () => {
    let source: ContractInstance
    let copy: Copy
    let started: Ended
    let ended: Promise<Ended>
    beforeAll(async () => {
      source = await world.createInstance('moving')
      for (const name of ['s1', 's2', 's3']) {
        await world.main.server.write(source, name, 1_200_000)
        await takeSnapshot(world.main, source, name)
      }
      await world.main.server.throttle(400_000)
      copy = copyOf(source)
      started = await startPull(copy)
      // Waited for from the start: an operation is forgotten 5 s after its end.
      ended = settleBoth(copy, started)
      await world.elapse(1.5)
      await world.main.server.throttle(null)
    })

    test.for(['main', 'backup'] as const)('the operations of %s tell', async (name) => {
      const query = { recursion: '1', 'all-projects': 'true' }
      const reply = await world[name].ask('listOperations', { query })
      const { running = [] } = readMetadata(reply, operationListSchema)
      const [id, description] =
        name === 'main' ? [started.source.id, 'Migrating instance'] : [started.target.id, 'Creating instance']
      const own = running.find((operation) => operation.id === id)
      expect(own).toMatchObject({
        ...{ description, status_code: 103, may_cancel: name === 'main' },
        resources: { instances: [`/1.0/instances/${source.name}`] },
        metadata: { fs_progress: expect.stringMatching(new RegExp(`^${source.name}/s1: .+`)) },
      })
    })

    test('the half-done target looks complete', async () => {
      expect((await readInstance(world.backup, source)).status).toBe('Stopped')
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2', 's3'])
      const full = await world.backup.ask('listInstances', { query: { recursion: '2' } })
      const found = readMetadata(full, fullInstanceSchema.array()).find(({ name }) => name === source.name)
      expect(found?.snapshots?.map(({ name }) => name).sort()).toEqual(['s1', 's2', 's3'])
      expect([...(await volumeDates(world.backup, source, world.has(NESTED))).keys()].sort()).toEqual([
        's1',
        's2',
        's3',
      ])
      expect(await world.backup.server.readMarker(source, 's3')).toBeNull()
    })

    test('the target is neither deleted nor snapshotted', async () => {
      const removal = await world.backup.ask('deleteInstance', { parameters: { instance: source.name } })
      expect((await settle(world.backup, removal)).err).toBe(
        'Failed to create instance delete operation: Instance is busy running a "create" operation',
      )
      const snapshot = await settle(world.backup, await startSnapshot(world.backup, source, 'theirs'))
      expect(snapshot.err).toMatch(
        world.has(NESTED)
          ? new RegExp(`^open .*/containers/${source.name}: no such file or directory$`)
          : /backup\.yaml: no such file or directory$/,
      )
    })

    test('the source takes snapshots, but no marks', async () => {
      await succeed(world.main, await startSnapshot(world.main, source, 'meanwhile'))
      const parameters = { instance: source.name }
      const mark = await world.main.ask('markInstance', {
        ...{ parameters, body: { config: { 'user.stapes.x': 'y' } } },
      })
      expect(mark.status).toBe(500)
      expect(mark.envelope.error).toBe(
        'Failed to create instance update operation: Instance is busy running a "migrate" operation',
      )
    })

    test('a second copy of the same source fails, up to 6.0.5 once the first is over', async () => {
      const target = { name: world.fresh('second') }
      const second = copyOf(source, { target })
      const ended = await settleBoth(second, await startPull(second))
      expect([ended.source.status, ended.target.status]).toEqual(['Failure', 'Failure'])
      const why = world.has(NESTED)
        ? 'The instance is already being migrated'
        : 'A matching non-reusable operation has now succeeded'
      expect(ended.source.err).toBe(`Failed migration on source: ${why}`)
      expect(await exists(world.backup, target)).toBe(false)
    })

    test('it ends well, without the snapshot that came too late', async () => {
      const { source: atSource, target: atTarget } = await ended
      expect([atSource.status, atTarget.status]).toEqual(['Success', 'Success'])
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2', 's3'])
      expect(await world.backup.server.readMarker(source, 's3')).toBe('s3')
    })
  })

  test('a mark set while a first copy is under way lifts its lock: the target can then be deleted', async () => {
    const source = await world.createInstance('unlocked')
    await world.main.server.write(source, 's1', 800_000)
    await takeSnapshot(world.main, source, 's1')
    await world.main.server.throttle(400_000)
    const copy = copyOf(source)
    const started = await startPull(copy)
    await world.elapse(1)
    await world.main.server.throttle(null)
    const parameters = { instance: source.name }
    const body = { config: { 'user.stapes.replica': 'early' } }
    expect((await world.backup.ask('markInstance', { parameters, body })).status).toBe(200)
    const removal = await settle(world.backup, await world.backup.ask('deleteInstance', { parameters }))
    // Later versions keep the volume mounted while it is received: its data go, its folder and record don't.
    if (world.has(NESTED)) expect(removal.err).toMatch(/: device or resource busy$/)
    else expect(removal.status).toBe('Success')
    const ended = await settleBoth(copy, started)
    expect([ended.source.status, ended.target.status]).toEqual(['Failure', 'Failure'])
    expect(await exists(world.backup, source)).toBe(false)
  })
}
