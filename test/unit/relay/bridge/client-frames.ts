/** Frames of websockets: as a server sends them, and read as a server gets them. */
export type Frame = { first: number; payload: Buffer }

export const BINARY = 0x82
export const TEXT = 0x81
export const CLOSE = 0x88
export const PING = 0x89

/** As a server sends it, bare. `first`: whether it is the last of its message, and its kind. */
export function serverFrame({ first, payload }: Frame): Buffer {
  const { length } = payload
  const long = Buffer.alloc(8)
  long.writeBigUInt64BE(BigInt(length))
  const lengths = length < 126 ? [length] : length < 65_536 ? [126, ...long.subarray(6)] : [127, ...long]
  return Buffer.concat([Buffer.from([first, ...lengths]), payload])
}

/** Whole frames of a client, with their masks; what is left over is no whole one. */
export function readFrames(bytes: Buffer): { frames: Frame[]; masks: string[]; rest: number } {
  const frames: Frame[] = []
  const masks: string[] = []
  let at = 0
  for (;;) {
    const left = bytes.subarray(at)
    const short = (left[1] ?? 0) & 0x7f
    const begin = (short < 126 ? 2 : short === 126 ? 4 : 10) + 4
    if (left.length < begin) return { frames, masks, rest: left.length }
    if (((left[1] ?? 0) & 0x80) === 0) throw new Error('a frame of a client without a mask')
    const length =
      short < 126 ? short : short === 126 ? left.readUInt16BE(2) : Number(left.readBigUInt64BE(2))
    if (left.length < begin + length) return { frames, masks, rest: left.length }
    const mask = left.subarray(begin - 4, begin)
    const payload = Buffer.from(left.subarray(begin, begin + length))
    payload.forEach((byte: number, place: number) => {
      payload[place] = byte ^ (mask[place % 4] ?? 0)
    })
    frames.push({ first: left[0] ?? 0, payload })
    masks.push(mask.toString('hex'))
    at += begin + length
  }
}
