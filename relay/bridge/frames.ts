/**
 * Websocket frames (RFC 6455) on their way from one server to another. A server sends them bare and expects them masked,
 * so each gets another header and a mask; nothing else of it is changed, nothing is put together, and none is made here.
 */
import { randomFillSync } from 'node:crypto'

/** What came is no frame of a server. */
export class BadFrame extends Error {}

const MASKED = 0x80
const FIN_AND_CODE = 0x8f
/** Codes from here on are control frames: close, ping, pong. */
const CONTROL = 0x8
/** A frame's header at most, without a mask. */
const LONGEST = 10

export type Frames = {
  /** The same bytes as a client sends them; `chunk` is written over. */
  masked(chunk: Buffer): Buffer[]
  /** Of the data that went by, without frames' headers and control frames. */
  bytes(): number
}

export function createFrames(): Frames {
  const header = Buffer.alloc(LONGEST)
  let have = 0
  /** Of the present frame's payload. */
  let left = 0
  let isData = false
  let mask: Buffer = Buffer.alloc(4)
  let turn = 0
  let bytes = 0

  /** How much of the chunk was used; the frame's new header once it is whole. */
  const readHeader = (chunk: Buffer, from: number): { used: number; made: Buffer | null } => {
    let used = 0
    while (have < lengthOf(header, have) && from + used < chunk.length) {
      header.writeUInt8(chunk.readUInt8(from + used), have)
      have += 1
      used += 1
    }
    if (have < lengthOf(header, have)) return { used, made: null }
    left = payloadOf(header, have)
    isData = ((header[0] as number) & 0xf) < CONTROL
    mask = newMask()
    turn = 0
    const made = Buffer.concat([header.subarray(0, have), mask])
    made[1] = (made[1] as number) | MASKED
    have = 0
    return { used, made }
  }

  return {
    bytes: () => bytes,
    masked(chunk) {
      const pieces: Buffer[] = []
      let at = 0
      while (at < chunk.length) {
        if (left === 0) {
          const { used, made } = readHeader(chunk, at)
          at += used
          if (made !== null) pieces.push(made)
          continue
        }
        const piece = chunk.subarray(at, at + left)
        maskOver(piece, mask, turn)
        pieces.push(piece)
        turn = (turn + piece.length) % 4
        left -= piece.length
        at += piece.length
        if (isData) bytes += piece.length
      }
      return pieces
    },
  }
}

/** As far as is known by its first bytes. */
function lengthOf(header: Buffer, have: number): number {
  const [first = 0, second = 0] = header
  if (have < 2) return 2
  if ((first & FIN_AND_CODE) !== first) throw new BadFrame('a frame with an extension that nobody asked for')
  if ((second & MASKED) !== 0) throw new BadFrame('a masked frame of a server')
  return second === 126 ? 4 : second === 127 ? LONGEST : 2
}

function payloadOf(header: Buffer, have: number): number {
  if (have === 2) return header[1] as number
  if (have === 4) return header.readUInt16BE(2)
  const length = header.readBigUInt64BE(2)
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new BadFrame('a frame of impossible length')
  return Number(length)
}

/** Random bytes, fetched many at once. */
const stock = Buffer.alloc(4096)
let taken = stock.length

function newMask(): Buffer {
  if (taken === stock.length) {
    randomFillSync(stock)
    taken = 0
  }
  taken += 4
  return Buffer.from(stock.subarray(taken - 4, taken))
}

/** `turn`: which byte of the mask is the next. Four bytes at a time, where they lie so that this can be done. */
function maskOver(bytes: Buffer, mask: Buffer, turn: number): void {
  const { buffer, byteOffset, length } = bytes
  const before = Math.min(length, (4 - (byteOffset % 4)) % 4)
  const words = Math.floor((length - before) / 4)
  const each = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1)
      bytes[at] = (bytes[at] as number) ^ (mask[(at + turn) % 4] as number)
  }
  each(0, before)
  if (words > 0) {
    const turned = Uint8Array.from([0, 1, 2, 3], (at) => mask[(before + turn + at) % 4] as number)
    const [word = 0] = new Uint32Array(turned.buffer)
    const many = new Uint32Array(buffer, byteOffset + before, words)
    for (let at = 0; at < words; at += 1) many[at] = (many[at] as number) ^ word
  }
  each(before + words * 4, length)
}
