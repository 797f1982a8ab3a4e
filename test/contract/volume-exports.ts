/** What an export of a custom volume comes to: a volume made of a snapshot, its backup as a file, that both go together; and a volume made of a file. */
import { unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { describe as described } from '../../relay/export/described.ts'
import { rewritten } from '../../relay/export/rewritten.ts'
import { readOperation, settle, succeed } from './calls.ts'
import type { World } from './incus.ts'
import { readMetadata } from './side.ts'

const texts = z.record(z.string(), z.string())
const volumeSchema = z.looseObject({
  ...{ content_type: z.string(), description: z.string(), config: texts, created_at: z.string() },
})

const MADE_AT = '2026-11-24T03:00:00Z'
const CONFIG = {
  'user.stapes.restoring-as': '20261122T030000Z export stopped making ~sealed',
  'user.text': 'a: "b"\n\u0085 \u2028{c} 😀',
}

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

  /** The archive of such a volume, with the description that is sent instead. */
  const archiveFor = async (name: string, of?: string, more: object = {}): Promise<Uint8Array> => {
    const stored = of ?? (await copied())
    await succeed(world.main, await backUp(stored))
    const { pool, driver } = world.main.server
    const volume = { name, content_type: 'filesystem', description: 'imported', config: CONFIG, ...more }
    const to = { remote: 'main', project: 'default', instance: `${pool}:${name}` }
    const description = { ...{ pool, driver, madeAt: MADE_AT }, to, volume }
    const chunks: Uint8Array[] = []
    for await (const chunk of rewritten(once((await fileOf(stored)).bytes), described(description)))
      chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  const read = async (volume: string) => {
    const reply = await world.main.ask('getVolume', { parameters: { ...place(volume), type: 'custom' } })
    return reply.status === 404 ? null : readMetadata(reply, volumeSchema)
  }
  const imageOf = async (volume: string): Promise<Uint8Array | undefined> => {
    const entries = await unpackTar((await fileOf(volume)).bytes, { strict: true })
    return entries.find(({ header }) => header.name === 'backup/volume.img')?.data
  }
  const upload = (name: string, file: Uint8Array, more: { cut?: boolean } = {}) =>
    world.main.upload(name, file, { volume: true, ...more })

  describe('an import of a custom volume', () => {
    test('is described by the file alone, its date included, with its marks from the first moment', async () => {
      const name = world.fresh('imported')
      const reply = await upload(name, await archiveFor(name))
      const { description, resources } = readOperation(reply)
      expect(description).toBe('Restoring custom volume backup')
      const url = `/1.0/storage-pools/${world.main.server.pool}/volumes/custom/${name}`
      expect(resources).toMatchObject({ storage_volumes: [url] })
      await succeed(world.main, reply)
      const made = await read(name)
      expect(made).toMatchObject({ description: 'imported', content_type: 'filesystem', created_at: MADE_AT })
      expect(made?.config).toEqual(CONFIG)
      expect(await world.main.server.readVolumeMarker(name)).toBe('s1')
    })

    test('of a block device is that device again', async () => {
      const [block, name] = [world.fresh('block'), world.fresh('imported')]
      const config = { size: '4MiB' }
      const body = JSON.stringify({ name: block, content_type: 'block', config })
      const path = `/1.0/storage-pools/${world.main.server.pool}/volumes/custom`
      expect((await world.main.raw('POST', path, body)).status).toBe(200)
      const more = { content_type: 'block', config: { ...CONFIG, ...config } }
      await succeed(world.main, await upload(name, await archiveFor(name, block, more)))
      expect(await read(name)).toMatchObject({ content_type: 'block', config: more.config })
      await succeed(world.main, await backUp(name))
      const [before, after] = await Promise.all([block, name].map(imageOf))
      expect(after?.length).toBe(before?.length)
      expect(Buffer.from(after ?? []).equals(Buffer.from(before ?? []))).toBe(true)
    })

    test('makes nothing of a file that has no end, though every byte of it came', async () => {
      const name = world.fresh('imported')
      const file = await archiveFor(name)
      await expect(upload(name, file, { cut: true })).rejects.toThrow()
      await world.elapse(2)
      expect(await read(name)).toBeNull()
      await succeed(world.main, await upload(name, file))
    })

    test('under a name that is taken fails, and leaves that one alone', async () => {
      const name = world.fresh('taken')
      await world.main.server.createVolume(name)
      await world.main.server.writeVolume(name, 'somebody’s', 1000)
      const ended = await settle(world.main, await upload(name, await archiveFor(name)))
      expect([ended.status, ended.err]).toEqual(['Failure', expect.stringContaining('already exists')])
      expect(await world.main.server.readVolumeMarker(name)).toBe('somebody’s')
    })
  })

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

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
