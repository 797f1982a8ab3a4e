import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Sent } from '../../../../relay/engine/files/files.ts'
import { sendFile } from '../../../../relay/send-file.ts'
import { FILE_HEADER, type FileRow } from '../../../../shared/relay/protocol.ts'

const row = (kind: FileRow['kind'], name = 'etc'): FileRow => ({
  ...{ name, kind, size: kind === 'file' ? 10 : null, mode: '0644', uid: 0, gid: 0, modifiedAt: null },
})

/** `left`: how often it was told that nothing more is read. */
async function sent(about: Omit<Sent, 'leave'>, read: (response: Response) => Promise<unknown>) {
  let left = 0
  const lines: string[] = []
  const server = createServer((_, response) => {
    void sendFile({ ...about, leave: () => (left += 1) }, response, (line) => lines.push(line))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const body = await read(response).then(
    (value) => ({ value }),
    (cause: unknown) => ({ cause }),
  )
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  return { headers: response.headers, body, left, lines }
}

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

async function* broken(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(100_000)
  throw new Error('the server went away')
}

describe('what is sent', () => {
  test('says what it is, in a header of ASCII alone', async () => {
    const file = { itself: row('file', 'grüße\n'), size: 10, bytes: pieces('hello', 'world') }
    const { headers, body, left } = await sent(file, (response) => response.text())
    expect(body).toEqual({ value: 'helloworld' })
    expect(headers.get('content-length')).toBe('10')
    expect(headers.get(FILE_HEADER)).toMatch(/^[\x20-\x7e]*$/)
    expect(JSON.parse(headers.get(FILE_HEADER) ?? '')).toEqual(row('file', 'grüße\n'))
    expect(left).toBe(1)
  })

  test.each([
    ['a folder', { itself: row('folder'), size: null }],
    ['a file', { itself: row('file'), size: 200_000 }],
  ])('of %s never ends as if it were whole, if it could not be read', async (_, about) => {
    const { body, left, lines } = await sent({ ...about, bytes: broken() }, (response) =>
      response.arrayBuffer(),
    )
    expect(body).toEqual({ cause: expect.any(Error) })
    expect(left).toBe(1)
    expect(lines).toEqual(['files: what was sent broke off: the server went away'])
  })
})
