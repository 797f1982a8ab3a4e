/** Archives of custom volumes: what is read of them, described otherwise, and refused. */
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { checked } from '../../../../relay/export/archive.ts'
import { describe as described, parseIndex } from '../../../../relay/export/described.ts'
import { OddArchive } from '../../../../relay/export/frames.ts'
import { readIndex, rewritten } from '../../../../relay/export/rewritten.ts'
import { archiveOf, entry, filesIn, volumeArchiveOf } from '../../../emulator/archive.ts'
import { type Custom, newDisk } from '../../../emulator/state.ts'

const volume = (content: Custom['content']): Custom => ({
  ...{ project: 'default', pool: 'default', name: 'stapes-export-1', content, location: 'none' },
  config: { 'user.stapes.exporting': 'sealed', 'user.for': 'shop' },
  ...{ description: 'of the shop', createdAt: '2026-11-22T03:00:00.123456789Z' },
  disk: { ...newDisk(), bytes: 100, marker: 'as it was' },
  ...{ snapshots: new Map(), backups: new Map() },
})

const archive = (content: Custom['content'] = 'filesystem'): Uint8Array =>
  volumeArchiveOf(volume(content), 'dir')

const wanted = (content: string) =>
  described({
    to: { remote: 'main', project: 'default', instance: 'tank:new' },
    volume: {
      ...{ name: 'new', content_type: content, description: 'of the shop' },
      config: { 'user.stapes.restoring-as': 'sealed' },
    },
    ...{ pool: 'tank', driver: 'btrfs', madeAt: '2026-11-24T03:00:00.000Z' },
  })

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** With these at its end. */
const forged = (entries: Uint8Array[], content: Custom['content'] = 'filesystem'): Uint8Array => {
  const whole = archive(content)
  return Buffer.concat([whole.subarray(0, whole.length - 1024), ...entries, Buffer.alloc(1024)])
}

test.each(['filesystem', 'block'] as const)(
  'a volume (%s) is described otherwise, and its data stays',
  async (content) => {
    const details = parseIndex(await readIndex(once(archive(content))))
    expect(details).toMatchObject({
      optimized: false,
      details: {
        type: 'volume',
        contentType: content,
        config: { 'user.for': 'shop' },
        description: 'of the shop',
      },
    })
    const files = filesIn(await all(rewritten(once(archive(content)), wanted(content))))
    const index = parse(Buffer.from(files.get('backup/index.yaml') ?? []).toString())
    expect(index).toMatchObject({ name: 'new', pool: 'tank', type: 'custom' })
    expect(index.config.volume).toMatchObject({
      ...{ content_type: content, created_at: '2026-11-24T03:00:00.000Z' },
      config: { 'user.stapes.restoring-as': 'sealed' },
    })
    const data = content === 'block' ? 'backup/volume.img' : 'backup/volume/marker'
    expect(Buffer.from(files.get(data) ?? []).toString()).toBe('as it was')
  },
)

describe('an archive that somebody made by hand', () => {
  test.each<[string, Uint8Array[], Custom['content']?]>([
    ['a second index', [entry('backup/index.yaml', Buffer.from('a: b'))]],
    ['an instance', [entry('backup/container/backup.yaml', Buffer.from('container: {}'))]],
    ['a device in the place of its files', [entry('backup/volume.img', Buffer.from('x'))]],
    ['files beside its device', [entry('backup/volume/x', Buffer.from('x'))], 'block'],
    ['its folder as a link', [linked('backup/volume', '2', '/')]],
    ['a file that is the same as one of the host', [linked('backup/volume/x', '1', '/etc/shadow')]],
    ['a file that is the same as one beside it', [linked('backup/volume/x', '1', 'backup/index.yaml')]],
    ['a path that leaves it', [entry('backup/volume/../../x', Buffer.from('x'))]],
    ['snapshots', [entry('backup/volume-snapshots/s1/x', Buffer.from('x'))]],
    ['the form of a driver', [entry('backup/volume.bin', Buffer.from('x'))]],
  ])('with %s is refused', async (_, entries, content = 'filesystem') => {
    const reading = all(rewritten(once(forged(entries, content)), wanted(content)))
    await expect(reading).rejects.toBeInstanceOf(OddArchive)
  })

  test('with what a volume may hold is taken', async () => {
    const file = forged([
      linked('backup/volume/etc', '2', '/etc'),
      linked('backup/volume/same', '1', 'backup/volume/marker'),
      entry('backup/volume/backup.yaml', Buffer.from('its own')),
    ])
    const files = filesIn(await all(rewritten(once(file), wanted('filesystem'))))
    expect(Buffer.from(files.get('backup/volume/backup.yaml') ?? []).toString()).toBe('its own')
  })

  test.each([
    ['that is an image', 'type: custom\nconfig:\n  volume:\n    content_type: iso\n    created_at: x\n'],
    [
      'with snapshots',
      'type: custom\nsnapshots: [a]\nconfig:\n  volume:\n    content_type: block\n    created_at: x\n',
    ],
    ['of another kind', 'type: bucket\nconfig: {}\n'],
  ])('whose index is one %s is refused', (_, text) => {
    expect(() => parseIndex(text)).toThrow(OddArchive)
  })
})

describe('what Incus sends', () => {
  const seen = (file: Uint8Array, type: 'volume' | 'container') => all(checked(once(file), type, () => {}))
  const instance = archiveOf({ name: 'web1', type: 'container', config: {}, disk: newDisk() }, 'dir')

  test('counts as that of a volume only if it holds one', async () => {
    expect((await seen(archive(), 'volume')).length).toBe(archive().length)
    await expect(seen(instance, 'volume')).rejects.toThrow('no volume')
    await expect(seen(archive(), 'container')).rejects.toThrow('no container')
  })

  test('counts for nothing where it was cut between two files', async () => {
    const whole = archive()
    await expect(seen(whole.subarray(0, whole.length - 1024), 'volume')).rejects.toThrow('no whole archive')
  })
})

/** A link, or another name of a file. */
function linked(path: string, type: '1' | '2', to: string): Uint8Array {
  const header = Buffer.from(entry(path, Buffer.alloc(0), type))
  header.write(to, 157)
  header.write('        ', 148)
  const sum = [...header].reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
