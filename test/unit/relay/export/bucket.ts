/**
 * A bucket in memory that is strict: it checks each signature by itself, digests, conditions, and that all parts but the last
 * are of one size, as R2 wants it. What a real one makes of the same requests is tried in test/e2e.
 */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret / with + signs' }

type Answer = { status: number; body?: string | Buffer; headers?: Record<string, string> }

export type Bucket = {
  endpoint: string
  objects: Map<string, Buffer>
  uploads: Map<string, { key: string; parts: Map<number, Buffer> }>
  /** Method, key and query of each request. */
  asked: string[]
  /** Until when Object Lock keeps an object, by its key (ISO 8601); shown where the key may see that. */
  locks: Map<string, string>
  /** What was hidden by a removal without its version's id. */
  hidden: Map<string, Buffer>
  /** Of all that is written from now on: milliseconds that Object Lock keeps it, and whether the key may pass that (governance). */
  lock: { ms: number; passable: boolean } | null
  /** A bucket lock as R2 has it: it removes nothing and says no date. */
  isLocked: boolean
  /** Asked before each request; an answer is given instead of the bucket's own, `hang` none, `late` none once it is done. */
  fault: (request: string, place: number) => Answer | 'hang' | 'break' | 'late' | null
}

export async function openBucket(): Promise<Bucket> {
  const bucket: Bucket = {
    ...{ endpoint: '', objects: new Map(), uploads: new Map(), asked: [] },
    ...{ locks: new Map(), hidden: new Map(), isLocked: false, lock: null },
    fault: () => null,
  }
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const name = `${request.method} ${decodeURIComponent(url.pathname).replace('/exports', '')}${url.search}`
    const body = await bodyOf(request)
    const struck = bucket.fault(name, bucket.asked.push(name) - 1)
    if (struck === 'hang') return
    if (struck === 'break') return void request.socket.destroy()
    const {
      status,
      body: text = '',
      headers = {},
    } = struck === null || struck === 'late' ? answer(bucket, request, url, body) : struck
    if (struck === 'late') return void request.socket.destroy()
    const isHead = request.method === 'HEAD'
    response.writeHead(status, { ...(isHead ? { 'content-length': text.length } : {}), ...headers })
    response.end(isHead ? undefined : text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  bucket.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return bucket
}

const refuse = (status: number, code: string): Answer => ({
  status,
  body: `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>no &amp; no</Message></Error>`,
})

function answer(bucket: Bucket, request: IncomingMessage, url: URL, body: Buffer): Answer {
  const { objects, uploads } = bucket
  const { method = '', headers } = request
  if (headers.authorization !== authorization(request, url)) return refuse(403, 'SignatureDoesNotMatch')
  if (headers['x-amz-content-sha256'] !== hash(body)) return refuse(400, 'XAmzContentSHA256Mismatch')
  const md5 = headers['content-md5']
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64'))
    return refuse(400, 'BadDigest')
  const [, name, ...rest] = url.pathname.split('/').map(decodeURIComponent)
  if (name !== 'exports') return refuse(404, 'NoSuchBucket')
  const key = rest.join('/')
  const query = url.searchParams
  const id = query.get('uploadId')
  const isTaken = headers['if-none-match'] === '*' && objects.has(key)
  if (method === 'POST' && query.has('uploads')) {
    const upload = randomUUID()
    uploads.set(upload, { key, parts: new Map() })
    return { status: 200, body: `<Result><UploadId>${upload}</UploadId></Result>` }
  }
  if (id !== null) {
    const upload = uploads.get(id)
    if (upload === undefined || upload.key !== key) return refuse(404, 'NoSuchUpload')
    if (method === 'PUT') {
      upload.parts.set(Number(query.get('partNumber')), body)
      return { status: 200, headers: { etag: `"${createHash('md5').update(body).digest('hex')}"` } }
    }
    if (method === 'POST') {
      if (isTaken) return refuse(412, 'PreconditionFailed')
      const parts = [...upload.parts].sort(([one], [other]) => one - other).map(([, part]) => part)
      const size = parts[0]?.length
      if (parts.slice(0, -1).some((part) => part.length !== size)) return refuse(400, 'InvalidPart')
      objects.set(key, Buffer.concat(parts))
    }
    uploads.delete(id)
    return { status: method === 'DELETE' ? 204 : 200, body: '<Done></Done>' }
  }
  if (method === 'PUT') {
    if (isTaken) return refuse(412, 'PreconditionFailed')
    objects.set(key, body)
    if (bucket.lock !== null) bucket.locks.set(key, new Date(Date.now() + bucket.lock.ms).toISOString())
    return { status: 200, headers: { etag: '"x"' } }
  }
  if (method === 'DELETE') {
    const isPassing =
      headers['x-amz-bypass-governance-retention'] === 'true' && bucket.lock?.passable === true
    return remove(bucket, key, { isVersion: query.has('versionId'), isPassing })
  }
  if (key === '') return list(objects, query)
  const object = objects.get(key)
  if (object === undefined) return refuse(404, 'NoSuchKey')
  const until = bucket.locks.get(key)
  const lock = { 'x-amz-object-lock-mode': 'COMPLIANCE', 'x-amz-object-lock-retain-until-date': until ?? '' }
  return {
    ...{ status: 200, body: object },
    headers: until === undefined ? {} : { ...lock, 'x-amz-version-id': 'v1' },
  }
}

function remove(
  { objects, locks, hidden, isLocked }: Bucket,
  key: string,
  { isVersion, isPassing }: { isVersion: boolean; isPassing: boolean },
): Answer {
  const object = objects.get(key)
  const until = locks.get(key)
  if (object === undefined) return { status: 204 }
  if (isLocked) return refuse(403, 'ObjectLockedByBucketPolicy')
  if (isVersion && !isPassing && until !== undefined && Date.parse(until) > Date.now())
    return refuse(403, 'AccessDenied')
  if (!isVersion && until !== undefined) hidden.set(key, object)
  objects.delete(key)
  return { status: 204 }
}

/** Two names a page. */
function list(objects: Bucket['objects'], query: URLSearchParams): Answer {
  const after = query.get('continuation-token') ?? ''
  const names = [...objects.keys()]
    .filter((key) => key.startsWith(query.get('prefix') ?? '') && key > after)
    .sort()
  const page = names.slice(0, 2)
  const isCut = names.length > page.length
  const contents = page.map((key) => `<Contents><Key>${key.replaceAll('&', '&amp;')}</Key></Contents>`)
  const next = isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  return { status: 200, body: `<List><IsTruncated>${isCut}</IsTruncated>${contents.join('')}${next}</List>` }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const hash = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

/** What AWS's documents say of version 4, for the headers that the client says it has signed. */
function authorization({ method = '', headers }: IncomingMessage, url: URL): string {
  const given = headers.authorization ?? ''
  const signed = /SignedHeaders=([^,]+)/.exec(given)?.[1] ?? ''
  const scope = /Credential=[^/]+\/([^,]+)/.exec(given)?.[1] ?? ''
  const strict = (text: string) =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  const path = url.pathname.split('/').map(decodeURIComponent).map(strict).join('/')
  const query = [...url.searchParams]
    .map(([key, value]) => `${strict(key)}=${strict(value)}`)
    .sort()
    .join('&')
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name] ?? '').trim()}\n`)
  const canonical = [method, path, query, lines.join(''), signed, headers['x-amz-content-sha256']].join('\n')
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n')
  const key = scope
    .split('/')
    .reduce<Buffer | string>(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      `AWS4${KEYS.secretAccessKey}`,
    )
  const signature = createHmac('sha256', key).update(text).digest('hex')
  return `AWS4-HMAC-SHA256 Credential=${KEYS.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
}

export const storeIn = ({ endpoint }: Bucket, more: object = {}) => ({
  ...{
    type: 's3' as const,
    endpoint,
    region: 'auto',
    bucket: 'exports',
    prefix: 'incus/here',
    recipients: [],
  },
  ...KEYS,
  ...more,
})
