import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import { createRelayServer, LIMITS } from '../../../relay/server.ts'
import { createSystemClock } from '../../../relay/system-clock.ts'
import { createUpstreams } from '../../../relay/upstreams.ts'

test('a client that stammers is cut off', async () => {
  const upstreams = createUpstreams({}, { certificate: '', key: '' })
  const engine = createEngine({ upstream: upstreams, clock: createSystemClock(), remotes: {}, secret: 's' })
  const authenticate = () => Promise.reject(new Error('never asked'))
  const limits = { ...LIMITS, headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 50 }
  const reach = async () => true
  const options = { engine, upstreams, remotes: {}, authenticate, reach, log: () => {} }
  const server = createRelayServer(options, limits)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET /v1/health HTTP/1.1\r\nhost: x\r\n')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await once(socket, 'close')
  expect(Buffer.concat(chunks).toString()).toContain('408')
  server.close()
})
