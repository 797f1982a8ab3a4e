/** A reader that has seen enough, such as `head`, ends nothing: a change that has begun goes on, and its end is still told. */
import type { EventEmitter } from 'node:events'

/** What is written after that goes nowhere; other errors are thrown. */
export function outlive(...streams: readonly Pick<EventEmitter, 'on'>[]): void {
  for (const stream of streams)
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
}
