/** A bucket that only takes. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const SMALL = 100_000

/** It keeps only how long each object is, and of small ones what they say. */
export async function openSink(): Promise<{ url: string; close(): Promise<void> }> {
  const objects = new Map<string, { size: number; text: Buffer }>()
  const uploads = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
    let bytes = 0
    let text = Buffer.alloc(0)
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length
      if (bytes <= SMALL) text = Buffer.concat([text, chunk as Buffer])
    }
    const id = searchParams.get('uploadId')
    const { method } = request
    if (method === 'POST' && searchParams.has('uploads')) {
      uploads.set('1', 0)
      response.end('<R><UploadId>1</UploadId></R>')
    } else if (method === 'PUT' && id !== null) {
      uploads.set(id, (uploads.get(id) ?? 0) + bytes)
      response.setHeader('etag', '"x"').end()
    } else if (method === 'POST' && id !== null) {
      objects.set(pathname, { size: uploads.get(id) ?? 0, text: Buffer.alloc(0) })
      response.end('<Done></Done>')
    } else if (method === 'PUT') {
      objects.set(pathname, { size: bytes, text })
      response.end()
    } else if (method === 'DELETE') {
      objects.delete(pathname)
      response.writeHead(204).end()
    } else if (searchParams.has('list-type')) {
      response.end('<List></List>')
    } else {
      const there = objects.get(pathname)
      const size = method === 'HEAD' ? there?.size : there?.text.length
      response.writeHead(there === undefined ? 404 : 200, { 'content-length': size ?? 0 })
      response.end(method === 'HEAD' ? undefined : there?.text)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
