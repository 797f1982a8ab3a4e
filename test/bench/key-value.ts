/** The HTTP behind a KV binding of bare workerd, so that its work isn't counted as the Worker's. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

type KeyValue = { port: number; close(): Promise<void> }

export async function startKeyValue(): Promise<KeyValue> {
  const values = new Map<string, string>()
  const server = createServer((message, response) => {
    const key = message.url?.split('?')[0] ?? ''
    if (message.method === 'PUT') {
      void text(message).then((value) => {
        values.set(key, value)
        response.end()
      })
      return
    }
    const value = values.get(key)
    response.statusCode = value === undefined ? 404 : 200
    response.end(value)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
