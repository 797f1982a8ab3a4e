import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below those that Linux gives to outgoing connections (from 32768, net.ipv4.ip_local_port_range): whoever is
 * to listen there begins a while later, and tests beside it open thousands of connections meanwhile.
 */
const LOWEST = 15_000
const HIGHEST = 32_000
const ATTEMPTS = 50

/** A port of the loopback that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST, HIGHEST)
    if (await isFree(port)) return port
  }
  throw new Error('no free port on the loopback')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
