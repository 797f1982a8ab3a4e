/**
 * The entries of a tar as they pass by, with their bytes as they are. Only what Incus itself writes is taken: another form
 * could be read by it otherwise than here.
 */
import { StoreError } from './store.ts'

export const BLOCK = 512

/** `raw`: all its headers as they were. `size`: of its contents. */
export type Entry = { name: string; type: string; link: string; size: number; raw: Uint8Array }

/** What is passed on: of each entry first this, then its contents in pieces, as they are padded. */
export type Frame = { entry: Entry } | { bytes: Uint8Array }

/** Of extended headers, which name what is longer than a header holds. */
const LONGEST = 1024 * 1024

type Extended = { path?: string; link?: string; size?: number }

export async function* framesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const reader = new Reader(source)
  try {
    yield* framesIn(reader)
  } finally {
    await reader.leave()
  }
}

async function* framesIn(reader: Reader): AsyncGenerator<Frame> {
  let extended: { records: Extended; raw: Uint8Array | null } | null = null
  for (;;) {
    const header = await reader.exactly(BLOCK)
    if (header === null) throw odd('it ends without its last blocks')
    if (header.every((byte) => byte === 0)) {
      if (extended !== null) throw odd('a header belongs to nothing')
      for await (const bytes of reader.rest())
        if (bytes.some((byte) => byte !== 0)) throw odd('something follows its end')
      return
    }
    const parsed = parseHeader(header)
    if (parsed.type === 'x') {
      if (extended !== null || parsed.size > LONGEST) throw odd('its extended headers are too long')
      const body = await reader.exactly(padded(parsed.size))
      if (body === null) throw odd('it ends within a header')
      extended = {
        records: parseRecords(body.subarray(0, parsed.size)),
        raw: Buffer.concat([header, body]),
      }
      continue
    }
    const { records, raw } = extended ?? { records: {}, raw: null }
    extended = null
    const size = records.size ?? parsed.size
    if (!'05'.includes(parsed.type) && size > 0) throw odd(`${parsed.name} is no file and has contents`)
    yield {
      entry: {
        ...{ name: records.path ?? parsed.name, link: records.link ?? parsed.link, type: parsed.type, size },
        raw: raw === null ? header : Buffer.concat([raw, header]),
      },
    }
    for (let left = padded(size); left > 0; ) {
      const bytes = await reader.most(left)
      if (bytes === null) throw odd(`it ends within ${parsed.name}`)
      left -= bytes.length
      yield { bytes }
    }
  }
}

export const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK

/** A header of a file that is only Incus's to read. */
export function headerOf(name: string, size: number): Uint8Array {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
  header.write(name, 0)
  octal(0o400, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  header.write(`${sumOf(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** Files, links, devices, folders and pipes, as Incus's own archives have them. */
const TYPES = '0123456x'

function parseHeader(header: Buffer): Omit<Entry, 'raw'> {
  if (header.toString('latin1', 257, 265) !== 'ustar\x0000') throw odd('a header has another form')
  if (octalIn(header, 148, 8) !== sumOf(header)) throw odd('a header is damaged')
  const type = header[156] === 0 ? '0' : String.fromCharCode(header[156] ?? 0)
  if (!TYPES.includes(type)) throw odd(`an entry has the type ${JSON.stringify(type)}`)
  const prefix = textIn(header, 345, 155)
  const name = textIn(header, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    link: textIn(header, 157, 100),
    size: octalIn(header, 124, 12),
    type,
  }
}

/** Of all bytes, with its own as spaces. */
function sumOf(header: Uint8Array): number {
  let sum = 0
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 32 : byte
  return sum
}

function octalIn(header: Buffer, at: number, length: number): number {
  const text = header.toString('latin1', at, at + length).replace(/[\0 ]+$/, '')
  if (!/^ *[0-7]*$/.test(text)) throw odd('a header has a number in another form')
  return Number.parseInt(text.trim() || '0', 8)
}

const textIn = (header: Buffer, at: number, length: number): string => {
  const field = header.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}

/** What changes nothing that is looked at here: times, owners, and attributes of files. */
const IGNORED = /^([acm]time|[ug]id|[ug]name|SCHILY\.xattr\.[^\0]+)$/

/** `<length> <key>=<value>\n`, one after the other. */
function parseRecords(body: Buffer): Extended {
  const found: Extended = {}
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at)
    const length = Number(/^[1-9]\d{0,6}$/.exec(body.toString('latin1', at, Math.max(at, space)))?.[0] ?? 0)
    const record = body.subarray(space + 1, at + length - 1)
    const equals = record.indexOf(0x3d)
    if (space < 0 || equals < 1 || at + length > body.length || body[at + length - 1] !== 0x0a)
      throw odd('an extended header has another form')
    const [key, value] = [record.toString('utf8', 0, equals), record.toString('utf8', equals + 1)]
    if (key === 'path' && !value.includes('\0')) found.path = value
    else if (key === 'linkpath' && !value.includes('\0')) found.link = value
    else if (key === 'size' && /^\d{1,15}$/.test(value)) found.size = Number(value)
    else if (!IGNORED.test(key)) throw odd(`an extended header names ${JSON.stringify(key.slice(0, 50))}`)
    at += length
  }
  return found
}

/** It is none that Incus made for an export. */
export class OddArchive extends StoreError {}

export const odd = (why: string): OddArchive =>
  new OddArchive(`the archive is not in the form in which Incus exports: ${why}`)

async function* piecesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* source
}

/** Bytes in pieces of the wanted length. */
class Reader {
  private readonly source: AsyncGenerator<Uint8Array>
  private held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = piecesOf(source)
  }

  /** Its source may be left as well. */
  async leave(): Promise<void> {
    await this.source.return(undefined)
  }

  /** Null: it ended before. */
  async exactly(length: number): Promise<Buffer | null> {
    while (this.held.length < length) if (!(await this.more())) return null
    return this.take(length)
  }

  /** At most so many, and at least one; null: it has ended. */
  async most(length: number): Promise<Buffer | null> {
    if (this.held.length === 0 && !(await this.more())) return null
    return this.take(Math.min(length, this.held.length))
  }

  async *rest(): AsyncGenerator<Buffer> {
    for (;;) {
      const bytes = await this.most(Number.POSITIVE_INFINITY)
      if (bytes === null) return
      yield bytes
    }
  }

  private take(length: number): Buffer {
    const taken = this.held.subarray(0, length)
    this.held = this.held.subarray(length)
    return taken
  }

  private async more(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.source.next()
      if (done === true) return false
      if (value.length === 0) continue
      this.held = this.held.length === 0 ? Buffer.from(value) : Buffer.concat([this.held, value])
      return true
    }
  }
}
