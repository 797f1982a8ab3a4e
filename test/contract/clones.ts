/** New instances from snapshots, local and sent alone, and what tells beforehand whether one can be made. */
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { readInstance, snapshotNames, succeed, takeSnapshot } from './calls.ts'
import { type Copy, settleBoth, startPull, startPush } from './copy.ts'
import type { World } from './incus.ts'
import type { ContractInstance } from './server.ts'
import { readMetadata } from './side.ts'

const SETTINGS = { 'user.at': 's1', 'user.mark': 'x', 'boot.autostart.priority': '3' }

export function cloneContract(world: World): void {
  /** With the snapshot s1, and changed since. */
  const changed = async (): Promise<ContractInstance> => {
    const it = await world.createInstance('cloned', { config: SETTINGS })
    await world.main.server.write(it, 's1', 1000)
    await takeSnapshot(world.main, it, 's1')
    await world.main.server.write(it, 'later', 1000)
    await mark(it, { 'user.at': 'later' })
    return it
  }
  const mark = (it: ContractInstance, config: Record<string, string>) =>
    world.main.ask('markInstance', { parameters: { instance: it.name }, body: { config } })
  const local = (it: ContractInstance, name: string, more: object) =>
    world.main.ask('receiveInstance', {
      body: {
        ...{ name, type: 'container', source: { type: 'copy', source: `${it.name}/s1` } },
        ...more,
      },
    })

  describe('a new instance from a snapshot', () => {
    test('has its data, nobody has used it, and what the body does not name is the snapshot’s', async () => {
      const it = await changed()
      const name = world.fresh('clone')
      const began = Date.now()
      await succeed(world.main, await local(it, name, { config: { 'user.more': 'y' } }))
      const made = await readInstance(world.main, { name })
      expect(made).toMatchObject({ status: 'Stopped', config: { ...SETTINGS, 'user.more': 'y' } })
      expect(Date.parse(made.last_used_at)).toBeLessThanOrEqual(0)
      expect(Date.parse(made.created_at)).toBeGreaterThan(began - 5000)
      expect(await snapshotNames(world.main, { name })).toEqual([])
      expect(await world.main.server.readMarker({ name })).toBe('s1')
      expect(await world.main.server.readMarker(it)).toBe('later')
    })

    test('goes without the keys that the body empties, and the devices that it makes none', async () => {
      const it = await changed()
      const name = world.fresh('clone')
      const more = { config: { 'user.mark': '' }, devices: { eth0: { type: 'none' } } }
      await succeed(world.main, await local(it, name, more))
      const { config, devices } = await readInstance(world.main, { name })
      expect(Object.keys(config)).not.toContain('user.mark')
      expect(devices.eth0).toEqual({ type: 'none' })
    })

    test('gets autostart and a schedule by a patch, which an empty value takes off', async () => {
      const it = await changed()
      await mark(it, { 'snapshots.schedule': '@never', 'boot.autostart': 'false' })
      expect((await readInstance(world.main, it)).config).toMatchObject({ 'snapshots.schedule': '@never' })
      await mark(it, { 'snapshots.schedule': '', 'boot.autostart': '' })
      expect(Object.keys((await readInstance(world.main, it)).config)).not.toContain('snapshots.schedule')
    })

    test.for([
      ['pulled', startPull],
      ['pushed', startPush],
    ] as const)('is sent alone, %s, with its data and without snapshots', async ([, start]) => {
      const it = await changed()
      const target = { name: world.fresh('clone') }
      const copy: Copy = {
        from: world.main,
        to: world.backup,
        source: it,
        snapshot: 's1',
        target,
        config: SETTINGS,
      }
      const { target: ended } = await settleBoth(copy, await start(copy))
      expect([ended.status, ended.err]).toEqual(['Success', ''])
      const made = await readInstance(world.backup, target)
      expect(made).toMatchObject({ status: 'Stopped', config: SETTINGS })
      expect(Date.parse(made.last_used_at)).toBeLessThanOrEqual(0)
      expect(await snapshotNames(world.backup, target)).toEqual([])
      expect(await world.backup.server.readMarker(target)).toBe('s1')
    })

    test('is told beforehand how much its pool has, and which networks there are', async () => {
      const { pool } = world.main.server
      const asked = await world.main.ask('getPoolResources', { parameters: { pool } })
      const { space } = readMetadata(
        asked,
        z.looseObject({ space: z.looseObject({ used: z.number(), total: z.number() }) }),
      )
      expect(space.total).toBeGreaterThan(space.used)
      expect((await world.main.ask('getPool', { parameters: { pool: 'nowhere' } })).status).toBe(404)
      const networks = await world.main.ask('listNetworks', { query: { project: 'default', recursion: '1' } })
      expect(readMetadata(networks, z.array(z.looseObject({ name: z.string() })))).toBeInstanceOf(Array)
    })
  })
}
