/** Bytes to an HTTP server in this process, through its own parser and without a socket. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'

class Line extends Duplex {
  readonly remoteAddress = '192.0.2.1'
  received = ''
  override _read(): void {}
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.received += chunk.toString('latin1')
    done()
  }
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
}

export type Wire = {
  /** The status of the first answer; null if there is none, because the request never came to its end. */
  send(bytes: Buffer): Promise<number | null>
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** So many turns a request may lack its end before the client leaves. */
const TURNS = 6

export function openWire(server: Server): Wire {
  const taken = new WeakMap<object, { message: IncomingMessage; response: ServerResponse }>()
  server.on('request', (message, response) => {
    if (!taken.has(message.socket)) taken.set(message.socket, { message, response })
  })
  return {
    async send(bytes) {
      const line = new Line()
      line.on('error', () => {})
      server.emit('connection', line)
      line.push(bytes)
      for (let turns = 0; turns < TURNS && !line.destroyed && !line.writableEnded; turns++) {
        await turn()
        const begun = taken.get(line)
        if (begun?.response.writableFinished === true) break
        // All of it came in: its answer takes as long as it takes.
        if (begun?.message.complete === true) turns = 0
      }
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(line.received)?.[1]
      line.destroy()
      return status === undefined ? null : Number(status)
    },
  }
}
