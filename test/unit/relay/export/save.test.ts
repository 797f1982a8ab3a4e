import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, test } from 'vitest'
import type { Saving } from '../../../../relay/engine/exports.ts'
import { archive, FOLDER, NAME, openPlace, REF, savingOf, sent, sha256, unpacked } from './scene.ts'

const saved = async (place: ReturnType<typeof openPlace>, saving: Saving) => {
  const result = await place.exports.save(saving)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

const failure = async (place: ReturnType<typeof openPlace>, saving: Saving): Promise<string> => {
  const result = await place.exports.save(saving)
  return result.ok ? 'saved' : result.error.message
}

describe('an export in a directory', () => {
  test('is made, and others are listed, though a writer that was killed has left its name without anything', async () => {
    const place = openPlace()
    await saved(place, savingOf(archive()))
    const other = '20261123T030000Z'
    const left = join(place.root, FOLDER, `${other}.json`)
    writeFileSync(left, '')
    expect(await place.exports.list('nas', REF, null)).toMatchObject({ ok: true, value: [{ name: NAME }] })
    utimesSync(left, 0, 0)
    await saved(place, savingOf(archive(), { name: other }))
    expect(await place.exports.list('nas', REF, other)).toMatchObject({ ok: true, value: [{ name: other }] })
    writeFileSync(left, '{"cut')
    const listed = await place.exports.list('nas', REF, null)
    expect(listed.ok ? '' : listed.error.message).toContain(`${other}.json is no manifest of an export`)
  })

  test('is the archive, compressed, with a manifest that tells both hashes', async () => {
    const place = openPlace()
    const file = archive()
    const { stored, archive: told } = await saved(place, savingOf(file))
    expect(place.files()).toEqual([`${FOLDER}/${stored.file}`, `${FOLDER}/${NAME}.json`].sort())
    const held = place.read(`${FOLDER}/${stored.file}`)
    expect([stored.bytes, stored.sha256]).toEqual([held.length, sha256(held)])
    expect(Buffer.from(unpacked(held)).equals(file)).toBe(true)
    expect(told).toEqual({ bytes: file.length, sha256: sha256(file), entries: 4 })
    expect(await place.exports.list('nas', REF, null)).toMatchObject({ ok: true, value: [{ name: NAME }] })
    expect(await place.exports.list('nas', { ...REF, instance: 'web2' }, null)).toEqual({
      ok: true,
      value: [],
    })
  })

  test('is encrypted to those whom the configuration names, and to nobody else', async () => {
    const [mine, other] = [await generateX25519Identity(), await generateX25519Identity()]
    const place = openPlace({}, [await identityToRecipient(mine)])
    const file = archive()
    const { stored } = await saved(place, savingOf(file))
    expect(stored).toMatchObject({ encryption: 'age', file: expect.stringMatching(/\.tar\.zst\.age$/) })
    const held = place.read(`${FOLDER}/${stored.file}`)
    const open = (key: string) => {
      const decrypter = new Decrypter()
      decrypter.addIdentity(key)
      return decrypter.decrypt(held)
    }
    expect(Buffer.from(unpacked(await open(mine))).equals(file)).toBe(true)
    await expect(open(other)).rejects.toThrow('no identity')
  })

  test('overwrites nothing: a second one of the name is refused, and the first one stays', async () => {
    const place = openPlace()
    await saved(place, savingOf(archive(40_000, 'first')))
    const before = place.files()
    expect(await failure(place, savingOf(archive(40_000, 'second')))).toContain('which is not overwritten')
    expect(place.files()).toEqual(before)
  })

  test('where the directory is not mounted makes none', async () => {
    const place = openPlace({ usb: { type: 'directory', path: '/tmp/stapes-no-such-mount', recipients: [] } })
    expect(await failure(place, { ...savingOf(archive()), store: 'usb' })).toContain('there is no directory')
  })
})

test('an instance is exported so often within a day, and no more', async () => {
  const place = openPlace()
  const names = Array.from({ length: 26 }, (_, at) => `20261122T0300${10 + at}Z`)
  const results = []
  for (const name of names) results.push(await place.exports.save(savingOf(archive(100), { name })))
  expect(results.filter(({ ok }) => ok)).toHaveLength(24)
  const other = { ...savingOf(archive(100)), ref: { ...REF, instance: 'web2' } }
  expect(await place.exports.save(other)).toMatchObject({ ok: true })
})

test('and what failed does not count: it has left nothing', async () => {
  const place = openPlace()
  for (let tries = 0; tries < 30; tries++) await failure(place, savingOf(Buffer.alloc(1024)))
  expect(await place.exports.save(savingOf(archive(100)))).toMatchObject({ ok: true })
})

describe('what is not whole', () => {
  const file = archive()
  // Between two entries: GNU tar and Incus 6.0 take it for an archive.
  const cut = file.subarray(0, 512 * 4)

  test.each([
    ['that was cut between two files', cut],
    ['that was cut within a file', file.subarray(0, 5_000)],
    ['without its last blocks', file.subarray(0, file.length - 1024)],
    ['with a header that was changed', Buffer.from(file).fill('x', 100, 104)],
    ['that is empty', Buffer.alloc(1024)],
    ['that is no tar', Buffer.alloc(20_480, 'x')],
    ['without the data', Buffer.concat([file.subarray(0, 1024), Buffer.alloc(1024)])],
  ])('an archive %s is refused, and nothing of it is left', async (_, bytes) => {
    const place = openPlace()
    expect(await failure(place, savingOf(bytes))).toContain('what Incus exported is no')
    expect(place.files()).toEqual([])
    expect(await place.exports.list('nas', REF, null)).toEqual({ ok: true, value: [] })
  })

  test('an archive that is much smaller than what the instance takes in its pool is refused', async () => {
    const place = openPlace()
    expect(await failure(place, savingOf(file, { usage: 3e9 }))).toContain('too small to be whole')
    expect(place.files()).toEqual([])
  })
})

describe('a connection that breaks', () => {
  /** `breaks`: bytes after which each of the first connections breaks. */
  const breaking = (file: Uint8Array, breaks: number[], asked: number[] = []): Saving['open'] => {
    return async (from) => {
      const left = breaks[asked.push(from) - 1]
      const part = file.subarray(from, left === undefined ? undefined : from + left)
      return { ok: true, value: { from, size: file.length, bytes: sent(part, 1000, left !== undefined) } }
    }
  }

  test('is taken up where it broke, and the archive is whole', async () => {
    const place = openPlace()
    const [file, asked] = [archive(), [] as number[]]
    const { stored } = await saved(place, savingOf(file, { open: breaking(file, [15_000, 0, 7_000], asked) }))
    expect(asked).toEqual([0, 15_000, 15_000, 22_000])
    expect(Buffer.from(unpacked(place.read(`${FOLDER}/${stored.file}`))).equals(file)).toBe(true)
  })

  test('to another file than before is no whole archive', async () => {
    const place = openPlace()
    const file = archive()
    const open: Saving['open'] = async (from) => ({
      ok: true,
      value: {
        from,
        size: file.length + (from > 0 ? 512 : 0),
        bytes: sent(file.subarray(0, 9_000), 1000, true),
      },
    })
    expect(await failure(place, savingOf(file, { open }))).toContain('changed on the server')
    expect(place.files()).toEqual([])
  })

  test('to a server that has lost it ends the try', async () => {
    const place = openPlace()
    const file = archive()
    const open: Saving['open'] = async (from) =>
      from === 0
        ? { ok: true, value: { from, size: file.length, bytes: sent(file.subarray(0, 9_000), 1000, true) } }
        : { ok: false, error: { code: 'incus', status: 404, message: 'Instance backup not found' } }
    expect(await failure(place, savingOf(file, { open }))).toContain('went on the server')
    expect(place.files()).toEqual([])
  })
})
