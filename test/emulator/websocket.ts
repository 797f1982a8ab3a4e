/**
 * A migration's websockets, as a client dials them that stands between two servers. What goes over control only says which
 * two migrations belong together; the data are a few bytes, and an empty text frame ends them, as Incus ends a stream.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { VolumeTransfer } from './custom-transfer.ts'
import { Refusal } from './envelope.ts'
import { cutOff, joinMigrations, type Waiting } from './joined.ts'
import type { Migration } from './migration.ts'
import { parseQuery } from './router.ts'
import type { EmbeddedIncus } from './server.ts'
import type { Transfer } from './transfer.ts'

type Channel = 'control' | 'fs'
type Frame = { code: number; payload: Buffer }
type Side = { waiting: Waiting; sockets: Map<Channel, Duplex>; frames: Record<Channel, Frame[]> }

const TEXT = 1
const BINARY = 2
const CLOSE = 8
const NORMAL = Buffer.from([0x03, 0xe8])

/** Of all servers here, by operation: those whose websockets were dialled. */
const sides = new Map<string, Side>()

export function upgrade(server: EmbeddedIncus, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => {})
  socket.on('end', () => socket.destroy())
  const found = channelOf(server, request.url ?? '')
  if (found === null) {
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    return
  }
  socket.unshift(head)
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${acceptOf(request)}\r\n\r\n`,
  )
  take(server, found.migration, found.channel, socket)
}

const acceptOf = ({ headers }: IncomingMessage): string =>
  createHash('sha1')
    .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')

function channelOf(server: EmbeddedIncus, url: string): { migration: Migration; channel: Channel } | null {
  const [path = '', search = ''] = url.split('?')
  const id = /^\/1\.0\/operations\/([^/]+)\/websocket$/.exec(path)?.[1] ?? ''
  const migration = server.phase === 'up' ? server.migrations.get(id) : undefined
  const { secret } = parseQuery(search)
  const channel = (['control', 'fs'] as const).find((one) => migration?.secrets[one] === secret)
  return migration === undefined || channel === undefined ? null : { migration, channel }
}

function take(server: EmbeddedIncus, migration: Migration, channel: Channel, socket: Duplex): void {
  const { id } = migration.side.operation
  const waiting = { server, operation: id, secrets: migration.secrets }
  const side: Side = sides.get(id) ?? { waiting, sockets: new Map(), frames: { control: [], fs: [] } }
  sides.set(id, side)
  side.sockets.set(channel, socket)
  const isSource = !('isNew' in migration.side)
  const read = createReader()
  socket.on('data', (chunk: Buffer) => {
    for (const frame of read(chunk)) {
      if (frame.code === CLOSE) socket.end(frameOf(CLOSE, frame.payload))
      else side.frames[channel].push(frame)
    }
    if (!isSource) meet(side)
  })
  socket.on('close', () => {
    sides.delete(id)
    if (side.sockets.size < 2 || server.migrations.get(id) !== migration) return
    migration.stopWaiting()
    migration.missed()
  })
  if (!isSource) return
  if (channel === 'control') socket.write(frameOf(BINARY, Buffer.from(id)))
  else for (const frame of dataOf(id)) socket.write(frame)
}

/** One frame for each way to tell a length, and the end. */
const dataOf = (id: string): Buffer[] => [
  ...[100, 30_000, 200_000].map((length) => frameOf(BINARY, Buffer.alloc(length, id))),
  frameOf(TEXT, Buffer.alloc(0)),
]

/** Once the target has all that the source sent, the transfer takes place. */
function meet(target: Side): void {
  const id = target.frames.control[0]?.payload.toString() ?? ''
  const source = sides.get(id)
  const sent = dataOf(id)
  if (source === undefined || target.frames.fs.length < sent.length) return
  const isWhole = target.frames.fs.every(({ code, payload }, at) =>
    frameOf(code, payload).equals(sent[at] ?? Buffer.alloc(0)),
  )
  target.frames.control = []
  const sockets = [source, target].flatMap(({ sockets: both }) => [...both.values()])
  const end = (): void => {
    for (const one of sockets) one.destroy()
  }
  try {
    if (!isWhole) throw new Refusal(500, 'it is not what was sent')
    begin(joinMigrations(source.waiting, target.waiting), target, sockets)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    end()
  }
}

function begin(transfer: Transfer | VolumeTransfer, target: Side, sockets: readonly Duplex[]): void {
  for (const one of sockets) one.once('close', () => cutOff(transfer))
  transfer.begin()
  void transfer.ended.then(() => {
    target.sockets.get('control')?.write(frameOf(CLOSE, NORMAL))
    // As Incus ends it: without a word.
    target.sockets.get('fs')?.destroy()
  })
}

/** As a server sends it, bare. */
function frameOf(code: number, payload: Buffer): Buffer {
  const { length } = payload
  const long = Buffer.alloc(8)
  long.writeBigUInt64BE(BigInt(length))
  const lengths = length < 126 ? [length] : length < 65_536 ? [126, ...long.subarray(6)] : [127, ...long]
  return Buffer.concat([Buffer.from([0x80 | code, ...lengths]), payload])
}

/** Whole frames of a client; one without a mask is none. */
function createReader(): (chunk: Buffer) => Frame[] {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const frames: Frame[] = []
    for (;;) {
      const [first = 0, second = 0] = rest
      const short = second & 0x7f
      const at = short < 126 ? 2 : short === 126 ? 4 : 10
      if (rest.length < at + 4) return frames
      if ((second & 0x80) === 0) throw new Error('a frame of a client without a mask')
      const length =
        short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
      if (rest.length < at + 4 + length) return frames
      const mask = rest.subarray(at, at + 4)
      const payload = Buffer.from(rest.subarray(at + 4, at + 4 + length))
      for (let byte = 0; byte < length; byte += 1)
        payload[byte] = (payload[byte] ?? 0) ^ (mask[byte % 4] ?? 0)
      frames.push({ code: first & 0xf, payload })
      rest = rest.subarray(at + 4 + length)
    }
  }
}
