/** What a store may be taken for: only for what it is, and only what is whole counts as an export. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createDirectory } from '../../../../relay/export/directory.ts'
import { openIdentities } from '../../../../relay/export/identities.ts'
import { IDENTITY_FILE } from '../../../../relay/export/identity.ts'
import { clearLeft } from '../../../../relay/export/leftovers.ts'
import { save } from '../../../../relay/export/save.ts'
import type { Store } from '../../../../relay/export/store.ts'
import { openUnfinished } from '../../../../relay/export/unfinished.ts'
import { openBucket, storeIn } from './bucket.ts'
import { archive, FOLDER, NAME, openPlace, type Place, REF, savingOf } from './scene.ts'

const HOUR = 3_600_000

const listed = async ({ exports }: Pick<Place, 'exports'>, ref = REF): Promise<string[] | string> => {
  const found = await exports.list('nas', ref, null)
  return found.ok ? found.value.map(({ name }) => name) : found.error.message
}

const made = async (): Promise<Place> => {
  const place = openPlace()
  expect(await place.exports.save(savingOf(archive()))).toMatchObject({ ok: true })
  return place
}

describe('a manifest', () => {
  /** A store that answers late: what is put arrives when `arrive` is called. */
  const late = (place: Place) => {
    const inner = createDirectory(place.root, openIdentities(null, () => {})(place.root))
    const slow = { arrive: async (): Promise<unknown> => null }
    const store: Store = {
      ...{ ...inner, late: HOUR },
      async put(path, text) {
        slow.arrive = () => inner.put(path, text)
        throw new Error('no answer')
      },
    }
    const unfinished = openUnfinished(`${place.root}/../list.json`, () => {})
    const saving = save(savingOf(archive()), { name: 'nas', store, recipients: [] }, unfinished)
    return { store, unfinished, slow, saving }
  }

  test('that arrives after its sender has given up finds its file', async () => {
    const place = openPlace()
    const { slow, saving, unfinished } = late(place)
    await expect(saving).rejects.toThrow('no answer')
    await slow.arrive()
    const next = place.again(2 * HOUR)
    await next.clear()
    expect(await listed({ exports: next })).toEqual([NAME])
    expect(await next.check('nas', REF, NAME, () => {})).toMatchObject({ ok: true })
    expect(unfinished.all()).toHaveLength(1)
    expect(openUnfinished(`${place.root}/../list.json`, () => {}).all()).toEqual([])
  })

  test('that never arrives leaves nothing, once it can’t arrive any more', async () => {
    const place = openPlace()
    const { store, saving, unfinished } = late(place)
    await expect(saving).rejects.toThrow('no answer')
    const [left] = unfinished.all()
    if (left === undefined) throw new Error('it is not on the list')
    expect(await clearLeft(store, left, Date.now())).toBe(false)
    expect(place.files()).toHaveLength(1)
    expect(await clearLeft(store, left, Date.now() + 2 * HOUR)).toBe(true)
    expect(place.files()).toEqual([])
  })

  test('without its file is no export', async () => {
    const place = await made()
    rmSync(join(place.root, place.files().find((one) => one.endsWith('.zst')) ?? ''))
    expect(await listed(place)).toEqual([])
  })

  test('without its file hides no older export, whose file is there', async () => {
    const place = await made()
    const name = '20991122T030000Z'
    await place.exports.save(savingOf(archive(), { name }))
    rmSync(join(place.root, place.files().find((one) => one.includes(name) && one.endsWith('.zst')) ?? ''))
    const newest = await place.exports.list('nas', REF, null, true)
    expect(newest).toMatchObject({ value: [{ name: NAME }] })
  })

  test('in the place of another instance, or under another name, does not count', async () => {
    const place = await made()
    const other = { ...REF, instance: 'web2' }
    cpSync(join(place.root, FOLDER), join(place.root, 'main/default/web2'), { recursive: true })
    expect(await listed(place, other)).toContain(`is the manifest of another export, ${NAME} of ${FOLDER}`)
    expect(await place.exports.check('nas', other, null, () => {})).toMatchObject({ ok: false })
    const path = join(place.root, FOLDER, `${NAME}.json`)
    renameSync(path, join(place.root, FOLDER, '20261123T030000Z.json'))
    expect(await listed(place)).toContain('is the manifest of another export')
  })

  test('that names a file elsewhere does not count', async () => {
    const place = await made()
    const path = join(place.root, FOLDER, `${NAME}.json`)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/"file": "[^"]+"/, `"file": "${NAME}.x/../../web2/${NAME}.tar.zst"`))
    expect(await listed(place)).toContain('is the manifest of another export')
  })
})

describe('a directory that is not mounted', () => {
  const unmounted = async () => {
    const place = await made()
    renameSync(place.root, `${place.root}-aside`)
    mkdirSync(place.root)
    return place
  }

  test.each(['at once', 'after a restart'])(
    'is unknown and not empty, %s, and gets nothing',
    async (when) => {
      const place = await unmounted()
      const exports = when === 'at once' ? place.exports : place.again()
      expect(await listed({ exports })).toContain('isn’t the directory that it was'.replace('’', "'"))
      expect(await exports.check('nas', REF, null, () => {})).toMatchObject({
        ok: false,
        error: { code: 'export', message: expect.stringContaining('Mount what belongs there') },
      })
      const again = await exports.save(savingOf(archive(), { name: '20261124T030000Z' }))
      expect(again).toMatchObject({ ok: false })
      expect(place.files()).toEqual([])
      rmSync(place.root, { recursive: true })
      renameSync(`${place.root}-aside`, place.root)
      expect(await listed({ exports })).toEqual([NAME])
    },
  )

  test('is not taken for one whose leftovers are gone: they stay on the list', async () => {
    const place = openPlace()
    const unfinished = openUnfinished(`${place.root}/../list.json`, () => {})
    await made()
    await place.exports.save(savingOf(archive()))
    unfinished.put({ store: 'nas', manifest: `${FOLDER}/x.json`, file: `${FOLDER}/x.tar.zst`, token: null })
    rmSync(join(place.root, IDENTITY_FILE))
    await place.again().clear()
    expect(openUnfinished(`${place.root}/../list.json`, () => {}).all()).toHaveLength(1)
    expect(place.log.join()).toContain('Mount what belongs there')
  })
})

test('what an export has left in one store keeps no export to another waiting', async () => {
  const bucket = await openBucket()
  const place = openPlace({ r2: storeIn(bucket) })
  bucket.fault = () => 'hang'
  const left = { store: 'r2', manifest: `${FOLDER}/x.json`, file: `${FOLDER}/x.tar.zst`, token: null }
  openUnfinished(`${place.root}/../list.json`, () => {}).put(left)
  expect(await place.again().save(savingOf(archive()))).toMatchObject({ ok: true })
  expect(bucket.asked).toEqual([])
})
