/** Files of snapshots: what a caller may list and get. */

import { isSubjectName } from '../../../shared/incus/names.ts'
import type { CallError, FileRow, FilesReply, FilesRequest } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { brokenBy } from '../call.ts'
import { unknownRemote } from '../call-list.ts'
import { refused } from '../rules.ts'
import type { StepIo } from '../steps/step-io.ts'
import { mayRead } from './clones.ts'
import { connect } from './connect.ts'
import { contentsOf, tarOf } from './packed.ts'
import type { Clones } from './readable.ts'
import { type Sftp, SftpError } from './sftp.ts'
import { entriesOf, type Found, kindOf, rowOf } from './tree.ts'
import { bytesOf } from './wire.ts'

/** What is sent of a file or a folder. */
export type Sent = {
  itself: FileRow
  /** Bytes; null: that isn't known beforehand. */
  size: number | null
  /** Ends with an error where it isn't whole. */
  bytes: AsyncIterable<Uint8Array>
  /** Nothing more is read of it, whether it was read or not. */
  leave(): void
}

export type Files = {
  list(wanted: FilesRequest): Promise<FilesReply>
  get(wanted: FilesRequest): Promise<FilesReply | { state: 'sent'; sent: Sent }>
}

/** Milliseconds, of a caller who says nothing. */
const WITHIN = 20_000
const LIMIT = 200
/** Links of a list are read one by one: so many at once. */
const AT_ONCE = 16

export function createFiles(io: StepIo, clones: Clones): Files {
  const opened = async (wanted: FilesRequest): Promise<Result<Open | null, CallError>> => {
    const { ref, snapshot, path, within = WITHIN } = wanted
    const { remote } = ref
    if (!Object.hasOwn(io.remotes, remote)) return err(unknownRemote(remote, io.remotes))
    const why = mayRead(io, remote)
    if (why !== null) return err(refused('read files', why))
    if (!isSubjectName(ref.instance))
      return err(refused('read files', `stapes takes no such name of a volume as "${ref.instance}"`))
    const clone = await clones.open(ref, snapshot, within)
    if (!clone.ok || clone.value === null) return clone.ok ? ok(null) : clone
    const { ref: readable, leave } = clone.value
    const sftp = await connect(readable, io)
    if (!sftp.ok) leave()
    return sftp.ok
      ? ok({ sftp: sftp.value, path: Buffer.from(path), leave: ending(sftp.value, leave) })
      : sftp
  }
  return {
    async list(wanted) {
      const open = await opened(wanted)
      if (!open.ok) return { state: 'refused', error: open.error }
      if (open.value === null) return { state: 'preparing' }
      try {
        return await listed(open.value, wanted)
      } catch (cause) {
        return { state: 'refused', error: errorOf(cause, wanted) }
      } finally {
        open.value.leave()
      }
    },
    async get(wanted) {
      const open = await opened(wanted)
      if (!open.ok) return { state: 'refused', error: open.error }
      if (open.value === null) return { state: 'preparing' }
      try {
        return { state: 'sent', sent: await sending(open.value, wanted) }
      } catch (cause) {
        open.value.leave()
        return { state: 'refused', error: errorOf(cause, wanted) }
      }
    },
  }
}

type Open = { sftp: Sftp; path: Buffer; leave(): void }

const ending = (sftp: Sftp, leave: () => void) => (): void => {
  sftp.close()
  leave()
}

async function startOf({ sftp, path }: Open, { snapshot, path: shown, ref }: FilesRequest): Promise<Found> {
  const attributes = await sftp.lstat(path)
  if (attributes === null) throw new Absent(`${snapshot} of ${ref.instance} has no ${shown}`)
  return { path, name: lastOf(path), kind: kindOf(attributes), attributes }
}

class Absent extends Error {}

const lastOf = (path: Buffer): Buffer => path.subarray(path.lastIndexOf(0x2f) + 1)

async function listed(open: Open, wanted: FilesRequest): Promise<FilesReply> {
  const { sftp, path } = open
  const { skip = 0, limit = LIMIT } = wanted
  const start = await startOf(open, wanted)
  const itself = await itselfOf(sftp, start)
  const all = start.kind === 'folder' ? await entriesOf(sftp, path) : []
  const page = all.slice(skip, skip + limit)
  const entries: FileRow[] = []
  for (let from = 0; from < page.length; from += AT_ONCE) {
    const rows = page
      .slice(from, from + AT_ONCE)
      .map(({ name, attributes }) => rowOf(sftp, name, Buffer.concat([path, SLASH, name]), attributes))
    entries.push(...(await Promise.all(rows)))
  }
  const next = skip + page.length < all.length ? skip + page.length : null
  return { state: 'listed', itself, entries, total: all.length, next }
}

const SLASH = bytesOf('/')

const itselfOf = (sftp: Sftp, { name, path, attributes }: Found): Promise<FileRow> =>
  rowOf(sftp, name.length === 0 ? SLASH : name, path, attributes)

async function sending(open: Open, wanted: FilesRequest): Promise<Sent> {
  const { sftp, leave } = open
  const start = await startOf(open, wanted)
  const itself = await itselfOf(sftp, start)
  if (start.kind === 'link')
    throw new Absent(
      `${wanted.path} is a link to ${itself.target}, and links are not followed: get that path`,
    )
  if (start.kind === 'other')
    throw new Absent(`${wanted.path} is a device, a pipe or a socket, without contents`)
  return start.kind === 'file'
    ? { itself, size: start.attributes.size ?? 0, bytes: contentsOf(sftp, start), leave }
    : { itself, size: null, bytes: tarOf(sftp, start), leave }
}

const errorOf = (cause: unknown, { ref, snapshot }: FilesRequest): CallError => {
  if (cause instanceof Absent) return { code: 'bad-request', status: 404, message: cause.message }
  return cause instanceof SftpError
    ? {
        code: 'incus',
        message: `the files of ${snapshot} of ${ref.instance} could not be read: ${cause.message}`,
      }
    : brokenBy(cause)
}
