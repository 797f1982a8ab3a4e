/** The files of an instance, or of a custom volume, over SFTP, with what Incus's own server does otherwise than one would think. */
import { type Duplex, duplexPair } from 'node:stream'
import { type Attributes, Cutter, Reader, STATUS, TYPE, Writer } from '../../relay/engine/files/wire.ts'
import { findCustom } from './custom.ts'
import { type FileNode, newNode, nodesOn, putNode } from './disk-files.ts'
import { Refusal, type Reply } from './envelope.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { reachable } from './snapshots.ts'
import { type Custom, findInstance, type Instance } from './state.ts'

export function openFiles(server: EmbeddedIncus, call: Call): Reply & { channel: Duplex } {
  const instance = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  if (instance.type === 'virtual-machine') throw new Refusal(500, 'The instance is currently stopped')
  return connected(server, instance)
}

/** Up to 6.0.4 there is no such path. */
export function openVolumeFiles(server: EmbeddedIncus, call: Call): Reply & { channel: Duplex } {
  if (!server.face.extensions.includes('custom_volume_sftp')) throw new Refusal(404, 'not found')
  return connected(server, findCustom(server, call))
}

function connected(server: EmbeddedIncus, read: Instance | Custom): Reply & { channel: Duplex } {
  const [client, own] = duplexPair()
  server.channels.set(own, read)
  own.on('close', () => server.channels.delete(own))
  own.on('error', () => {})
  // A pair of streams, unlike a socket, doesn't tell its other end.
  client.on('close', () => own.destroy())
  new Session(server, read, own)
  return { status: 101, body: null, channel: client }
}

const BITS = { file: 0o100000, folder: 0o040000, link: 0o120000, pipe: 0o010000 } as const
const PAGE = 100

class Session {
  private readonly server: EmbeddedIncus
  private readonly instance: Pick<Instance, 'disk'>
  private readonly channel: Duplex
  private readonly handles = new Map<string, { path: string; left?: string[] }>()
  private next = 0

  constructor(server: EmbeddedIncus, instance: Pick<Instance, 'disk'>, channel: Duplex) {
    this.server = server
    this.instance = instance
    this.channel = channel
    const cutter = new Cutter()
    channel.on('data', (chunk: Buffer) => {
      for (const { type, body } of cutter.add(chunk)) this.take(type, body)
    })
  }

  private take(type: number, body: Buffer): void {
    if (type === TYPE.init) return void this.channel.write(new Writer().number(3).packet(TYPE.version))
    const reader = new Reader(body)
    const id = new Writer().number(reader.number())
    try {
      this.answer(type, reader, id)
    } catch (cause) {
      const { status, message } = cause instanceof Failed ? cause : new Failed(STATUS.failure, String(cause))
      this.channel.write(id.number(status).text(message).text('').packet(TYPE.status))
    }
  }

  private get nodes(): Map<string, FileNode> {
    return nodesOn(this.instance.disk)
  }

  private answer(type: number, reader: Reader, id: Writer): void {
    const done = () => this.channel.write(id.number(STATUS.ok).text('').text('').packet(TYPE.status))
    switch (type) {
      case TYPE.lstat:
        return void this.channel.write(id.attributes(viewOf(this.at(pathIn(reader)))).packet(TYPE.attrs))
      case TYPE.opendir:
        return void this.openFolder(this.followed(pathIn(reader)), id)
      case TYPE.readdir:
        return void this.readFolder(reader.text().toString(), id)
      case TYPE.open:
        return void this.open(pathIn(reader), reader.number(), id)
      case TYPE.read:
        return void this.read(this.handled(reader), reader.long(), reader.number(), id)
      case TYPE.write: {
        this.write(this.handled(reader), reader.long(), reader.text())
        return void done()
      }
      case TYPE.close: {
        this.handles.delete(reader.text().toString())
        return void done()
      }
      case TYPE.setstat: {
        this.change(this.followed(pathIn(reader)), reader)
        return void done()
      }
      case TYPE.mkdir: {
        this.create(pathIn(reader), newNode('folder'))
        return void done()
      }
      case TYPE.symlink: {
        const target = reader.text()
        this.create(pathIn(reader), newNode('link', Buffer.from(target)))
        return void done()
      }
      case TYPE.readlink: {
        const { kind, bytes } = this.at(pathIn(reader))
        if (kind !== 'link') throw new Failed(STATUS.failure, 'invalid argument')
        return void this.channel.write(id.number(1).text(bytes).text(bytes).attributes({}).packet(TYPE.name))
      }
      case TYPE.remove: {
        const path = pathIn(reader)
        this.at(path)
        putNode(this.instance, path, null)
        return void done()
      }
      case TYPE.extended: {
        if (reader.text().toString() !== 'posix-rename@openssh.com')
          throw new Failed(STATUS.unsupported, 'Operation Unsupported')
        this.rename(pathIn(reader), pathIn(reader))
        return void done()
      }
      default:
        throw new Failed(STATUS.unsupported, 'Operation Unsupported')
    }
  }

  private at(path: string): FileNode {
    const node = this.nodes.get(this.resolved(path))
    if (node === undefined) throw new Failed(STATUS.noSuchFile, `lstat ${path}: no such file or directory`)
    return node
  }

  /** With its folders' links followed, within the instance. */
  private resolved(path: string): string {
    const slash = path.lastIndexOf('/')
    const [folder, name] = [path.slice(0, slash) || '/', path.slice(slash + 1)]
    return name === '' ? '/' : joined(this.followed(folder), name)
  }

  private followed(path: string, depth = 0): string {
    if (depth > 40) throw new Failed(STATUS.failure, 'too many levels of symbolic links')
    if (path === '/') return path
    const slash = path.lastIndexOf('/')
    const real = joined(this.followed(path.slice(0, slash) || '/', depth + 1), path.slice(slash + 1))
    const node = this.nodes.get(real)
    if (node?.kind !== 'link') return real
    const target = node.bytes.toString('latin1')
    const from = target.startsWith('/') ? target : joined(real.slice(0, real.lastIndexOf('/')) || '/', target)
    return this.followed(plain(from), depth + 1)
  }

  private openFolder(path: string, id: Writer): void {
    if (this.at(path).kind !== 'folder') throw new Failed(STATUS.failure, 'not a directory')
    const prefix = path === '/' ? '/' : `${path}/`
    const left = [...this.nodes.keys()].filter(
      (one) => one !== '/' && one.startsWith(prefix) && !one.slice(prefix.length).includes('/'),
    )
    this.handle({ path, left }, id)
  }

  private readFolder(handle: string, id: Writer): void {
    const left = this.handles.get(handle)?.left?.splice(0, PAGE) ?? []
    if (left.length === 0) throw new Failed(STATUS.end, 'EOF')
    id.number(left.length)
    for (const path of left) {
      const name = Buffer.from(path.slice(path.lastIndexOf('/') + 1), 'latin1')
      id.text(name)
        .text(name)
        .attributes(viewOf(this.at(path)))
    }
    this.channel.write(id.packet(TYPE.name))
  }

  private open(path: string, how: number, id: Writer): void {
    const EXCLUSIVE = 32
    if ((how & EXCLUSIVE) !== 0) this.create(path, newNode('file'))
    const real = this.followed(path)
    if (this.at(real).kind === 'pipe') return // It waits for somebody who writes, and so for ever.
    this.handle({ path: real }, id)
  }

  private read(path: string, from: number, length: number, id: Writer): void {
    const { bytes } = this.at(path)
    if (from >= bytes.length) throw new Failed(STATUS.end, 'EOF')
    this.channel.write(id.text(bytes.subarray(from, from + length)).packet(TYPE.data))
  }

  private write(path: string, at: number, piece: Buffer): void {
    const node = this.at(path)
    const bytes = Buffer.alloc(Math.max(node.bytes.length, at + piece.length))
    bytes.set(node.bytes)
    bytes.set(piece, at)
    putNode(this.instance, path, { ...node, bytes })
  }

  private create(path: string, node: FileNode): void {
    const real = this.resolved(path)
    const folder = this.nodes.get(real.slice(0, real.lastIndexOf('/')) || '/')
    if (folder?.kind !== 'folder')
      throw new Failed(STATUS.noSuchFile, `open ${path}: no such file or directory`)
    if (this.nodes.has(real)) throw new Failed(STATUS.failure, `open ${path}: file exists`)
    putNode(this.instance, real, node)
  }

  private rename(from: string, to: string): void {
    const [old, now] = [this.resolved(from), this.resolved(to)]
    const node = this.at(old)
    if (this.nodes.get(now)?.kind === 'folder')
      throw new Failed(STATUS.failure, `rename ${from} ${to}: file exists`)
    putNode(this.instance, old, null)
    putNode(this.instance, now, node)
  }

  /** Incus 6.0.4 takes every attribute from the beginning of the packet, and of a mode nothing beyond the permissions. */
  private change(path: string, reader: Reader): void {
    const rest = new Reader(Buffer.from(reader.rest()))
    const given = rest.attributes()
    const parts = (['uid', 'mode', 'modified'] as const).filter((part) => given[part] !== undefined)
    const isOld = !this.server.face.extensions.includes('direct_backup')
    const shifted = isOld && parts.length > 1
    const { uid, gid, mode, modified } = shifted ? misread(given) : given
    const node = this.at(path)
    putNode(this.instance, path, {
      ...node,
      ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
      ...(mode === undefined ? {} : { mode: mode & (isOld ? 0o777 : 0o7777) }),
      ...(modified === undefined ? {} : { modified }),
    })
  }

  private handle(about: { path: string; left?: string[] }, id: Writer): void {
    const handle = String(++this.next)
    this.handles.set(handle, about)
    this.channel.write(id.text(handle).packet(TYPE.handle))
  }

  private handled(reader: Reader): string {
    const about = this.handles.get(reader.text().toString())
    if (about === undefined) throw new Failed(STATUS.failure, 'file handle is invalid')
    return about.path
  }
}

class Failed extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const pathIn = (reader: Reader): string => plain(reader.text().toString('latin1'))

/** Without what leads nowhere, and not above the root. */
function plain(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

const joined = (folder: string, name: string): string => plain(`${folder}/${name}`)

const viewOf = ({ kind, bytes, mode, uid, gid, modified }: FileNode): Attributes => ({
  ...{ size: bytes.length, uid, gid, mode: BITS[kind] | mode, modified },
})

function misread({ uid = 0, gid = 0, mode = 0, modified = 0 }: Attributes): Attributes {
  const first = uid || mode || modified
  return { uid: first, gid, mode: first, modified: gid }
}
