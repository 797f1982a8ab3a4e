import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { type Joined, join } from '../../../../relay/bridge/join.ts'
import { BINARY, CLOSE, PING, readFrames, serverFrame, TEXT } from './client-frames.ts'

const open: (Socket | Server)[] = []
afterEach(() => {
  for (const one of open.splice(0)) 'destroy' in one ? one.destroy() : one.close()
})

/** Two ends of one connection; the server's stays half open, as it would while it still sends. */
async function connection(): Promise<{ server: Socket; relay: Socket }> {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const relay = connect((listener.address() as AddressInfo).port, '127.0.0.1')
  const [server] = (await once(listener, 'connection')) as [Socket]
  for (const one of [server, relay]) one.on('error', () => {})
  open.push(server, relay, listener)
  return { server, relay }
}

type Scene = { source: Socket; target: Socket; joined: Joined; passed(): number; got(): Buffer }

async function scene(): Promise<Scene> {
  const [first, second] = [await connection(), await connection()]
  let passed = 0
  const chunks: Buffer[] = []
  const joined = join(first.relay, second.relay, (bytes) => {
    passed += bytes
  })
  second.server.on('data', (chunk: Buffer) => chunks.push(chunk))
  second.server.pause()
  return {
    ...{ source: first.server, target: second.server, joined },
    passed: () => passed,
    got: () => Buffer.concat(chunks),
  }
}

const data = (length: number) => ({ first: BINARY, payload: Buffer.alloc(length, 7) })

test('what one server sends, the other gets, pings and the empty text that ends a stream, too', async () => {
  const { source, target, got, passed } = await scene()
  const sent = [
    data(40_000),
    { first: PING, payload: Buffer.from('p') },
    { first: TEXT, payload: Buffer.alloc(0) },
  ]
  for (const frame of sent) source.write(serverFrame(frame))
  target.resume()
  while (readFrames(got()).frames.length < sent.length) await turn()
  expect(readFrames(got()).frames).toEqual(sent)
  expect(passed()).toBe(40_000)
})

test('a close frame goes on with what it says, and so does its answer', async () => {
  const { source, target, got } = await scene()
  const close = { first: CLOSE, payload: Buffer.from([0x03, 0xf3, ...Buffer.from('gone')]) }
  source.write(serverFrame(close))
  target.resume()
  while (readFrames(got()).frames.length === 0) await turn()
  expect(readFrames(got())).toMatchObject({ frames: [close], rest: 0 })
  const answered = once(source, 'data')
  source.resume()
  target.write(serverFrame(close))
  const [answer] = await answered
  expect(readFrames(answer as Buffer).frames).toEqual([close])
})

test.each([
  ['ends', (socket: Socket) => void socket.end()],
  ['breaks', (socket: Socket) => void socket.resetAndDestroy()],
])('where one server %s without a close frame, the other gets none', async (_, leave) => {
  const { source, target, joined, got } = await scene()
  source.write(serverFrame(data(1000)))
  target.resume()
  while (got().length < 1000) await turn()
  const ended = once(target, 'end')
  leave(source)
  await ended
  target.end()
  await joined.ended
  expect(readFrames(got())).toMatchObject({ frames: [data(1000)], rest: 0 })
})

test('where one breaks off within a frame, the other gets no whole one', async () => {
  const { source, target, joined, got } = await scene()
  source.write(serverFrame(data(50_000)).subarray(0, 20_000))
  target.resume()
  while (got().length < 20_000) await turn()
  source.destroy()
  await once(target, 'end')
  target.end()
  await joined.ended
  expect(readFrames(got()).frames).toEqual([])
  expect(readFrames(got()).rest).toBeGreaterThan(19_000)
})

test('a server that takes nothing holds the other one up, and little of it lies here', async () => {
  const { source, target, passed } = await scene()
  const frame = serverFrame(data(1_000_000))
  const count = 64
  for (let at = 0; at < count; at += 1) source.write(frame)
  let [before, still] = [-1, 0]
  // Until nothing moves any more; what the kernel takes is the machine's matter.
  while (still < 2000) {
    still = passed() === before ? still + 1 : 0
    before = passed()
    await turn()
  }
  expect(source.writableLength).toBeGreaterThan(32_000_000)
  target.resume()
  while (passed() < count * 1_000_000) await turn()
  expect(source.writableLength).toBe(0)
})

test('what is no frame ends both, and says why', async () => {
  const { source, target, joined } = await scene()
  target.resume()
  source.write(Buffer.from([BINARY, 0x81, 1, 2, 3, 4, 5]))
  expect((await joined.ended)?.message).toBe('a masked frame of a server')
})

test('once cut, both are closed', async () => {
  const { source, target, joined, got } = await scene()
  source.write(serverFrame(data(1000)))
  target.resume()
  while (got().length < 1000) await turn()
  joined.cut()
  expect(await joined.ended).toBeNull()
  await Promise.all([once(source.resume(), 'end'), target.readableEnded ? null : once(target, 'end')])
})
