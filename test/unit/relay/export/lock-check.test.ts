/** Whether the relay's own key could delete what a store should keep: tried on an object of its own, and on no export. */
import { expect, test } from 'vitest'
import { openBucket, storeIn } from './bucket.ts'
import { archive, NAME, openPlace, REF, savingOf } from './scene.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

async function begin() {
  const bucket = await openBucket()
  const place = openPlace({ r2: storeIn(bucket, { locked: true }) })
  await place.exports.save({ ...savingOf(archive()), store: 'r2' })
  const exported = [...bucket.objects.keys()]
  const look = async (later = 0) => {
    const exports = later === 0 ? place.exports : place.again(later)
    await exports.checkLocks()
    return exports.about('r2')
  }
  const left = () => [...bucket.objects.keys()].filter((key) => !exported.includes(key))
  return { bucket, place, exported, look, left }
}

test('a bucket without a lock lets it: that is said, and nothing of the check stays', async () => {
  const { bucket, exported, look, left, place } = await begin()
  expect(place.exports.about('r2')).toEqual({ locked: true })
  expect(await look()).toEqual({ locked: true, deletes: { can: true } })
  expect(left()).toEqual([])
  expect([...bucket.objects.keys()]).toEqual(exported)
  const deleted = bucket.asked.filter((request) => request.startsWith('DELETE'))
  expect(deleted.length).toBeGreaterThan(0)
  expect(deleted.filter((request) => request.includes(NAME))).toEqual([])
  expect(place.exports.about('nas')).toEqual({})
})

test('Object Lock says for how long it can’t; what is left of the check goes once that is over', async () => {
  const { bucket, look, left } = await begin()
  bucket.lock = { ms: 30 * DAY, passable: false }
  expect(await look()).toMatchObject({ deletes: { can: false, seconds: 30 * 86_400 } })
  expect(left()).toHaveLength(1)
  for (const key of left()) bucket.locks.set(key, new Date(Date.now() - HOUR).toISOString())
  expect(await look()).toMatchObject({ deletes: { can: false } })
  expect(left()).toHaveLength(1)
})

test('a lock that its own key may pass is none', async () => {
  const { bucket, look, left } = await begin()
  bucket.lock = { ms: 30 * DAY, passable: true }
  expect(await look()).toMatchObject({ deletes: { can: true } })
  expect(left()).toEqual([])
})

test('a bucket lock as R2 has it says no time', async () => {
  const { bucket, look } = await begin()
  bucket.isLocked = true
  expect(await look()).toMatchObject({ deletes: { can: false } })
  expect((await look()).deletes).not.toHaveProperty('seconds')
})

test('where the check itself fails, it is unknown, and why', async () => {
  const { bucket, look } = await begin()
  bucket.fault = () => ({ status: 403, body: '<Error><Code>AccessDenied</Code></Error>' })
  expect(await look()).toMatchObject({ deletes: { can: null, why: expect.stringContaining('AccessDenied') } })
})

test('exports are never touched by it', async () => {
  const { bucket, look, exported, place } = await begin()
  bucket.isLocked = true
  await look()
  bucket.isLocked = false
  await look()
  expect([...bucket.objects.keys()]).toEqual(exported)
  expect(await place.exports.check('r2', REF, NAME, () => {})).toMatchObject({ ok: true })
})
