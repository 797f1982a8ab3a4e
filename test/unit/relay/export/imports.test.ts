/** Exports that are read in order to import them: what is described otherwise, and what ends with an error instead. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Description, Held } from '../../../../relay/engine/exports.ts'
import type { RunningExports } from '../../../../relay/export/exports.ts'
import { headerOf, padded } from '../../../../relay/export/frames.ts'
import { CORRUPT, KEY, MISSING } from '../../../../shared/work/export/manifest.ts'
import { archiveOf, filesIn } from '../../../emulator/archive.ts'
import { newDisk } from '../../../emulator/state.ts'
import { openBucket, storeIn } from './bucket.ts'
import { archive, large, NAME, openPlace, type Place, REF, savingOf, sha256 } from './scene.ts'

const NEWER = '20261123T030000Z'

const described: Description = {
  to: { remote: 'main', project: 'default', instance: 'new' },
  body: {
    type: 'container',
    config: { 'user.stapes.restoring-as': 'sealed', 'user.text': 'a: "b"\n\u0085\u2028 {c} 😀' },
    devices: {},
  },
  ...{ pool: 'tank', driver: 'dir', madeAt: '2026-11-24T03:00:00.000Z' },
  root: { root: { type: 'disk', path: '/', pool: 'tank' } },
}

const wanted = (key: string | null = null, name: string | null = null) => ({
  ...{ store: 'nas', of: REF, name, key },
})

async function peeked(exports: RunningExports, key: string | null = null): Promise<Held> {
  const held = await exports.peek(wanted(key))
  if (!held.ok) throw new Error(held.error.message)
  return held.value
}

/** What would reach Incus: all of it, or why not. */
async function loaded(exports: RunningExports, held: Held, key: string | null = null) {
  const { bytes, problem } = exports.load(wanted(key), held, described, () => {})
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of bytes) chunks.push(chunk)
    return { file: Buffer.concat(chunks), problem: problem() }
  } catch {
    return { file: null, problem: problem() }
  }
}

async function made(file: Uint8Array = archive(), recipients: string[] = []): Promise<Place> {
  const place = openPlace({}, recipients)
  const saved = await place.exports.save(savingOf(file))
  expect(saved.ok).toBe(true)
  return place
}

const stored = ({ files, root }: Place): string =>
  join(root, files().find((one) => one.includes('.tar.zst')) ?? '')

describe('an export that is loaded', () => {
  test('is what was stored, with another description in both places', async () => {
    const place = await made()
    const held = await peeked(place.exports)
    expect(held).toMatchObject({
      ...{ optimized: false, manifest: { name: NAME } },
      details: { type: 'container', profiles: ['default'] },
    })
    const { file, problem } = await loaded(place.exports, held)
    expect(problem).toBeNull()
    const files = filesIn(file ?? Buffer.alloc(0))
    const [index, details] = ['backup/index.yaml', 'backup/container/backup.yaml'].map((name) =>
      parse(Buffer.from(files.get(name) ?? []).toString()),
    )
    expect(index).toMatchObject({ name: 'new', pool: 'tank', config: details })
    expect(details.container).toMatchObject({
      ...described.body,
      ...{ name: 'new', created_at: described.madeAt, expanded_devices: described.root },
    })
    const before = filesIn(archive())
    for (const name of ['backup/container/rootfs/marker', 'backup/container/rootfs/data'])
      expect(Buffer.from(files.get(name) ?? []).equals(Buffer.from(before.get(name) ?? []))).toBe(true)
  })

  test('is the newest one, or one by its name', async () => {
    const place = await made()
    await place.exports.save(savingOf(archive(), { name: NEWER }))
    expect((await peeked(place.exports)).manifest.name).toBe(NEWER)
    expect(await place.exports.peek(wanted(null, NAME))).toMatchObject({
      value: { manifest: { name: NAME } },
    })
    expect(await place.exports.peek(wanted(null, '20200101T000000Z'))).toMatchObject({
      error: { status: MISSING, message: expect.stringContaining('there is no 20200101T000000Z of it') },
    })
  })

  test('is held in memory a piece at a time, whatever its size', async () => {
    const file = large()
    const place = await made(file)
    const held = await peeked(place.exports)
    const { bytes } = place.exports.load(wanted(), held, described, () => {})
    let longest = 0
    let total = 0
    let pieces = 0
    for await (const chunk of bytes) {
      longest = Math.max(longest, chunk.length)
      total += chunk.length
      pieces += 1
    }
    expect(total).toBeGreaterThan(20_000_000)
    expect(longest).toBeLessThan(1_000_000)
    // Headers and small files go together.
    expect(pieces).toBeLessThanOrEqual(total / 65_536 + 1)
  })

  test('from a bucket as well; one that can’t be read is not called corrupt', async () => {
    const bucket = await openBucket()
    const place = openPlace({ r2: storeIn(bucket) })
    await place.exports.save({ ...savingOf(archive()), store: 'r2' })
    expect(await place.exports.peek({ ...wanted(), store: 'r2' })).toMatchObject({ ok: true })
    bucket.fault = (request) =>
      request.includes('.zst') && request.startsWith('GET') ? { status: 503 } : null
    const unread = await place.exports.peek({ ...wanted(), store: 'r2' })
    expect(unread).toMatchObject({ ok: false, error: { code: 'export' } })
    expect(unread.ok ? 0 : unread.error.status).toBeUndefined()
  })
})

describe('an encrypted export', () => {
  test('opens with its key alone, and no error holds a part of one', async () => {
    const [key, other] = [await generateX25519Identity(), await generateX25519Identity()]
    const place = await made(archive(), [await identityToRecipient(key)])
    const { file, problem } = await loaded(place.exports, await peeked(place.exports, key), key)
    expect([file === null, problem]).toEqual([false, null])
    const mistyped = `${key.slice(0, -1)}${key.endsWith('Q') ? 'P' : 'Q'}`
    for (const wrong of [null, other, mistyped, 'AGE-SECRET-KEY-1', '']) {
      const refused = await place.exports.peek(wanted(wrong))
      expect(refused).toMatchObject({ ok: false, error: { code: 'export', status: KEY } })
      const said = JSON.stringify(refused)
      for (const one of [key, other]) expect(said).not.toContain(one.slice(16, 30))
    }
  })

  test('is not taken for what it is not: its own age reads it the same', async () => {
    const key = await generateX25519Identity()
    const place = await made(archive(), [await identityToRecipient(key)])
    const decrypter = new Decrypter()
    decrypter.addIdentity(key)
    expect((await decrypter.decrypt(readFileSync(stored(place)))).length).toBeGreaterThan(0)
  })
})

describe('what is not what was stored', () => {
  const damages: [string, (bytes: Buffer) => Buffer][] = [
    ['with a byte that is another', (bytes) => flipped(bytes, bytes.length >> 1)],
    ['with its last byte another', (bytes) => flipped(bytes, bytes.length - 1)],
    ['that was cut', (bytes) => bytes.subarray(0, -1)],
    ['with bytes behind it', (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
    ['that another file replaced', () => zstdCompressSync(archive(40_000, 'another'))],
    ['that a file of its size replaced', (bytes) => sized(zstdCompressSync(archive(9, 'x')), bytes.length)],
  ]
  test.each(damages)('%s ends with an error, and Incus gets no end', async (_, damage) => {
    for (const key of [null, await generateX25519Identity()]) {
      const place = await made(archive(), key === null ? [] : [await identityToRecipient(key)])
      const held = await peeked(place.exports, key)
      writeFileSync(stored(place), damage(readFileSync(stored(place))))
      const { file, problem } = await loaded(place.exports, held, key)
      expect(file).toBeNull()
      expect(problem).toMatchObject({ code: 'export' })
      expect([CORRUPT, KEY]).toContain(problem?.status)
    }
  })

  test('an archive that its manifest tells otherwise ends with an error, though the file is the one', async () => {
    const place = await made()
    const path = join(place.root, place.files().find((one) => one.endsWith('.json')) ?? '')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    manifest.archive.sha256 = sha256(Buffer.from('another'))
    writeFileSync(path, JSON.stringify(manifest))
    const { file, problem } = await loaded(place.exports, await peeked(place.exports))
    expect([file, problem?.status]).toEqual([null, CORRUPT])
  })

  test('a manifest that names a file elsewhere is not followed', async () => {
    const place = await made()
    const path = join(place.root, place.files().find((one) => one.endsWith('.json')) ?? '')
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"file": "[^"]+"/, '"file": "../../secret"'))
    expect(await place.exports.peek(wanted())).toMatchObject({
      error: { code: 'export', message: expect.stringContaining('move it to its place') },
    })
  })
})

/** Whoever may write into a store writes such an archive, and a manifest that fits. */
async function forged(entries: Uint8Array[], from = archive()): Promise<Place> {
  const place = await made(from)
  const body = Buffer.from(from.subarray(0, from.length - 1024))
  const file = Buffer.concat([body, ...entries, Buffer.alloc(1024)])
  const packed = zstdCompressSync(file)
  writeFileSync(stored(place), packed)
  const path = join(place.root, place.files().find((one) => one.endsWith('.json')) ?? '')
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  manifest.archive = { ...manifest.archive, bytes: file.length, sha256: sha256(file) }
  manifest.stored = { ...manifest.stored, bytes: packed.length, sha256: sha256(packed) }
  writeFileSync(path, JSON.stringify(manifest))
  return place
}

const entry = (name: string, type = '0', { link = '', text = '' } = {}): Uint8Array => {
  const header = Buffer.from(headerOf(name, text.length))
  header.write(type, 156)
  header.write(link, 157)
  return Buffer.concat([summed(header), Buffer.from(text), Buffer.alloc(padded(text.length) - text.length)])
}

const record = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  const length = rest.length + String(rest.length + 2).length
  return `${length}${rest}`
}

describe('an archive that somebody made by hand', () => {
  test.each<[string, Uint8Array[]]>([
    ['a second description', [entry('backup/container/backup.yaml', '0', { text: 'container: {}' })]],
    ['one by another path', [entry('backup/container/./backup.yaml', '0', { text: 'container: {}' })]],
    [
      'one by a long name',
      [
        entry('x', 'x', { text: record('path', 'backup/container/backup.yaml') }),
        entry('harmless', '0', { text: 'container: {}' }),
      ],
    ],
    ['one of a machine beside it', [entry('backup/virtual-machine/backup.yaml', '0', { text: 'a: b' })]],
    ['a description that is a link', [entry('backup/container/backup.yaml', '2', { link: '/etc/passwd' })]],
    ['a template that is a link', [entry('backup/container/templates/a.tpl', '2', { link: '/etc/shadow' })]],
    [
      'metadata that is the same file as another',
      [entry('backup/container/metadata.yaml', '1', { link: 'backup/container/rootfs/marker' })],
    ],
    [
      'a file that is the same as one of the host',
      [entry('backup/container/rootfs/x', '1', { link: '/etc/shadow' })],
    ],
    ['a path that leaves it', [entry('backup/container/rootfs/../../../etc/x', '0', { text: 'x' })]],
    ['a path from the root', [entry('/etc/cron.d/x', '0', { text: 'x' })]],
    ['its root file system as a link', [entry('backup/container/rootfs', '2', { link: '/' })]],
    ['a form that only GNU’s tar knows', [entry('backup/container/rootfs/x', 'L', { text: 'backup/y' })]],
    ['settings for all that follows', [entry('x', 'g', { text: record('path', 'backup/y') })]],
    [
      'holes, which are read otherwise',
      [
        entry('x', 'x', { text: record('GNU.sparse.name', 'backup/container/backup.yaml') }),
        entry('backup/container/rootfs/x', '0', { text: 'x' }),
      ],
    ],
    ['snapshots', [entry('backup/snapshots/s1/backup.yaml', '0', { text: 'x' })]],
  ])('with %s is refused', async (_, entries) => {
    const place = await forged(entries)
    const { file, problem } = await loaded(place.exports, await peeked(place.exports))
    expect([file, problem?.status]).toEqual([null, CORRUPT])
  })

  test('with what an instance may have is taken', async () => {
    const place = await forged([
      entry('x', 'x', { text: record('SCHILY.xattr.security.capability', 'abc') }),
      entry('backup/container/rootfs/ping', '0', { text: 'x' }),
      entry('backup/container/rootfs/etc/mtab', '2', { link: '/proc/mounts' }),
      entry('backup/container/rootfs/same', '1', { link: 'backup/container/rootfs/ping' }),
      entry('backup/container/rootfs/dev/null', '3'),
      entry('backup/container/templates', '5'),
    ])
    const { file, problem } = await loaded(place.exports, await peeked(place.exports))
    expect(problem).toBeNull()
    expect(file?.includes('SCHILY.xattr.security.capability=abc')).toBe(true)
  })

  test.each([
    ['that refers to parts of itself', 'type: container\nconfig: &a\n  container: *a\n'],
    ['with two values of one key', 'type: container\ntype: container\nconfig: {}\n'],
    ['with types of its own', 'type: !!binary container\nconfig: {}\n'],
    ['that is none', '\u0000\u0001'],
  ])('whose index is one %s is refused', async (_, text) => {
    const index = Buffer.concat([headerOf('backup/index.yaml', text.length), Buffer.from(text)])
    const rest = archiveOf({ name: 'web1', type: 'container', config: {}, disk: newDisk() }, 'dir')
    const place = await forged([], Buffer.concat([index, Buffer.alloc(512 - text.length), rest]))
    expect(await place.exports.peek(wanted())).toMatchObject({ error: { status: CORRUPT } })
  })
})

const flipped = (bytes: Buffer, at: number): Buffer => {
  const other = Buffer.from(bytes)
  other[at] = (other[at] ?? 0) ^ 1
  return other
}

const sized = (bytes: Buffer, length: number): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(length)]).subarray(0, length)

function summed(header: Buffer): Buffer {
  header.write('        ', 148)
  const sum = [...header].reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
