import type { EmbeddedIncus } from './server.ts'

/** The servers that can reach each other, by the `host:port` under which they are dialled. */
export class Network {
  readonly #servers = new Map<string, EmbeddedIncus>()
  /** None of them reaches another. */
  isApart = false

  register(address: string, server: EmbeddedIncus): void {
    this.#servers.set(address, server)
  }

  /** Null when nobody listens there. */
  find(address: string): EmbeddedIncus | null {
    const server = this.isApart ? undefined : this.#servers.get(address)
    return server?.phase === 'up' ? server : null
  }
}
