import { gzipSync } from 'node:zlib'
import { type Answer, INSTANCES, OPERATIONS, POOL, sends } from '../lying-server.ts'
import { head, MB, type Told } from './told.ts'

const dripping: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 100)
  response.on('close', () => clearInterval(timer))
}

const interim: Answer = ({ socket }) => {
  const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(20)), 5)
  socket.on('close', () => clearInterval(timer))
}

export const WIRE: Record<string, Told> = {
  'a list that is cut off': {
    lie: {
      [INSTANCES]: ({ socket }) => {
        socket.write(`${head('transfer-encoding: chunked\r\n')}20\r\n{"type":"sync","metadata":[\r\n`)
        socket.end()
      },
    },
    known: 'nothing',
  },
  'a length that isn’t true': {
    lie: { [INSTANCES]: sends(head('content-length: 5000\r\n'), '{"type":"sync","metadata":[]}') },
    known: 'nothing',
  },
  'a length that is too small': {
    lie: { [INSTANCES]: sends(head('content-length: 10\r\n'), '{"type":"sync","metadata":[]}') },
    known: 'nothing',
  },
  'one byte after the other': { lie: { [INSTANCES]: dripping }, known: 'nothing', why: /too slowly/ },
  'headers and then nothing': {
    lie: { [INSTANCES]: (_, response) => response.writeHead(200).flushHeaders() },
    known: 'nothing',
    why: /too slowly/,
  },
  'nothing at all': { lie: { [OPERATIONS]: () => {} }, known: 'nothing', why: /too slowly/ },
  'that it goes on, without an end': { lie: { [INSTANCES]: interim }, known: 'nothing' },
  'another address': {
    lie: {
      [INSTANCES]: sends('HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n'),
    },
    known: 'nothing',
  },
  'what is compressed a thousand times': {
    lie: {
      [INSTANCES]: (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        response.end(gzipSync(Buffer.alloc(100 * MB, 0x20)))
      },
    },
    known: 'nothing',
  },
  'headers of 1 MB': { lie: { [INSTANCES]: sends(head(`x: ${'y'.repeat(MB)}\r\n`)) }, known: 'nothing' },
  'what is no HTTP': { lie: { [INSTANCES]: sends(Buffer.alloc(5000, 0xff)) }, known: 'nothing' },
  'the end of the connection': { lie: { [INSTANCES]: ({ socket }) => socket.destroy() }, known: 'nothing' },
  'an older HTTP': {
    lie: {
      [POOL]: sends(
        'HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n',
        '{"type":"sync","metadata":{"driver":"btrfs"}}',
      ),
    },
    known: 'all',
  },
  'an error that is a success': {
    lie: {
      [INSTANCES]: (_, response) => {
        response.writeHead(500)
        response.end(JSON.stringify({ type: 'sync', metadata: [] }))
      },
    },
    known: 'nothing',
  },
  'a success that is an error': {
    lie: {
      [INSTANCES]: (_, response) => {
        response.writeHead(200)
        response.end(JSON.stringify({ type: 'error', error: 'no', error_code: 1e300 }))
      },
    },
    known: 'nothing',
  },
  'an operation where a list was asked for': {
    lie: {
      [INSTANCES]: (_, response) => {
        response.writeHead(202)
        response.end(JSON.stringify({ type: 'async', metadata: { id: 'op1', status_code: 103 } }))
      },
    },
    known: 'nothing',
  },
}
