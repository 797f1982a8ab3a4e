import { type Duplex, duplexPair } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { openSftp, type Sftp } from '../../../../relay/engine/files/sftp.ts'
import { Cutter, Reader, TYPE, Writer } from '../../../../relay/engine/files/wire.ts'

const path = Buffer.from('/etc')

/** A server that answers as it is told; `id`: of what it was asked. */
async function against(
  answer: (type: number, id: number, server: Duplex) => void,
  version = new Writer().number(3).packet(TYPE.version),
): Promise<Sftp> {
  const [client, server] = duplexPair()
  const cutter = new Cutter()
  server.on('error', () => {})
  server.on('data', (chunk: Buffer) => {
    for (const { type, body } of cutter.add(chunk)) {
      if (type === TYPE.init) server.write(version)
      else answer(type, new Reader(body).number(), server)
    }
  })
  return openSftp(client)
}

const listOf = async (sftp: Sftp): Promise<string[]> => {
  const names: string[] = []
  for await (const some of sftp.list(path)) names.push(...some.map(({ name }) => name.toString()))
  return names
}

const handle = (id: number): Buffer => new Writer().number(id).text('h').packet(TYPE.handle)
const status = (id: number, code: number, text = ''): Buffer =>
  new Writer().number(id).number(code).text(text).text('').packet(TYPE.status)

describe('a server of files', () => {
  test.each(['../passwd', 'a/b', '/etc/passwd', '', 'a\0b'])(
    'that names %j in a folder is not believed: it could lead anywhere',
    async (name) => {
      const sftp = await against((type, id, server) => {
        if (type === TYPE.opendir) server.write(handle(id))
        else if (type === TYPE.readdir)
          server.write(new Writer().number(id).number(1).text(name).text('').attributes({}).packet(TYPE.name))
        else server.write(status(id, 0))
      })
      await expect(listOf(sftp)).rejects.toThrow('a name that no file has')
    },
  )

  test('that names more than it sends is refused', async () => {
    const sftp = await against((type, id, server) => {
      if (type === TYPE.opendir) server.write(handle(id))
      else server.write(new Writer().number(id).number(4_000_000_000).packet(TYPE.name))
    })
    await expect(listOf(sftp)).rejects.toThrow()
  })

  test('that announces a packet without an end is left', async () => {
    const sftp = await against((_, __, server) => server.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 105])))
    await expect(sftp.lstat(path)).rejects.toThrow('no SFTP')
  })

  test('that answers what nobody asked is left', async () => {
    const sftp = await against((_, id, server) => server.write(status(id + 7, 0)))
    await expect(sftp.lstat(path)).rejects.toThrow('no SFTP')
  })

  test('that speaks another protocol is refused', async () => {
    await expect(against(() => {}, Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'))).rejects.toThrow('no SFTP')
  })

  test('that goes away ends what waits for it, and what is asked afterwards', async () => {
    const sftp = await against((_, __, server) => server.destroy())
    await expect(sftp.lstat(path)).rejects.toThrow('ended')
    await expect(sftp.lstat(path)).rejects.toThrow('ended')
  })

  test('whose error would move a cursor is told as plain text', async () => {
    const sftp = await against((_, id, server) => server.write(status(id, 4, 'no\u001b[2Jway')))
    await expect(sftp.lstat(path)).rejects.toThrow('no [2Jway')
  })

  test('may send less than it was asked for, and nothing of the file is lost', async () => {
    const file = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251))
    const [client, server] = duplexPair()
    const cutter = new Cutter()
    server.on('data', (chunk: Buffer) => {
      for (const { type, body } of cutter.add(chunk)) {
        const reader = new Reader(body)
        if (type === TYPE.init) server.write(new Writer().number(3).packet(TYPE.version))
        else if (type === TYPE.open) server.write(handle(reader.number()))
        else if (type === TYPE.read) {
          const [id, , from] = [reader.number(), reader.text(), reader.long()]
          const piece = file.subarray(from, from + 10_007)
          server.write(
            piece.length === 0 ? status(id, 1) : new Writer().number(id).text(piece).packet(TYPE.data),
          )
        } else server.write(status(reader.number(), 0))
      }
    })
    const sftp = await openSftp(client)
    const pieces: Buffer[] = []
    for await (const piece of sftp.read(path)) pieces.push(piece)
    expect(Buffer.concat(pieces).equals(file)).toBe(true)
  })
})
