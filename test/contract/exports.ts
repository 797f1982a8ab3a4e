/** What an export comes to: an instance made of a snapshot, its backup as a file, and that both go together. */
import { unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { exists, listSnapshots, readInstance, readOperation, settle, succeed, takeSnapshot } from './calls.ts'
import type { World } from './incus.ts'
import type { ContractInstance } from './server.ts'
import { readMetadata } from './side.ts'

const HOLD = 'user.stapes.hold.s1'

export function exportContract(world: World): void {
  let made = 0
  /** Changed since its snapshot, of which an instance is made as an export does. */
  const copied = async (): Promise<ContractInstance> => {
    const { main } = world
    // Not started by itself: an empty one would hold up a daemon that begins anew.
    const config = { 'user.at': 's1', [HOLD]: 'kept' }
    const it = { name: world.fresh('exported') }
    await main.server.createInstance({ ...it, config })
    await main.server.write(it, 's1', 1000)
    await takeSnapshot(main, it, 's1')
    await main.server.write(it, 'later', 1000)
    const name = `stapes-export-${(++made).toString(16).padStart(24, '0')}`
    const body = {
      ...{ name, source: { type: 'copy', source: `${it.name}/s1`, project: 'default' } },
      config: {
        'boot.autostart': 'false',
        'user.at': 'copied',
        [HOLD]: '',
        'user.stapes.exporting': 'sealed',
      },
      devices: { unused: { type: 'none' } },
    }
    await succeed(main, await main.ask('receiveInstance', { query: { project: 'default' }, body }))
    return { name }
  }
  const backUp = (it: ContractInstance, body: object = {}) => {
    const about = { name: it.name, instance_only: true, compression_algorithm: 'none' }
    const parameters = { instance: it.name }
    return world.main.ask('createBackup', {
      parameters,
      body: { ...about, optimized_storage: false, ...body },
    })
  }

  describe('an export', () => {
    test('is of an instance made from a snapshot, with what was given, and without the keys that are emptied', async () => {
      const it = await copied()
      const { config, devices, status, profiles } = await readInstance(world.main, it)
      expect([status, profiles]).toEqual(['Stopped', ['default']])
      expect(config).toMatchObject({ 'boot.autostart': 'false', 'user.at': 'copied' })
      expect(config[HOLD]).toBeUndefined()
      expect(devices.unused).toEqual({ type: 'none' })
      expect(await world.main.server.readMarker(it)).toBe('s1')
      expect(await listSnapshots(world.main, it)).toEqual([])
    })

    test('is an uncompressed tar with a length, and can be read on from any byte', async () => {
      const it = await copied()
      const ended = await settle(world.main, await backUp(it, { expires_at: '2040-01-01T00:00:00Z' }))
      expect([ended.status, ended.description]).toEqual(['Success', 'Backing up instance'])
      const parameters = { instance: it.name, backup: it.name }
      const whole = await world.main.file('exportBackup', { parameters })
      expect([whole.status, Number(whole.headers['content-length'])]).toEqual([200, whole.bytes.length])
      const entries = await unpackTar(whole.bytes, { strict: true })
      const names = entries.map(({ header }) => header.name)
      expect(names[0]).toBe('backup/index.yaml')
      const marker = entries.find(({ header }) => header.name === 'backup/container/rootfs/marker')
      expect(Buffer.from(marker?.data ?? []).toString()).toBe('s1')
      const rest = await world.main.file('exportBackup', { parameters, headers: { range: 'bytes=1000-' } })
      const size = whole.bytes.length
      expect([rest.status, rest.headers['content-range']]).toEqual([206, `bytes 1000-${size - 1}/${size}`])
      expect(Buffer.from(rest.bytes).equals(Buffer.from(whole.bytes.subarray(1000)))).toBe(true)
    })

    test('goes with its instance', async () => {
      const it = await copied()
      await succeed(world.main, await backUp(it))
      await succeed(world.main, await world.main.ask('deleteInstance', { parameters: { instance: it.name } }))
      expect(await exists(world.main, it)).toBe(false)
      const gone = await world.main.file('exportBackup', {
        parameters: { instance: it.name, backup: it.name },
      })
      expect(gone.status).toBe(404)
    })

    test('of a name that is taken fails', async () => {
      const it = await copied()
      await succeed(world.main, await backUp(it))
      const again = await settle(world.main, await backUp(it))
      expect([again.status, again.err]).toEqual([
        'Failure',
        expect.stringContaining(`Backup "${it.name}/${it.name}" already exists`),
      ])
    })

    test('of a snapshot that is not there is refused', async () => {
      const it = { name: world.fresh('exported') }
      await world.main.server.createInstance(it)
      const body = {
        ...{ name: `stapes-export-${'f'.repeat(24)}`, source: { type: 'copy', source: `${it.name}/none` } },
        config: { 'boot.autostart': 'false', 'user.stapes.exporting': 'sealed' },
      }
      const refused = await world.main.ask('receiveInstance', { body })
      const text = refused.status < 400 ? readOperation(await refused).err : refused.envelope.error
      expect(text).toMatch(/not found/i)
      expect(await exists(world.main, { name: body.name })).toBe(false)
    })

    test('finds out how much room a pool has', async () => {
      const { pool } = world.main.server
      const space = z.looseObject({ used: z.number(), total: z.number() })
      const reply = await world.main.ask('getPoolResources', { parameters: { pool } })
      expect(readMetadata(reply, z.looseObject({ space })).space.total).toBeGreaterThan(0)
    })

    test('has its pool’s use of the disk with it, where the driver tells', async () => {
      const it = { name: world.fresh('exported') }
      await world.main.server.createInstance(it)
      const state = await world.main.ask('getInstanceState', { parameters: { instance: it.name } })
      const disk = z.record(z.string(), z.looseObject({ usage: z.number() }))
      expect(readMetadata(state, z.looseObject({ status: z.string(), disk })).status).toBe('Stopped')
    })
  })
}
