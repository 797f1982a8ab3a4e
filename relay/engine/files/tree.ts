/** What is in an instance at a path: one row of it, a folder's entries, and all that is below. No link is followed. */
import type { FileKind, FileRow } from '../../../shared/relay/protocol.ts'
import { type Entry, type Sftp, SftpError } from './sftp.ts'
import { type Attributes, bytesOf } from './wire.ts'

/** One thing, by its path in the instance; `name`: below where the walk began. */
export type Found = { path: Buffer; name: Buffer; kind: FileKind; attributes: Attributes }

const TYPE_BITS = 0o170000
const KINDS = new Map<number, FileKind>([
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
])

export const kindOf = ({ mode = 0 }: Attributes): FileKind => KINDS.get(mode & TYPE_BITS) ?? 'other'

/** Of one folder: all of its names are held at once. */
const MOST_ENTRIES = 500_000

/** A folder's entries, in the order of their names' bytes. */
export async function entriesOf(sftp: Sftp, folder: Buffer): Promise<Entry[]> {
  const all: Entry[] = []
  for await (const some of sftp.list(folder)) {
    all.push(...some)
    if (all.length > MOST_ENTRIES) throw new SftpError(`a folder has more than ${MOST_ENTRIES} entries`)
  }
  return all.sort((one, other) => Buffer.compare(one.name, other.name))
}

export const below = (folder: Buffer, name: Buffer): Buffer =>
  folder.length === 0 || folder.at(-1) === SLASH
    ? Buffer.concat([folder, name])
    : Buffer.concat([folder, bytesOf('/'), name])

const SLASH = 0x2f
/** Bytes: no folder of a real disk is as deep, and one without an end is none. */
const LONGEST_PATH = 16_384

/** Itself first, and each folder before what is in it. */
export async function* walk(sftp: Sftp, start: Found): AsyncGenerator<Found> {
  yield start
  const left: Iterator<Found>[] = [(await foundIn(sftp, start)).values()]
  while (left.length > 0) {
    const { done, value } = left.at(-1)?.next() ?? { done: true as const, value: undefined }
    if (done === true) {
      left.pop()
      continue
    }
    yield value
    if (value.kind === 'folder') left.push((await foundIn(sftp, value)).values())
  }
}

async function foundIn(sftp: Sftp, { kind, path, name }: Found): Promise<Found[]> {
  if (kind !== 'folder') return []
  if (path.length > LONGEST_PATH) throw new SftpError('folders without an end')
  return (await entriesOf(sftp, path)).map((entry) => ({
    path: below(path, entry.name),
    name: below(name, entry.name),
    kind: kindOf(entry.attributes),
    attributes: entry.attributes,
  }))
}

export async function rowOf(
  sftp: Sftp,
  name: Buffer,
  path: Buffer,
  attributes: Attributes,
): Promise<FileRow> {
  const { size, mode = 0, uid = 0, gid = 0, modified } = attributes
  const kind = kindOf(attributes)
  const target = kind === 'link' ? await sftp.readLink(path) : null
  const isReadable = isText(name) && (target === null || isText(target))
  return {
    name: name.toString(),
    kind,
    size: kind === 'file' ? (size ?? null) : null,
    mode: (mode & 0o7777).toString(8).padStart(4, '0'),
    ...{ uid, gid },
    modifiedAt: modified === undefined ? null : new Date(modified * 1000).toISOString(),
    ...(target === null ? {} : { target: target.toString() }),
    ...(isReadable ? {} : { unreadable: true as const }),
  }
}

/** Whether it is UTF-8. */
export const isText = (bytes: Buffer): boolean => Buffer.from(bytes.toString()).equals(bytes)
