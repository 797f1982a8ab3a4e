/** Gathers the body of an answer, up to what an Incus can have to say. */

/**
 * Bytes. 10,000 instances with 50 snapshots each are 107 MB of volumes on Incus 6.0, by far its longest list;
 * this is half as much again. Nothing else is a list, and the longest of that is one instance's config.
 */
export const LONGEST = { list: 160 * 1024 * 1024, other: 16 * 1024 * 1024 }

/** Bytes of all the answers of one remote that are on their way at once: two of its longest, for two callers. */
const MOST_AT_ONCE = 2 * LONGEST.list

/**
 * Values in one answer: those 10,000 instances are six millions. Short values are what makes an answer take far
 * more memory than it has bytes.
 */
const MOST_VALUES = 10_000_000

/** So short an answer can't hold too many. */
const UNCOUNTED = 8 * 1024 * 1024
/** Every so manieth byte is looked at, in places that nobody knows beforehand. */
const SAMPLED = 16

export type Held = { bytes: number }

export class Gathering {
  private chunks: Buffer[] = []
  private length = 0
  private values = 0
  private isOver = false
  private readonly longest: number
  /** By all answers of that remote. */
  private readonly held: Held

  constructor(longest: number, held: Held) {
    this.longest = longest
    this.held = held
  }

  /** Why no more of it is taken, or null. */
  add(chunk: Buffer): string | null {
    if (this.isOver) return null
    this.length += chunk.length
    this.held.bytes += chunk.length
    if (this.length > this.longest) return `it is longer than ${inMegabytes(this.longest)}`
    if (this.held.bytes > MOST_AT_ONCE)
      return `with its other answers it is longer than ${inMegabytes(MOST_AT_ONCE)}`
    if (this.length > UNCOUNTED) this.values += SAMPLED * valuesIn(chunk)
    if (this.values > MOST_VALUES) return `it holds more than ${MOST_VALUES / 1e6} million values`
    this.chunks.push(chunk)
    return null
  }

  /** What came, as text; nothing is kept. */
  take(): string {
    const bytes = Buffer.concat(this.chunks)
    this.drop()
    return bytes.toString()
  }

  drop(): void {
    this.isOver = true
    this.held.bytes -= this.length
    this.length = 0
    this.chunks = []
  }
}

const inMegabytes = (bytes: number): string => `${bytes / (1024 * 1024)} MB`

const [COMMA, BRACKET, BRACE] = [0x2c, 0x5b, 0x7b]

function valuesIn(chunk: Buffer): number {
  const size = Math.ceil(chunk.length / SAMPLED)
  const from = Math.floor(Math.random() * (chunk.length - size + 1))
  let count = 0
  for (let at = from; at < from + size; at++) {
    const byte = chunk[at]
    if (byte === COMMA || byte === BRACKET || byte === BRACE) count += 1
  }
  return count
}
