/**
 * Joins two websockets of servers: what one sends, the other gets, as fast as it takes it. Pings, pongs and close frames
 * go the same way, and none is ever made here. So where a connection ends without a close frame, the other one does, too:
 * its server takes that for a failure, and never for a tidy end.
 */
import type { Duplex } from 'node:stream'
import { createFrames } from './frames.ts'

/** Milliseconds that an ended connection's last bytes have to arrive; once both operations are over, it is cut anyway. */
const LINGER = 600_000
/** Bytes that may wait here for a server that takes them more slowly than they come. */
const MOST = 256 * 1024

export type Joined = {
  /** Both connections are closed. Null: each of them ended; else what went wrong here. Never rejects. */
  ended: Promise<Error | null>
  /** Ends both at once, without a word. */
  cut(): void
}

/** `onData`: bytes of data that were passed on from `first` to `second`. */
export function join(first: Duplex, second: Duplex, onData: (bytes: number) => void): Joined {
  let wrong: Error | null = null
  const cut = (error: Error | null = null): void => {
    wrong ??= error
    first.destroy()
    second.destroy()
  }
  pass(first, second, onData, cut)
  pass(second, first, () => {}, cut)
  return {
    cut: () => cut(),
    ended: Promise.all([first, second].map(closed)).then(() => wrong),
  }
}

function pass(from: Duplex, to: Duplex, onData: (bytes: number) => void, cut: (error: Error) => void): void {
  const frames = createFrames()
  let isGathering = false
  const send = (): void => {
    isGathering = false
    to.uncork()
  }
  from.on('data', (chunk: Buffer) => {
    if (!to.writable) return
    const before = frames.bytes()
    // What comes in one turn leaves in one piece.
    if (!isGathering) {
      isGathering = true
      to.cork()
      setImmediate(send)
    }
    try {
      for (const piece of frames.masked(chunk)) to.write(piece)
    } catch (cause) {
      cut(cause instanceof Error ? cause : new Error(String(cause)))
    }
    if (to.writableLength >= MOST) {
      from.pause()
      to.once('drain', () => from.resume())
    }
    onData(frames.bytes() - before)
  })
  const end = (): void => {
    if (!to.destroyed) to.end()
    // Whoever is gone or takes nothing more must not hold up the end.
    const timer = setTimeout(() => to.destroy(), LINGER).unref()
    to.once('close', () => clearTimeout(timer))
  }
  from.once('end', end)
  from.once('close', end)
  if (from.closed) end()
  // What is still to come has nowhere to go.
  to.once('close', () => from.resume())
  // It is followed by its close.
  from.on('error', () => {})
}

const closed = (one: Duplex): Promise<void> =>
  one.closed ? Promise.resolve() : new Promise((resolve) => one.once('close', () => resolve()))
