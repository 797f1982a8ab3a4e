/** Packets of SFTP, version 3 (draft-ietf-secsh-filexfer-02): numbers are big-endian, texts are bytes with their length before them. */

export const TYPE = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  setstat: 9,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
} as const

export const STATUS = { ok: 0, end: 1, noSuchFile: 2, denied: 3, failure: 4, unsupported: 8 } as const

export const OPEN = { read: 1, write: 2, create: 8, exclusive: 32 } as const

/** Of a file, as its server tells. Absent: it doesn't. */
export type Attributes = {
  /** Bytes. */
  size?: number
  uid?: number
  gid?: number
  /** With the bits of its type (`st_mode`). */
  mode?: number
  /** Seconds since the epoch. */
  modified?: number
}

const FLAG = { size: 1, owner: 2, mode: 4, times: 8, extended: 0x8000_0000 } as const

export const bytesOf = (text: string): Buffer => Buffer.from(text)

/** Puts a packet together. */
export class Writer {
  private readonly parts: Buffer[] = []

  number(value: number): this {
    const part = Buffer.alloc(4)
    part.writeUInt32BE(value)
    return this.add(part)
  }

  long(value: number): this {
    const part = Buffer.alloc(8)
    part.writeBigUInt64BE(BigInt(value))
    return this.add(part)
  }

  text(value: Uint8Array | string): this {
    const part = typeof value === 'string' ? Buffer.from(value) : value
    return this.number(part.length).add(part)
  }

  attributes({ size, uid, gid, mode, modified }: Attributes): this {
    const hasOwner = uid !== undefined && gid !== undefined
    const flags =
      (size === undefined ? 0 : FLAG.size) +
      (hasOwner ? FLAG.owner : 0) +
      (mode === undefined ? 0 : FLAG.mode) +
      (modified === undefined ? 0 : FLAG.times)
    this.number(flags)
    if (size !== undefined) this.long(size)
    if (hasOwner) this.number(uid).number(gid)
    if (mode !== undefined) this.number(mode)
    return modified === undefined ? this : this.number(modified).number(modified)
  }

  /** With its length and type before it. */
  packet(type: number): Buffer {
    const body = Buffer.concat(this.parts)
    const head = Buffer.alloc(5)
    head.writeUInt32BE(body.length + 1)
    head.writeUInt8(type, 4)
    return Buffer.concat([head, body])
  }

  private add(part: Uint8Array): this {
    this.parts.push(Buffer.from(part.buffer, part.byteOffset, part.byteLength))
    return this
  }
}

/** Takes a packet's body apart. Throws a RangeError where that is too short. */
export class Reader {
  private readonly body: Buffer
  private at = 0

  constructor(body: Buffer) {
    this.body = body
  }

  number(): number {
    const value = this.body.readUInt32BE(this.at)
    this.at += 4
    return value
  }

  long(): number {
    const value = Number(this.body.readBigUInt64BE(this.at))
    this.at += 8
    return value
  }

  text(): Buffer {
    const length = this.number()
    if (this.at + length > this.body.length) throw new RangeError('a text is longer than its packet')
    const value = this.body.subarray(this.at, this.at + length)
    this.at += length
    return value
  }

  /** What was not read yet. */
  rest(): Buffer {
    return this.body.subarray(this.at)
  }

  /** When it was read last stands before when it was changed. */
  private times(): number {
    this.number()
    return this.number()
  }

  attributes(): Attributes {
    const flags = this.number()
    const has = (flag: number): boolean => (flags & flag) !== 0
    const found: Attributes = {
      ...(has(FLAG.size) ? { size: this.long() } : {}),
      ...(has(FLAG.owner) ? { uid: this.number(), gid: this.number() } : {}),
      ...(has(FLAG.mode) ? { mode: this.number() } : {}),
      ...(has(FLAG.times) ? { modified: this.times() } : {}),
    }
    if (has(FLAG.extended)) for (let left = this.number(); left > 0; left--) this.text() && this.text()
    return found
  }
}

/** Bytes. Servers send at most 256 KiB; what is longer is no SFTP. */
const LONGEST_PACKET = 1_048_576

export type Packet = { type: number; body: Buffer }

/** Cuts what arrives into packets. Throws a RangeError for what is none. */
export class Cutter {
  private rest: Buffer = Buffer.alloc(0)

  add(chunk: Uint8Array): Packet[] {
    this.rest = this.rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.rest, chunk])
    const packets: Packet[] = []
    while (this.rest.length >= 5) {
      const length = this.rest.readUInt32BE()
      if (length < 1 || length > LONGEST_PACKET) throw new RangeError(`a packet of ${length} bytes`)
      if (this.rest.length < length + 4) break
      packets.push({ type: this.rest.readUInt8(4), body: this.rest.subarray(5, length + 4) })
      this.rest = this.rest.subarray(length + 4)
    }
    return packets
  }
}
