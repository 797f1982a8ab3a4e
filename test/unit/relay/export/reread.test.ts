import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CORRUPT, MISSING } from '../../../../shared/work/export/manifest.ts'
import { openBucket, storeIn } from './bucket.ts'
import { archive, NAME, openPlace, REF, savingOf } from './scene.ts'

const NEWER = '20261123T030000Z'

describe('an export that is read again', () => {
  const made = async () => {
    const place = openPlace()
    for (const name of [NAME, NEWER]) await place.exports.save(savingOf(archive(40_000, name), { name }))
    const [file = ''] = place.files().filter((one) => one.includes(NEWER) && one.endsWith('.zst'))
    return {
      place,
      path: join(place.root, file),
      check: (name: string | null) => place.exports.check('nas', REF, name, () => {}),
    }
  }

  test('is what was stored: the newest one, or one by its name', async () => {
    const { check } = await made()
    expect(await check(null)).toMatchObject({ ok: true, value: { name: NEWER } })
    expect(await check(NAME)).toMatchObject({ ok: true, value: { name: NAME } })
  })

  test.each<[string, (path: string) => void, string]>([
    ['with a byte that is another', (path) => writeFileSync(path, flipped(readFileSync(path))), 'SHA-256'],
    ['that was cut', (path) => writeFileSync(path, readFileSync(path).subarray(1)), 'bytes, and had'],
    ['whose file is gone', (path) => rmSync(path), 'is gone'],
  ])('%s is corrupt, and the others are not', async (_, damage, why) => {
    const { check, path } = await made()
    damage(path)
    expect(await check(null)).toMatchObject({
      ok: false,
      error: { status: CORRUPT, message: expect.stringContaining(why) },
    })
    expect(await check(NAME)).toMatchObject({ ok: true })
  })

  test('in a bucket is compared as well, and one that can’t be read is not called corrupt', async () => {
    const bucket = await openBucket()
    const place = openPlace({ r2: storeIn(bucket) })
    await place.exports.save({ ...savingOf(archive()), store: 'r2' })
    const check = () => place.exports.check('r2', REF, null, () => {})
    expect(await check()).toMatchObject({ ok: true })
    bucket.fault = (request) =>
      request.includes('.zst') && request.startsWith('GET') ? { status: 503 } : null
    const unread = await check()
    expect(unread).toMatchObject({ ok: false, error: { code: 'export' } })
    expect(unread.ok ? 0 : unread.error.status).toBeUndefined()
    bucket.fault = () => null
    const key = [...bucket.objects.keys()].find((one) => one.endsWith('.zst')) ?? ''
    bucket.objects.set(key, flipped(bucket.objects.get(key) ?? Buffer.alloc(0)))
    expect(await check()).toMatchObject({ ok: false, error: { status: CORRUPT } })
  })

  test('that there is not is told', async () => {
    const place = openPlace()
    expect(await place.exports.check('nas', REF, null, () => {})).toMatchObject({
      ok: false,
      error: { status: MISSING, message: expect.stringContaining('there is no export of it') },
    })
  })
})

function flipped(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes)
  other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 1
  return other
}
