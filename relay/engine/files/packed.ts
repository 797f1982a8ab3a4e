/** The bytes that are sent of what stands at a path: a file's own, or a tar of a folder. A tar that breaks off has no end. */
import { type Sftp, SftpError } from './sftp.ts'
import { padding, TAR_END, tarHeader } from './tar.ts'
import { type Found, walk } from './tree.ts'
import { bytesOf } from './wire.ts'

/** Exactly as long as its attributes say. */
export async function* contentsOf(sftp: Sftp, { path, attributes }: Found): AsyncGenerator<Buffer> {
  let read = 0
  const { size = 0 } = attributes
  for await (const piece of sftp.read(path)) {
    read += piece.length
    if (read > size) break
    yield piece
  }
  if (read !== size) throw new SftpError(`a file has ${read} bytes, and ${size} were announced`)
}

/** What has no contents that could be sent: it is named in a file at the end. */
const LEFT_OUT = 'stapes-left-out.txt'
const MOST_NAMED = 10_000

/** `start`: the folder; its name stands before all others, and may be empty. */
export async function* tarOf(sftp: Sftp, start: Found): AsyncGenerator<Buffer> {
  const leftOut: Buffer[] = []
  let more = 0
  for await (const found of walk(sftp, start)) {
    const { kind, name, path } = found
    const about = headerOf(found)
    if (kind === 'file') {
      yield tarHeader({ ...about, type: kind, name })
      yield* contentsOf(sftp, found)
      yield padding(about.size)
    } else if (kind === 'link')
      yield tarHeader({ ...about, type: kind, name, target: await sftp.readLink(path) })
    else if (kind === 'folder') {
      if (name.length > 0)
        yield tarHeader({ ...about, type: kind, name: Buffer.concat([name, bytesOf('/')]) })
    } else if (leftOut.length < MOST_NAMED) leftOut.push(name)
    else more += 1
  }
  if (leftOut.length > 0) yield* noteOf(leftOut, more)
  yield TAR_END
}

const headerOf = ({ kind, attributes: { size = 0, mode = 0, uid = 0, gid = 0, modified = 0 } }: Found) => ({
  ...{ size: kind === 'file' ? size : 0, mode, uid, gid, modified },
})

function* noteOf(names: readonly Buffer[], more: number): Generator<Buffer> {
  const lines = names.flatMap((name) => [name, bytesOf('\n')])
  const rest = more === 0 ? [] : [bytesOf(`and ${more} more\n`)]
  const head = bytesOf('Devices, pipes and sockets, which this archive lacks:\n')
  const text = Buffer.concat([head, ...lines, ...rest])
  const about = { size: text.length, mode: 0o644, uid: 0, gid: 0, modified: 0 }
  yield tarHeader({ ...about, type: 'file', name: Buffer.from(LEFT_OUT) })
  yield text
  yield padding(text.length)
}
