/**
 * What an export of a bucket comes to, where a server has buckets by itself (7.0.2): a backup of it under a name, as a file, and a bucket that
 * is made of a file. 6.0.4 needs another program for them, which the lab doesn't have.
 */
import { unpackTar } from 'modern-tar'
import { expect, describe as suite, test } from 'vitest'
import { z } from 'zod'
import type { BucketDescription } from '../../relay/engine/exports.ts'
import { describe } from '../../relay/export/described.ts'
import { plain } from '../../relay/export/plain.ts'
import { rewritten } from '../../relay/export/rewritten.ts'
import { readOperation, settle, succeed } from './calls.ts'
import type { World } from './incus.ts'
import { NESTED } from './model.ts'
import { readMetadata } from './side.ts'

const bucketSchema = z.looseObject({
  ...{ name: z.string(), description: z.string(), project: z.string(), s3_url: z.string() },
  ...{ config: z.record(z.string(), z.string()), location: z.literal('none') },
})

const CONFIG = {
  'user.stapes.restoring-as': '20261122T030000Z export stopped making ~sealed',
  'user.stapes.known-since': '2026-11-24T03:00:00Z',
  'user.text': 'a: "b"\n {c} 😀',
}

const OBJECTS = { 'cat.jpg': 'meow', 'deep/er/dog one+%.jpg': 'woof', 'ü/ä': 'umlaut' }

const HEX = 24

const NEEDS_PROGRAM = 'this Incus has no buckets by itself'
const HAS_THEM = 'this Incus has buckets by itself'

export function bucketContract(world: World): void {
  let made = 0
  const place = (bucket: string) => ({ pool: world.main.server.pool, bucket })
  const freshBackup = (): string => `stapes-export-${(++made).toString(16).padStart(HEX, '0')}`
  const filled = async (objects: Record<string, string> = OBJECTS): Promise<string> => {
    const name = world.fresh('bucket')
    await world.main.server.createBucket(name, objects)
    return name
  }
  const read = async (bucket: string) => {
    const reply = await world.main.ask('getBucket', { parameters: place(bucket) })
    return reply.status === 404 ? null : readMetadata(reply, bucketSchema)
  }
  const backUp = (bucket: string, name: string) => {
    const body = { name, expires_at: '2040-01-01T00:00:00Z', compression_algorithm: 'none' }
    return world.main.ask('createBucketBackup', { parameters: place(bucket), body })
  }
  const fileOf = (bucket: string, backup: string, headers: Record<string, string> = {}) =>
    world.main.file('exportBucketBackup', { parameters: { ...place(bucket), backup }, headers })

  /** The tar of such a backup. */
  const tarOf = async (bucket: string): Promise<Uint8Array> => {
    const backup = freshBackup()
    await succeed(world.main, await backUp(bucket, backup))
    return joined(plain(once((await fileOf(bucket, backup)).bytes)))
  }
  let keys = 0
  const newKey = (name: string, role: string) => ({
    ...{ name, role, description: 'new' },
    accessKey: `STAPESKEY${(++keys).toString().padStart(11, '0')}`,
    secretKey: 's'.repeat(40),
  })
  const archiveFor = async (
    name: string,
    tar: Uint8Array,
    wanted = [newKey('admin', 'admin'), newKey('reader', 'read-only')],
  ): Promise<{ file: Uint8Array; keys: BucketDescription['keys'] }> => {
    const { pool, driver } = world.main.server
    const to = { remote: 'main', project: 'default', instance: `${pool}::${name}` }
    const bucket = { name, description: 'imported', config: CONFIG }
    const description = { to, pool, driver, madeAt: '2026-11-24T03:00:00Z', bucket, keys: wanted }
    return { file: await joined(rewritten(once(tar), describe(description))), keys: wanted }
  }
  const upload = (name: string, file: Uint8Array) => world.main.upload(name, file, { bucket: true })

  suite('buckets', () => {
    test('are listed, or are none, and what isn’t there is 404', async () => {
      const { pool } = world.main.server
      const query = { recursion: '1', 'all-projects': 'true' }
      const reply = await world.main.ask('listBuckets', { parameters: { pool }, query })
      expect(readMetadata(reply, z.array(bucketSchema))).toBeDefined()
      const parameters = place('nothing-of-that-name')
      const backup = freshBackup()
      const body = { name: backup, expires_at: '2040-01-01T00:00:00Z' }
      const answers = [
        await world.main.ask('getBucket', { parameters }),
        await world.main.ask('listBucketKeys', { parameters }),
        await world.main.ask('markBucket', { parameters, body: { config: {} } }),
        await world.main.ask('deleteBucket', { parameters }),
        await world.main.ask('createBucketBackup', { parameters, body }),
        await world.main.ask('exportBucketBackup', { parameters: { ...parameters, backup } }),
        await world.main.ask('deleteBucketBackup', { parameters: { ...parameters, backup } }),
      ]
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404))
    })

    test('are not made by 6.0.4, which lacks a program for them', async ({ skip }) => {
      skip(world.has(NESTED), HAS_THEM)
      await expect(filled()).rejects.toThrow('MinIO')
    })

    test('name their keys without what these are, and forget a description that a change doesn’t repeat', async ({
      skip,
    }) => {
      skip(!world.has(NESTED), NEEDS_PROGRAM)
      const name = await filled()
      const parameters = place(name)
      const listed = await world.main.ask('listBucketKeys', { parameters })
      const base = `/1.0/storage-pools/${world.main.server.pool}/buckets/${name}`
      expect(readMetadata(listed, z.array(z.string()))).toEqual([`${base}/keys/admin`])
      const change = (body: object) => world.main.ask('markBucket', { parameters, body })
      await change({ description: 'of cats', config: { 'user.stapes.known-since': 'x' } })
      expect(await read(name)).toMatchObject({
        ...{ description: 'of cats', config: { 'user.stapes.known-since': 'x' } },
      })
      await change({ config: { 'user.stapes.known-since': '' } })
      expect(await read(name)).toMatchObject({ description: '', config: {} })
    })
  })

  suite('an export of a bucket', () => {
    test('is a compressed tar of its objects and keys, whatever was asked for, that can be read on from any byte', async ({
      skip,
    }) => {
      skip(!world.has(NESTED), NEEDS_PROGRAM)
      const name = await filled()
      const backup = freshBackup()
      const started = await backUp(name, backup)
      const { description, resources } = readOperation(started)
      expect(description).toBe('Creating bucket backup')
      const url = `/1.0/storage-pools/${world.main.server.pool}/buckets/${name}`
      expect(resources).toMatchObject({ storage_buckets: [url] })
      await succeed(world.main, started)
      const whole = await fileOf(name, backup)
      expect([whole.status, Number(whole.headers['content-length'])]).toEqual([200, whole.bytes.length])
      expect([...whole.bytes.subarray(0, 2)]).toEqual([0x1f, 0x8b])
      const rest = await fileOf(name, backup, { range: 'bytes=100-' })
      expect(Buffer.from(rest.bytes).equals(Buffer.from(whole.bytes.subarray(100)))).toBe(true)
      const entries = await unpackTar(await joined(plain(once(whole.bytes))), { strict: true })
      expect(entries.map(({ header }) => header.name)).toEqual([
        'backup/index.yaml',
        ...Object.keys(OBJECTS).map((key) => `backup/bucket/${key}`),
      ])
      expect(Buffer.from(entries[0]?.data ?? []).toString()).toContain('secret-key')
      expect(Buffer.from(entries[1]?.data ?? []).toString()).toBe('meow')
    })

    test('leaves out one of a thousand and one objects, with Success', async ({ skip }) => {
      skip(!world.has(NESTED), NEEDS_PROGRAM)
      const names = Array.from({ length: 1002 }, (_, at) => `o${at.toString().padStart(4, '0')}`)
      const bucket = await filled(Object.fromEntries(names.map((name) => [name, 'x'])))
      const held = (await unpackTar(await tarOf(bucket))).map(({ header }) => header.name)
      expect(held).toHaveLength(1002)
      expect(names.filter((name) => !held.includes(`backup/bucket/${name}`))).toEqual(['o1000'])
    })

    test('is not deleted by Incus when it is asked to, nor made twice under one name', async ({ skip }) => {
      skip(!world.has(NESTED), NEEDS_PROGRAM)
      const [name, backup] = [await filled(), freshBackup()]
      await succeed(world.main, await backUp(name, backup))
      const parameters = { ...place(name), backup }
      const gone = await settle(world.main, await world.main.ask('deleteBucketBackup', { parameters }))
      expect([gone.description, gone.status, gone.err]).toEqual([
        'Deleting bucket backup',
        'Failure',
        'Storage volume backup not found',
      ])
      expect((await fileOf(name, backup)).status).toBe(200)
      const again = await settle(world.main, await backUp(name, backup))
      expect([again.status, again.err]).toEqual(['Failure', `Backup "${name}/${backup}" already exists`])
    })
  })

  suite('an import of a bucket', () => {
    test('is refused at once where its file is no archive, and makes nothing', async () => {
      const name = world.fresh('imported')
      const { status, envelope } = await upload(name, Buffer.from('no archive at all'))
      expect([status, envelope.error]).toEqual([400, 'Unsupported compression'])
      expect(await read(name)).toBeNull()
    })

    test('is described by the file alone: its keys, and its marks from the first moment', async ({
      skip,
    }) => {
      skip(!world.has(NESTED), NEEDS_PROGRAM)
      const [name, original] = [world.fresh('imported'), await filled()]
      const { file, keys: given } = await archiveFor(name, await tarOf(original))
      const reply = await upload(name, file)
      const { description, resources } = readOperation(reply)
      expect(description).toBe('Restoring bucket backup')
      const url = `/1.0/storage-pools/${world.main.server.pool}/buckets/bucket/${name}`
      expect(resources).toMatchObject({ storage_buckets: [url] })
      await succeed(world.main, reply)
      expect(await read(name)).toMatchObject({ description: 'imported', config: CONFIG })
      const [, reader] = given
      expect(await world.main.server.readObjects(name, reader)).toEqual(OBJECTS)
      const gone = await world.main.ask('deleteBucket', { parameters: place(name) })
      expect([gone.status, await read(name)]).toEqual([200, null])
    })

    test('fails with keys that are taken, or with none that may write, and nothing of it stays', async ({
      skip,
    }) => {
      skip(!world.has(NESTED), NEEDS_PROGRAM)
      const tar = await tarOf(await filled())
      const [first, second] = [world.fresh('imported'), world.fresh('imported')]
      const { file, keys: taken } = await archiveFor(first, tar)
      await succeed(world.main, await upload(first, file))
      const why = async (name: string, wanted: BucketDescription['keys']): Promise<string> => {
        const archive = await archiveFor(name, tar, wanted)
        return (await settle(world.main, await upload(name, archive.file))).err
      }
      expect(await why(second, taken)).toContain('using that access key already exists on this server')
      expect(await why(second, [newKey('reader', 'read-only')])).toContain(
        'No storage bucket admin key found',
      )
      expect(await read(second)).toBeNull()
      expect(await why(first, [newKey('admin', 'admin')])).toContain('already exists')
      expect(await world.main.server.readObjects(first, taken[0])).toEqual(OBJECTS)
    })
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function joined(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}
