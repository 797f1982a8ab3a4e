/** The relay is killed at each of its calls to a store: the next start leaves nothing there but what is whole. */
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Exports } from '../../../../relay/engine/exports.ts'
import { createDirectory } from '../../../../relay/export/directory.ts'
import { openIdentities } from '../../../../relay/export/identities.ts'
import { save } from '../../../../relay/export/save.ts'
import type { Store } from '../../../../relay/export/store.ts'
import { openUnfinished } from '../../../../relay/export/unfinished.ts'
import { openBucket, storeIn } from './bucket.ts'
import { archive, FOLDER, large, NAME, openPlace, REF, savingOf } from './scene.ts'

const HOUR = 3_600_000

const never = new Promise<never>(() => {})

/** `before`: it dies before that call reaches the disk, else after it did and before it is known. */
function mortal(store: Store, at: number, before: boolean): { store: Store; died: Promise<void> } {
  let calls = 0
  let die = (): void => {}
  const died = new Promise<void>((resolve) => {
    die = resolve
  })
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    const place = calls++
    if (place > at) return never
    if (place < at) return work()
    if (!before) await work().catch(() => {})
    die()
    return never
  }
  return {
    died,
    store: {
      ...store,
      write: (path, expected, begun) =>
        through(async () => {
          const writer = await store.write(path, expected, begun)
          onTestFinished(() => writer.abort())
          return {
            write: (chunk) => through(() => writer.write(chunk)),
            end: () => through(() => writer.end()),
            abort: () => through(() => writer.abort()),
          }
        }),
      size: (path) => through(() => store.size(path)),
      put: (path, text) => through(() => store.put(path, text)),
    },
  }
}

/** Write, its first bytes, …, end, size, put. */
const MOMENTS = [0, 1, 2, 3, 4, 5].flatMap(
  (at) =>
    [
      [at, true],
      [at, false],
    ] as const,
)

const madeOf = async (exports: Exports): Promise<string[]> => {
  const listed = await exports.list('nas', REF, null)
  return listed.ok ? listed.value.map(({ stored }) => `${FOLDER}/${stored.file}`) : ['unreadable']
}

describe('the relay is killed', () => {
  test.each(MOMENTS)('at call %i to a directory, before it is done: %s', async (at, before) => {
    const place = openPlace()
    const { store, died } = mortal(
      createDirectory(place.root, openIdentities(null, () => {})(place.root)),
      at,
      before,
    )
    const list = openUnfinished(`${place.root}/../list.json`, () => {})
    const saving = save(savingOf(archive()), { name: 'nas', store, recipients: [] }, list)
    await Promise.race([died, saving])
    const next = place.again()
    await next.clear()
    const made = await madeOf(next)
    expect(place.files()).toEqual(made.length === 0 ? [] : [...made, `${FOLDER}/${NAME}.json`].sort())
    // The next try finds it made, or makes it.
    if (made.length === 0) expect(await next.save(savingOf(archive()))).toMatchObject({ ok: true })
    expect(await madeOf(next)).toHaveLength(1)
    expect(openUnfinished(`${place.root}/../list.json`, () => {}).all()).toEqual([])
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('at request %i to a bucket', async (at) => {
    const bucket = await openBucket()
    const place = openPlace({ nas: storeIn(bucket) })
    let die = (): void => {}
    const died = new Promise<void>((resolve) => {
      die = resolve
    })
    bucket.fault = (_, count) => {
      if (count < at) return null
      die()
      return 'hang'
    }
    await Promise.race([died, place.exports.save(savingOf(large(), { chunk: 300_000 }))])
    expect(bucket.asked.length).toBeGreaterThan(at)
    bucket.fault = () => null
    const next = place.again(2 * HOUR)
    await next.clear()
    const made = await madeOf(next)
    expect([bucket.objects.size, bucket.uploads.size]).toEqual([made.length * 2, 0])
  })
})
