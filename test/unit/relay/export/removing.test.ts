/** An export is removed with its file first, and whatever breaks off, nothing half of it counts or stays. */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createDirectory } from '../../../../relay/export/directory.ts'
import { openIdentities } from '../../../../relay/export/identities.ts'
import { removeExport } from '../../../../relay/export/removing.ts'
import type { Store } from '../../../../relay/export/store.ts'
import { openUnfinished } from '../../../../relay/export/unfinished.ts'
import { LOCKED, type Manifest } from '../../../../shared/work/export/manifest.ts'
import { openBucket, storeIn } from './bucket.ts'
import { archive, FOLDER, NAME, openPlace, type Place, REF, savingOf } from './scene.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const OTHER = '20261123T030000Z'

async function made(store = 'nas', place = openPlace()): Promise<{ place: Place; manifest: Manifest }> {
  const saved = await place.exports.save({ ...savingOf(archive()), store })
  const other = await place.exports.save({ ...savingOf(archive(), { name: OTHER }), store })
  if (!saved.ok || !other.ok) throw new Error('it was not saved')
  return { place, manifest: saved.value }
}

const namesIn = async ({ exports }: Pick<Place, 'exports'>, store = 'nas') => {
  const found = await exports.survey(store, REF)
  return found.ok ? found.value.exports.map(({ manifest: { name } }) => name) : found.error.message
}
const listIn = (place: Place) => openUnfinished(`${place.root}/../list.json`, () => {})

test('an export goes with its file and its manifest, and no other one does', async () => {
  const { place, manifest } = await made()
  expect(await place.exports.remove('nas', REF, manifest)).toMatchObject({ ok: true })
  expect(await namesIn(place)).toEqual([OTHER])
  expect(place.files().filter((file) => file.includes(NAME))).toEqual([])
  expect(place.files()).toHaveLength(2)
  expect(listIn(place).all()).toEqual([])
  expect(await place.exports.remove('nas', REF, manifest)).toMatchObject({ ok: true })
})

describe('the relay is killed while it removes one', () => {
  const never = new Promise<never>(() => {})
  /** About, about, remove, remove. */
  const MOMENTS = [0, 1, 2, 3].flatMap((at) => [[at, true] as const, [at, false] as const])

  test.each(MOMENTS)('at call %i, before it is done: %s', async (at, before) => {
    const { place, manifest } = await made()
    const store = createDirectory(place.root, openIdentities(null, () => {})(place.root))
    let calls = 0
    let die = (): void => {}
    const died = new Promise<void>((resolve) => {
      die = resolve
    })
    const through = async <T>(work: () => Promise<T>): Promise<T> => {
      const mine = calls++
      if (mine > at) return never
      if (mine < at) return work()
      if (!before) await work()
      die()
      return never
    }
    const mortal: Store = {
      ...store,
      about: (path) => through(() => store.about(path)),
      remove: (path) => through(() => store.remove(path)),
    }
    const removing = removeExport({ name: 'nas', store: mortal }, REF, manifest, {
      ...{ list: listIn(place), now: Date.now() },
    })
    await Promise.race([died, removing])
    const next = place.again()
    await next.clear()
    // Whole, or nothing of it.
    const left = place.files().filter((file) => file.includes(NAME))
    expect(left).toEqual(
      at < 2 || (at === 2 && before)
        ? [`${FOLDER}/${manifest.stored.file}`, `${FOLDER}/${NAME}.json`].sort()
        : [],
    )
    expect(await namesIn({ exports: next })).toEqual(left.length === 0 ? [OTHER] : [OTHER, NAME])
    expect(listIn(place).all()).toEqual([])
  })

  test('and one of the same name that was made since is not touched', async () => {
    const { place, manifest } = await made()
    const file = `${FOLDER}/${manifest.stored.file}`
    rmSync(join(place.root, file))
    rmSync(join(place.root, `${FOLDER}/${NAME}.json`))
    const noted = {
      store: 'nas',
      manifest: `${FOLDER}/${NAME}.json`,
      file,
      token: null,
      removing: Date.now(),
    }
    expect(await place.exports.save(savingOf(archive()))).toMatchObject({ ok: true })
    listIn(place).put(noted)
    const next = place.again()
    await next.clear()
    expect(await namesIn({ exports: next })).toEqual([OTHER, NAME])
    expect(listIn(place).all()).toEqual([])
  })

  test('a removal that may arrive yet is looked after until it can’t any more', async () => {
    const bucket = await openBucket()
    const { place, manifest } = await made('r2', openPlace({ r2: storeIn(bucket) }))
    // It is sent, no answer comes, and the bucket is busy with it.
    bucket.fault = (request) => (request.startsWith('DELETE') ? 'break' : null)
    expect(await place.exports.remove('r2', REF, manifest)).toMatchObject({ ok: false })
    bucket.fault = () => null
    await place.again().clear()
    expect(listIn(place).all()).toHaveLength(1)
    bucket.objects.delete(`incus/here/${FOLDER}/${manifest.stored.file}`)
    const next = place.again(HOUR / 2)
    await next.clear()
    expect([...bucket.objects.keys()].filter((key) => key.includes(NAME))).toEqual([])
    expect(listIn(place).all()).toEqual([])
    expect(await namesIn({ exports: next }, 'r2')).toEqual([OTHER])
  }, 60_000)
})

test('one that is being read is not removed meanwhile', async () => {
  const { place, manifest } = await made()
  let removed: unknown = null
  const checked = await place.exports.check('nas', REF, NAME, () => {
    throw new Error('it says nothing within a second')
  })
  expect(checked).toMatchObject({ ok: true })
  const held = { manifest, details: {} as never, optimized: false }
  const wanted = { store: 'nas', of: REF, name: NAME, key: null }
  const loading = place.exports.load(
    wanted,
    held,
    {
      to: REF,
      body: { type: 'container', config: {}, devices: {} },
      ...{ pool: 'default', driver: 'dir', root: {}, madeAt: '' },
    },
    () => {},
  )
  for await (const _ of loading.bytes) removed ??= await place.exports.remove('nas', REF, manifest)
  expect(removed).toMatchObject({ ok: false, error: { code: 'locked' } })
  expect(loading.problem()).toBeNull()
  expect(await place.exports.remove('nas', REF, manifest)).toMatchObject({ ok: true })
})

describe('a store that keeps what it has', () => {
  const until = (ms: number): string => new Date(Date.now() + ms).toISOString()
  const locked = async () => {
    const bucket = await openBucket()
    const { place, manifest } = await made('r2', openPlace({ r2: storeIn(bucket) }))
    const key = `incus/here/${FOLDER}/${manifest.stored.file}`
    return { bucket, place, manifest, key }
  }

  test('by Object Lock is not asked before its date, which is told; then the version itself goes', async () => {
    const { bucket, place, manifest, key } = await locked()
    bucket.locks.set(key, until(DAY))
    const asked = bucket.asked.length
    expect(await place.exports.remove('r2', REF, manifest)).toMatchObject({
      error: {
        code: 'export',
        status: LOCKED,
        message: expect.stringContaining(bucket.locks.get(key) ?? ''),
      },
    })
    expect(bucket.asked.slice(asked).filter((one) => one.startsWith('DELETE'))).toEqual([])
    const survey = await place.exports.survey('r2', REF)
    expect(survey.ok && survey.value.exports.find(({ manifest: { name } }) => name === NAME)?.until).toBe(
      Date.parse(bucket.locks.get(key) ?? ''),
    )
    bucket.locks.set(key, until(-DAY))
    expect(await place.exports.remove('r2', REF, manifest)).toMatchObject({ ok: true })
    expect([...bucket.objects.keys()].filter((one) => one.includes(NAME))).toEqual([])
    expect([...bucket.hidden.keys()]).toEqual([])
  })

  test('and gives no date, as R2’s bucket locks, keeps all of it: the export still counts', async () => {
    const { bucket, place, manifest } = await locked()
    bucket.isLocked = true
    expect(await place.exports.remove('r2', REF, manifest)).toMatchObject({
      error: { status: LOCKED, message: expect.stringContaining('ObjectLockedByBucketPolicy') },
    })
    expect(await namesIn(place, 'r2')).toEqual([OTHER, NAME])
    expect(listIn(place).all()).toEqual([])
    bucket.isLocked = false
    expect(await place.exports.remove('r2', REF, manifest)).toMatchObject({ ok: true })
    expect(await namesIn(place, 'r2')).toEqual([OTHER])
  })

  test('of which only the manifest is kept has no export, and the manifest goes later', async () => {
    const { bucket, place, manifest } = await locked()
    bucket.fault = (request) =>
      request.startsWith('DELETE') && request.endsWith('.json') ? { status: 403, body: '<Error/>' } : null
    expect(await place.exports.remove('r2', REF, manifest)).toMatchObject({ ok: true })
    expect(await namesIn(place, 'r2')).toEqual([OTHER])
    await place.again().clear()
    expect(place.log.join()).toContain(`what an export has left in "r2"`)
    bucket.fault = () => null
    await place.again().clear()
    expect([...bucket.objects.keys()].filter((one) => one.includes(NAME))).toEqual([])
    expect(listIn(place).all()).toEqual([])
  })

  test('that took a removal and has the file still is believed by what it has', async () => {
    const { bucket, place, manifest } = await locked()
    bucket.fault = (request) => (request.startsWith('DELETE') ? { status: 204 } : null)
    expect(await place.exports.remove('r2', REF, manifest)).toMatchObject({ error: { status: LOCKED } })
    expect(await namesIn(place, 'r2')).toEqual([OTHER, NAME])
  })
})

describe.each(['nas', 'r2'])('what people say of one, in %s', (store) => {
  const begun = async () => {
    const bucket = await openBucket()
    const { place, manifest } = await made(store, openPlace({ r2: storeIn(bucket) }))
    const { exports } = place
    const said = async (after: Pick<Place, 'exports'>['exports'] = exports) => {
      const survey = await after.survey(store, REF)
      if (!survey.ok) return survey.error.message
      expect(survey.value.strays).toEqual([])
      return survey.value.exports.find(({ manifest: { name } }) => name === NAME)?.said
    }
    const all = () => (store === 'nas' ? place.files() : [...bucket.objects.keys()])
    return { bucket, place, manifest, exports, said, all }
  }

  test('is known to the next relay, also with nothing else left, and the last counts', async () => {
    const { place, manifest, exports, said } = await begun()
    expect(await exports.note(store, REF, manifest, { do: 'hold', text: 'audit' })).toMatchObject({
      ok: true,
    })
    expect(await said(place.again())).toMatchObject({ held: 'audit', removal: null })
    await exports.note(store, REF, manifest, { do: 'release' })
    // By a clock that is behind.
    await place.again(-HOUR).note(store, REF, manifest, { do: 'hold', text: 'again' })
    expect(await said()).toMatchObject({ held: 'again' })
    const end = new Date(Date.now() + DAY).toISOString()
    await exports.note(store, REF, manifest, { do: 'release' })
    await exports.note(store, REF, manifest, { do: 'remove', end, last: false })
    expect(await said(place.again(HOUR))).toMatchObject({
      ...{ held: null, removal: { last: false } },
      freed: expect.any(Number),
    })
    await exports.note(store, REF, manifest, { do: 'undo' })
    expect(await said()).toMatchObject({ removal: null })
  })

  test('counts up to the last moment, also where another relay has it noted after all was read', async () => {
    const { place, manifest, exports, said, all } = await begun()
    const end = new Date().toISOString()
    const before = all()
    const refused = { ok: false, error: { status: LOCKED } }
    expect(await exports.remove(store, REF, manifest, true)).toMatchObject(refused)
    await exports.note(store, REF, manifest, { do: 'remove', end, last: false })
    await place.again().note(store, REF, manifest, { do: 'hold', text: 'audit' })
    expect(await exports.remove(store, REF, manifest)).toMatchObject(refused)
    await place.again().note(store, REF, manifest, { do: 'release' })
    for (const asked of [true, false])
      expect(await place.again(HOUR).remove(store, REF, manifest, asked)).toMatchObject(refused)
    expect(await said()).toMatchObject({ held: null, removal: null })
    expect(all()).toEqual(expect.arrayContaining(before))
  })

  test('holds nothing that is gone by then, and says so', async () => {
    const { place, manifest, exports } = await begun()
    await exports.remove(store, REF, manifest)
    expect(await place.again().note(store, REF, manifest, { do: 'hold', text: 'audit' })).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('it went just now') },
    })
  })

  test('goes with it, and nothing else does', async () => {
    const { manifest, exports, all } = await begun()
    const end = new Date().toISOString()
    await exports.note(store, REF, manifest, { do: 'remove', end, last: true })
    const others = all().filter((name) => name.includes(OTHER))
    expect(await exports.remove(store, REF, manifest)).toMatchObject({ ok: true })
    expect(all()).toEqual(others)
  })

  test('is no more than a hundred times that it may go, and may be held all the same', async () => {
    const { manifest, exports, said } = await begun()
    const end = new Date().toISOString()
    for (let at = 0; at < 100; at++)
      await exports.note(store, REF, manifest, { do: 'remove', end, last: false })
    expect(await exports.note(store, REF, manifest, { do: 'release' })).toMatchObject({ ok: false })
    await exports.note(store, REF, manifest, { do: 'hold', text: 'audit' })
    expect(await said()).toMatchObject({ held: 'audit' })
  })
})

test('a note that its store keeps after its export means nothing for another one of that name', async () => {
  const bucket = await openBucket()
  const { place, manifest } = await made('r2', openPlace({ r2: storeIn(bucket) }))
  const end = new Date().toISOString()
  await place.exports.note('r2', REF, manifest, { do: 'remove', end, last: true })
  bucket.fault = (request) =>
    request.startsWith('DELETE') && request.includes('.remove') ? { status: 403, body: '<Error/>' } : null
  await place.exports.remove('r2', REF, manifest)
  bucket.fault = () => null
  expect([...bucket.objects.keys()].filter((key) => key.endsWith('.remove'))).toHaveLength(1)
  expect(await place.exports.save({ ...savingOf(archive()), store: 'r2' })).toMatchObject({ ok: true })
  const survey = await place.exports.survey('r2', REF)
  expect(survey).toMatchObject({ ok: true, value: { strays: [] } })
  expect(survey.ok && survey.value.exports.map(({ said }) => said?.removal)).toEqual([null, null])
})

test('a note that can’t be read keeps its export', async () => {
  const { place, manifest } = await made()
  await place.exports.note('nas', REF, manifest, { do: 'hold', text: 'audit' })
  const name = place.files().find((file) => file.endsWith('.hold')) ?? ''
  writeFileSync(join(place.root, name), '{')
  const survey = await place.exports.survey('nas', REF)
  expect(survey.ok && survey.value.exports.at(-1)?.said?.held).toBe('it is not known why')
})

describe('what is beside the exports', () => {
  const strays = async (place: Place): Promise<string> => {
    const found = await place.exports.survey('nas', REF)
    return found.ok ? found.value.strays.join('\n') : found.error.message
  }

  test('is told: a manifest without its file, a file that was cut, a file without a manifest', async () => {
    const { place, manifest } = await made()
    const file = join(place.root, FOLDER, manifest.stored.file)
    expect(await strays(place)).toBe('')
    appendFileSync(file, 'x')
    expect(await strays(place)).toContain(`${NAME} counts as no export: its file ${manifest.stored.file} has`)
    rmSync(file)
    expect(await strays(place)).toContain('is gone')
    const left = join(place.root, FOLDER, '20261101T030000Z.0011.tar.zst')
    writeFileSync(left, 'x')
    // It may be one that is about to end.
    expect(await strays(place)).not.toContain('has no manifest')
    const { utimesSync } = await import('node:fs')
    utimesSync(left, new Date(0), new Date(0))
    expect(await strays(place)).toContain('20261101T030000Z.0011.tar.zst has no manifest')
    expect(await namesIn(place)).toEqual([OTHER])
  })

  test('a file `.hold` beside it holds one', async () => {
    const { place, manifest } = await made()
    writeFileSync(join(place.root, FOLDER, `${NAME}.hold`), '')
    // Put there while all else was read.
    expect(await place.exports.remove('nas', REF, manifest)).toMatchObject({
      ok: false,
      error: { status: LOCKED },
    })
    const found = await place.exports.survey('nas', REF)
    expect(found.ok && found.value.exports.map(({ manifest: { name }, held }) => [name, held])).toEqual([
      [OTHER, false],
      [NAME, true],
    ])
  })
})
