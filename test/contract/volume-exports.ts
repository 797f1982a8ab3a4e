/** What an export of a custom volume comes to: a volume made of a snapshot, its backup as a file, and that both go together. */
import { unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readOperation, settle, succeed } from './calls.ts'
import type { World } from './incus.ts'
import { readMetadata } from './side.ts'

const texts = z.record(z.string(), z.string())
const volumeSchema = z.looseObject({ content_type: z.string(), description: z.string(), config: texts })

export function volumeExportContract(world: World): void {
  let made = 0
  const place = (volume: string) => ({ pool: world.main.server.pool, volume })
  const fresh = (): string => `stapes-export-${(++made).toString(16).padStart(24, '0')}`

  /** Changed since its snapshot, of which a volume is made as an export does. */
  const copied = async (): Promise<string> => {
    const { main } = world
    const original = world.fresh('exported')
    await main.server.createVolume(original)
    await main.server.writeVolume(original, 's1', 1000)
    const parameters = place(original)
    await succeed(main, await main.ask('createVolumeSnapshot', { parameters, body: { name: 's1' } }))
    await main.server.writeVolume(original, 'later', 1000)
    const name = fresh()
    const source = { type: 'copy', name: `${original}/s1`, pool: main.server.pool, project: 'default' }
    const body = {
      ...{ name, type: 'custom', content_type: 'filesystem', description: 'of the shop', source },
      config: { 'user.for': 'shop', 'user.stapes.exporting': 'sealed' },
    }
    await succeed(main, await main.ask('receiveVolume', { parameters: { pool: main.server.pool }, body }))
    return name
  }
  const backUp = (volume: string) => {
    const about = { name: volume, volume_only: true, compression_algorithm: 'none' }
    const body = { ...about, optimized_storage: false, expires_at: '2040-01-01T00:00:00Z' }
    return world.main.ask('createVolumeBackup', { parameters: place(volume), body })
  }
  const fileOf = (volume: string, headers: Record<string, string> = {}) =>
    world.main.file('exportVolumeBackup', { parameters: { ...place(volume), backup: volume }, headers })

  describe('an export of a custom volume', () => {
    test('is of a volume made from a snapshot, with what was given', async () => {
      const name = await copied()
      const parameters = { ...place(name), type: 'custom' }
      const volume = readMetadata(await world.main.ask('getVolume', { parameters }), volumeSchema)
      expect(volume).toMatchObject({ content_type: 'filesystem', description: 'of the shop' })
      expect(volume.config).toMatchObject({ 'user.for': 'shop', 'user.stapes.exporting': 'sealed' })
      expect(await world.main.server.readVolumeMarker(name)).toBe('s1')
    })

    test('names it while it is made, and is an uncompressed tar that can be read on from any byte', async () => {
      const name = await copied()
      const started = await backUp(name)
      const { description, resources } = readOperation(started)
      expect(description).toBe('Creating custom volume backup')
      const url = `/1.0/storage-pools/${world.main.server.pool}/volumes/custom/${name}`
      expect(resources).toMatchObject({ storage_volumes: [url] })
      await succeed(world.main, started)
      const whole = await fileOf(name)
      expect([whole.status, Number(whole.headers['content-length'])]).toEqual([200, whole.bytes.length])
      const entries = await unpackTar(whole.bytes, { strict: true })
      expect(entries[0]?.header.name).toBe('backup/index.yaml')
      const marker = entries.find(({ header }) => header.name === 'backup/volume/marker')
      expect(Buffer.from(marker?.data ?? []).toString()).toBe('s1')
      const rest = await fileOf(name, { range: 'bytes=1000-' })
      const size = whole.bytes.length
      expect([rest.status, rest.headers['content-range']]).toEqual([206, `bytes 1000-${size - 1}/${size}`])
      expect(Buffer.from(rest.bytes).equals(Buffer.from(whole.bytes.subarray(1000)))).toBe(true)
    })

    test('goes with its volume, and another of that name fails before', async () => {
      const name = await copied()
      await succeed(world.main, await backUp(name))
      const again = await settle(world.main, await backUp(name))
      expect([again.status, again.err]).toEqual([
        'Failure',
        expect.stringContaining(`Backup "${name}/${name}" already exists`),
      ])
      const gone = await world.main.ask('deleteVolume', { parameters: place(name) })
      expect([gone.status, gone.envelope.type]).toEqual([200, 'sync'])
      expect((await fileOf(name)).status).toBe(404)
    })

    test('finds out what it takes, where the driver tells', async () => {
      const reply = await world.main.ask('getVolumeState', { parameters: place(await copied()) })
      const usage = z.looseObject({ usage: z.looseObject({ used: z.number().optional() }).nullable() })
      expect(readMetadata(reply, usage)).toHaveProperty('usage')
    })
  })
}
