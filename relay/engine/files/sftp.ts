/**
 * Files of one instance, over SFTP, which Incus speaks on a connection of its own. Paths are bytes: not every name is UTF-8.
 * Whatever fails throws an `SftpError`.
 */
import type { Duplex } from 'node:stream'
import { safeText } from '../../../shared/safe-text.ts'
import { type Attributes, Cutter, OPEN, type Packet, Reader, STATUS, TYPE, Writer } from './wire.ts'

export class SftpError extends Error {
  /** One of STATUS, or null: the connection is no good any more. */
  readonly status: number | null

  constructor(message: string, status: number | null = null) {
    super(message)
    this.status = status
  }
}

export type Entry = { name: Buffer; attributes: Attributes }

export type Sftp = {
  /** Of itself, where it is a link. Null: there is nothing. */
  lstat(path: Buffer): Promise<Attributes | null>
  /** Unordered, without `.` and `..`. */
  list(folder: Buffer): AsyncIterable<Entry[]>
  readLink(path: Buffer): Promise<Buffer>
  /** All of it, in order. */
  read(path: Buffer): AsyncIterable<Buffer>
  /** Makes a file that must not be there yet. */
  write(path: Buffer, bytes: AsyncIterable<Uint8Array>): Promise<void>
  /** Of what is no link: that would be followed. */
  setAttributes(path: Buffer, attributes: Attributes): Promise<void>
  makeFolder(path: Buffer): Promise<void>
  makeLink(path: Buffer, to: Buffer): Promise<void>
  /** Takes the place of what has that name, in one step; a link there is not followed. */
  replace(path: Buffer, by: Buffer): Promise<void>
  remove(path: Buffer): Promise<void>
  close(): void
}

/** Bytes: what every server sends and takes at once. */
const PIECE = 32_768
/** So many are on their way. */
const AHEAD = 8
const PERMISSIONS = 0o7777

/** Over a connection on which nothing was sent yet. */
export async function openSftp(channel: Duplex): Promise<Sftp> {
  const line = new Line(channel)
  await line.begin()
  const done = async (type: number, body: Writer): Promise<void> => {
    expectStatus(await line.ask(type, body))
  }
  const open = async (path: Buffer, how: number): Promise<Buffer> =>
    handleIn(await line.ask(TYPE.open, new Writer().text(path).number(how).attributes({})))
  const close = (handle: Buffer): Promise<void> => done(TYPE.close, new Writer().text(handle))

  return {
    async lstat(path) {
      try {
        const reply = await line.ask(TYPE.lstat, new Writer().text(path))
        return expect(reply, TYPE.attrs).attributes()
      } catch (cause) {
        if (cause instanceof SftpError && cause.status === STATUS.noSuchFile) return null
        throw cause
      }
    },
    async *list(folder) {
      const handle = handleIn(await line.ask(TYPE.opendir, new Writer().text(folder)))
      try {
        for (;;) {
          const found = entriesIn(await line.ask(TYPE.readdir, new Writer().text(handle)))
          if (found === null) return
          yield found
        }
      } finally {
        if (line.isOpen) await close(handle)
      }
    },
    async readLink(path) {
      const reply = expect(await line.ask(TYPE.readlink, new Writer().text(path)), TYPE.name)
      if (reply.number() < 1) throw new SftpError('a link without its target')
      return reply.text()
    },
    async *read(path) {
      const handle = await open(path, OPEN.read)
      try {
        yield* inOrder(line, handle)
      } finally {
        if (line.isOpen) await close(handle)
      }
    },
    async write(path, bytes) {
      const handle = await open(path, OPEN.write | OPEN.create | OPEN.exclusive)
      try {
        await sendAll(line, handle, bytes)
      } finally {
        if (line.isOpen) await close(handle)
      }
    },
    // One after the other: of several in one packet Incus 6.0.4 takes each for the first. And a new owner takes bits off the mode.
    async setAttributes(path, { uid, gid, mode, modified }) {
      const parts: Attributes[] = [
        ...(uid === undefined || gid === undefined ? [] : [{ uid, gid }]),
        ...(mode === undefined ? [] : [{ mode: mode & PERMISSIONS }]),
        ...(modified === undefined ? [] : [{ modified }]),
      ]
      for (const part of parts) await done(TYPE.setstat, new Writer().text(path).attributes(part))
    },
    makeFolder: (path) => done(TYPE.mkdir, new Writer().text(path).attributes({})),
    // The target comes first, as in OpenSSH and against the draft.
    makeLink: (path, to) => done(TYPE.symlink, new Writer().text(to).text(path)),
    replace: (path, by) =>
      done(TYPE.extended, new Writer().text('posix-rename@openssh.com').text(by).text(path)),
    remove: (path) => done(TYPE.remove, new Writer().text(path)),
    close: () => line.end(),
  }
}

/** Requests and their replies on one connection, by their numbers. */
class Line {
  private readonly channel: Duplex
  private readonly cutter = new Cutter()
  private readonly waiting = new Map<number, { take(packet: Packet): void; fail(cause: Error): void }>()
  private next = 1
  private broken: SftpError | null = null

  constructor(channel: Duplex) {
    this.channel = channel
    channel.on('data', (chunk: Buffer) => this.arrive(chunk))
    channel.on('error', (cause: Error) => this.breakOff(cause.message))
    channel.on('close', () => this.breakOff('the connection was closed'))
    channel.on('end', () => this.breakOff('the connection was ended'))
  }

  get isOpen(): boolean {
    return this.broken === null
  }

  async begin(): Promise<void> {
    const version = this.reply(0)
    this.channel.write(new Writer().number(3).packet(TYPE.init))
    const reply = await version
    if (reply.type !== TYPE.version) throw new SftpError('it is no SFTP')
  }

  async ask(type: number, body: Writer): Promise<Packet> {
    const id = this.next
    this.next = (this.next % 0x7fff_ffff) + 1
    const reply = this.reply(id)
    const packet = body.packet(type)
    // Its number stands before all else.
    const whole = Buffer.concat([packet.subarray(0, 5), Buffer.alloc(4), packet.subarray(5)])
    whole.writeUInt32BE(whole.length - 4)
    whole.writeUInt32BE(id, 5)
    if (this.broken === null) this.channel.write(whole)
    return reply
  }

  end(): void {
    this.breakOff('it was closed')
    this.channel.destroy()
  }

  private reply(id: number): Promise<Packet> {
    if (this.broken !== null) return Promise.reject(this.broken)
    return new Promise((take, fail) => this.waiting.set(id, { take, fail }))
  }

  private arrive(chunk: Buffer): void {
    try {
      for (const { type, body } of this.cutter.add(chunk)) {
        const id = type === TYPE.version ? 0 : body.readUInt32BE()
        const asked = this.waiting.get(id)
        if (asked === undefined) throw new RangeError('an answer to nothing')
        this.waiting.delete(id)
        asked.take({ type, body: type === TYPE.version ? body : body.subarray(4) })
      }
    } catch (cause) {
      this.breakOff(`what came is no SFTP: ${cause instanceof Error ? cause.message : String(cause)}`)
      this.channel.destroy()
    }
  }

  private breakOff(why: string): void {
    if (this.broken !== null) return
    this.broken = new SftpError(safeText(why))
    for (const { fail } of this.waiting.values()) fail(this.broken)
    this.waiting.clear()
  }
}

/** An error's status is its own; of what is no error, `type` is expected. */
function expect({ type, body }: Packet, wanted: number): Reader {
  const reader = new Reader(body)
  if (type === wanted) return reader
  if (type !== TYPE.status) throw new SftpError(`an answer of another kind (${type})`)
  const status = reader.number()
  throw new SftpError(safeText(reader.text().toString()) || `status ${status}`, status)
}

function expectStatus(packet: Packet): void {
  const reader = expect(packet, TYPE.status)
  const status = reader.number()
  if (status !== STATUS.ok)
    throw new SftpError(safeText(reader.text().toString()) || `status ${status}`, status)
}

const handleIn = (packet: Packet): Buffer => Buffer.from(expect(packet, TYPE.handle).text())

/** Null: there are no more. */
function entriesIn(packet: Packet): Entry[] | null {
  if (packet.type === TYPE.status && packet.body.readUInt32BE() === STATUS.end) return null
  const reader = expect(packet, TYPE.name)
  const entries: Entry[] = []
  for (let left = reader.number(); left > 0; left--) {
    const name = Buffer.from(reader.text())
    reader.text()
    const attributes = reader.attributes()
    if (isRelative(name)) continue
    // A name that is a path could lead anywhere.
    if (name.length === 0 || name.includes(0) || name.includes(0x2f))
      throw new SftpError('a folder with a name that no file has')
    entries.push({ name, attributes })
  }
  return entries
}

const isRelative = (name: Buffer): boolean => ['.', '..'].includes(name.toString('latin1'))

async function* inOrder(line: Line, handle: Buffer): AsyncGenerator<Buffer> {
  let asked = 0
  const replies: Promise<Packet>[] = []
  const askOne = () => {
    const reply = line.ask(TYPE.read, new Writer().text(handle).long(asked).number(PIECE))
    // Told to whoever takes it; what nobody takes is not awaited.
    reply.catch(() => {})
    replies.push(reply)
    asked += PIECE
  }
  for (let at = 0; ; ) {
    while (replies.length < AHEAD) askOne()
    const packet = await (replies.shift() ?? line.ask(TYPE.read, new Writer()))
    if (packet.type === TYPE.status && packet.body.readUInt32BE() === STATUS.end) return
    const piece = expect(packet, TYPE.data).text()
    yield piece
    at += piece.length
    // Less than was asked for, and perhaps not the end: the others have left a gap.
    if (piece.length < PIECE) {
      await Promise.allSettled(replies.splice(0))
      asked = at
    }
  }
}

async function sendAll(line: Line, handle: Buffer, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const replies: Promise<Packet>[] = []
  let at = 0
  const settle = async (most: number) => {
    while (replies.length > most) {
      const first = replies.shift()
      if (first !== undefined) expectStatus(await first)
    }
  }
  for await (const chunk of bytes)
    for (let from = 0; from < chunk.length; from += PIECE) {
      const piece = chunk.subarray(from, from + PIECE)
      const reply = line.ask(TYPE.write, new Writer().text(handle).long(at).text(piece))
      reply.catch(() => {})
      replies.push(reply)
      at += piece.length
      await settle(AHEAD - 1)
    }
  await settle(0)
}
