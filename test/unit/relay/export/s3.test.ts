import { describe, expect, test } from 'vitest'
import { partSize } from '../../../../relay/export/s3.ts'
import { openBucket, storeIn } from './bucket.ts'
import { archive, FOLDER, large, NAME, openPlace, REF, savingOf, unpacked } from './scene.ts'

const MEBI = 1024 * 1024

const open = async (more: object = {}) => {
  const bucket = await openBucket()
  const place = openPlace({ r2: storeIn(bucket, more) })
  const save = async (file: Uint8Array, name = NAME) =>
    place.exports.save({ ...savingOf(file, { name, chunk: 300_000 }), store: 'r2' })
  return { bucket, place, save }
}

describe('an export in a bucket', () => {
  test('of any size is whole, under the prefix, and leaves no upload', async () => {
    const { bucket, place, save } = await open()
    for (const [name, file] of [
      [NAME, archive()],
      ['20261122T040000Z', large()],
    ] as const) {
      const saved = await save(file, name)
      if (!saved.ok) throw new Error(saved.error.message)
      const key = `incus/here/${FOLDER}/${saved.value.stored.file}`
      expect(Buffer.from(unpacked(bucket.objects.get(key) ?? Buffer.alloc(0))).equals(file)).toBe(true)
    }
    expect(bucket.uploads.size).toBe(0)
    expect(bucket.asked.filter((one) => one.includes('partNumber='))).toHaveLength(3)
    expect(await place.exports.list('r2', REF, null)).toMatchObject({
      value: [{ name: '20261122T040000Z' }, { name: NAME }],
    })
  })

  test('overwrites nothing, and leaves nothing of what was refused', async () => {
    const { bucket, save } = await open()
    await save(archive())
    const before = new Map(bucket.objects)
    expect(await save(large())).toMatchObject({ ok: false })
    expect(bucket.objects).toEqual(before)
    expect(bucket.uploads.size).toBe(0)
  })

  test('goes on where the bucket is busy or breaks off', async () => {
    const { bucket, save } = await open()
    bucket.fault = (request, place) =>
      place % 2 === 1 ? null : request.startsWith('PUT') ? 'break' : { status: 503, body: '' }
    expect(await save(large())).toMatchObject({ ok: true })
    expect(bucket.uploads.size).toBe(0)
  })

  test.each([
    ['each part', large(), 'PUT', 'partNumber='],
    ['the end of an upload in parts', large(), 'POST', 'uploadId='],
    ['a file that is sent whole', archive(), 'PUT', '.tar.zst'],
    ['the manifest', archive(), 'PUT', '.json'],
  ])('is whole where the answer is lost that confirms %s', async (_, file, method, part) => {
    const { bucket, save, place } = await open()
    const struck = new Set<string>()
    bucket.fault = (request) => {
      const isIt = request.startsWith(method) && request.includes(part) && !struck.has(request)
      if (isIt) struck.add(request)
      return isIt ? 'late' : null
    }
    expect(await save(file)).toMatchObject({ ok: true })
    expect(struck.size).toBeGreaterThan(0)
    expect(bucket.uploads.size).toBe(0)
    expect([...bucket.objects.keys()]).toHaveLength(2)
    expect(await place.exports.list('r2', REF, null)).toMatchObject({ value: [{ name: NAME }] })
  })

  test('that somebody else has put there under its name is not taken for its own', async () => {
    const { bucket, save } = await open()
    bucket.fault = (request) => {
      if (request.startsWith('PUT') && request.endsWith('.json'))
        bucket.objects.set(`incus/here/${FOLDER}/${NAME}.json`, Buffer.from('{"another": "one"}'))
      return null
    }
    expect(await save(archive())).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('not overwritten') },
    })
  })

  test.each([
    ['a wrong secret', { secretAccessKey: 'wrong' }, 'check secretAccessKey'],
    ['no such bucket', { bucket: 'nowhere' }, 'check bucket'],
  ])('with %s is refused with what to do, and without the secret', async (_, more, advice) => {
    const { save, bucket } = await open(more)
    const saved = await save(large())
    expect(saved.ok ? '' : saved.error.message).toContain(advice)
    expect(saved.ok ? '' : saved.error.message).not.toContain('secret / with')
    expect([bucket.objects.size, bucket.uploads.size]).toEqual([0, 0])
  })

  test('of which the bucket holds less than was sent is none', async () => {
    const { bucket, save, place } = await open()
    bucket.fault = (request) =>
      request.startsWith('HEAD') && request.endsWith('.tar.zst') ? { status: 200, body: 'short' } : null
    const saved = await save(archive())
    expect(saved.ok ? '' : saved.error.message).toContain('bytes that were sent')
    expect(bucket.objects.size).toBe(0)
    expect(await place.exports.list('r2', REF, null)).toEqual({ ok: true, value: [] })
  })
})

test('parts are few enough for any size', () => {
  for (const bytes of [0, 1e6, 80e9, 5e12]) {
    const size = partSize(bytes)
    expect(size % MEBI).toBe(0)
    expect(Math.ceil((bytes * 1.01) / size)).toBeLessThan(10_000)
  }
  expect(partSize(70e9)).toBe(8 * MEBI)
})
