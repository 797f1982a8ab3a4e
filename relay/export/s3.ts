/** A store that is a bucket. Large files are sent in parts, one in flight while the next one fills. */
import { createHash } from 'node:crypto'
import { own } from '../../shared/own.ts'
import { safeText } from '../../shared/safe-text.ts'
import { createS3Client, type S3Client, type S3Options, xmlText, xmlTexts } from './s3-client.ts'
import { type FileState, type Store, StoreError, type Writer } from './store.ts'

/** `prefix`: of all keys; empty, or without a slash at either end. */
export function createBucket(options: S3Options & { prefix: string }): Store & { close(): Promise<void> } {
  const client = createS3Client(options)
  const keyOf = (path: string): string => (options.prefix === '' ? path : `${options.prefix}/${path}`)
  const size = async (path: string): Promise<number | null> => {
    const reply = await client.send({ method: 'HEAD', key: keyOf(path), expected: [404] })
    return reply.status === 404 ? null : Number(reply.headers['content-length'] ?? Number.NaN)
  }
  return {
    late: SIGNED,
    size,
    write: async (path, expected, begun) => new Parts(client, keyOf(path), partSize(expected), begun),
    open: (path) => client.open(keyOf(path)),
    async read(path) {
      const reply = await client.send({ method: 'GET', key: keyOf(path), expected: [404] })
      return reply.status === 404 ? null : reply.text
    },
    async put(path, text) {
      // Some servers ignore the condition.
      if ((await size(path)) !== null) return false
      const reply = await client.send({
        ...{ method: 'PUT', key: keyOf(path), body: Buffer.from(text) },
        headers: { 'content-type': 'application/json', 'if-none-match': '*' },
        expected: TAKEN,
      })
      if (reply.status < 400) return true
      // A try whose answer was lost may have put it there.
      const there = await client.send({ method: 'GET', key: keyOf(path), expected: [404] })
      return there.status !== 404 && there.text === text
    },
    list: (folder, ending) => listed(client, keyOf(`${folder}/`), ending),
    async discard(path, token) {
      if (token !== null && token !== '')
        await client.send({
          ...{ method: 'DELETE', key: keyOf(path), query: { uploadId: token } },
          expected: [404],
        })
      await client.send({ method: 'DELETE', key: keyOf(path), expected: [404] })
    },
    async about(path) {
      const reply = await client.send({ method: 'HEAD', key: keyOf(path), expected: [404] })
      return reply.status === 404 ? null : stateIn(reply.headers)
    },
    remove: (path) => removed(client, keyOf(path)),
    erase: (path) => erased(client, keyOf(path)),
    close: client.close,
  }
}

const MODE = 'x-amz-object-lock-mode'

function stateIn(headers: Record<string, string>): FileState {
  const momentOf = (name: string): number | null => {
    const at = Date.parse(own(headers, name) ?? '')
    return Number.isNaN(at) ? null : at
  }
  const [put, now] = [momentOf('last-modified'), momentOf('date')]
  return {
    bytes: Number(headers['content-length'] ?? Number.NaN),
    age: put === null || now === null ? null : now - put,
    until: momentOf('x-amz-object-lock-retain-until-date'),
    held: headers['x-amz-object-lock-legal-hold']?.toUpperCase() === 'ON',
  }
}

/**
 * Where Object Lock is on, only the version itself can go: without its id a bucket hides what it keeps. Where somebody has versions
 * kept without that, they stay: the bucket's own rules say for how long.
 */
async function removed(client: S3Client, key: string): Promise<string | null> {
  const { status, headers } = await client.send({ method: 'HEAD', key, expected: [404] })
  if (status === 404) return null
  const version = headers['x-amz-version-id'] ?? ''
  const isLocked = (headers[MODE] ?? '') !== '' && version !== ''
  const reply = await client.send({
    ...{ method: 'DELETE', key, expected: REFUSED },
    ...(isLocked ? { query: { versionId: version } } : {}),
  })
  if (reply.status >= 400 && reply.status !== 404) {
    const code = xmlText(reply.text, 'Code') ?? ''
    return `it answered ${reply.status} to the removal of ${key}${code === '' ? '' : `: ${safeText(code, 100)}`}`
  }
  const left = await client.send({ method: 'HEAD', key, expected: [404] })
  return left.status === 404 ? null : `it has ${key} still, though it took its removal`
}

async function erased(client: S3Client, key: string): Promise<string | null> {
  const { status, headers } = await client.send({ method: 'HEAD', key, expected: [404] })
  if (status === 404) return null
  const version = headers['x-amz-version-id'] ?? ''
  const one = { method: 'DELETE', key, ...(version === '' ? {} : { query: { versionId: version } }) } as const
  const plain = await client.send({ ...one, expected: REFUSED })
  if (plain.status < 400 || plain.status === 404) return null
  const bypassing = { 'x-amz-bypass-governance-retention': 'true' }
  const { status: past, text } = await client.send({ ...one, headers: bypassing, expected: REFUSED })
  return past < 400 || past === 404 ? null : `${past} ${safeText(xmlText(text, 'Code') ?? '', 100)}`.trim()
}

/** By a lock, or as the access key may not remove anything: the answers don't tell these apart. */
const REFUSED: readonly number[] = [400, 401, 403, 404, 405, 409, 412, 423]

/** Milliseconds. Longer than any store takes a signed request for one of now. */
const SIGNED = 3_600_000

/** Something is there, as after a try whose answer was lost. */
const TAKEN: readonly number[] = [409, 412]

const MEBI = 1024 * 1024
/** R2 wants all parts but the last of one size, S3 at most 10,000 of them. */
const SMALLEST = 8 * MEBI
const MOST_PARTS = 9_000

/** Encrypted and compressed, what comes may be a little more than the archive. */
export const partSize = (expected: number): number =>
  Math.max(SMALLEST, Math.ceil((expected * 1.02) / MOST_PARTS / MEBI) * MEBI)

async function listed(client: S3Client, prefix: string, ending: string): Promise<string[]> {
  const names: string[] = []
  let after: string | null = null
  do {
    const query: Record<string, string> = {
      'list-type': '2',
      ...{ prefix, delimiter: '/' },
      ...(after === null ? {} : { 'continuation-token': after }),
    }
    const { text } = await client.send({ method: 'GET', query })
    for (const key of xmlTexts(text, 'Key'))
      if (key.startsWith(prefix) && key.endsWith(ending)) names.push(key.slice(prefix.length))
    const isCut = xmlText(text, 'IsTruncated') === 'true'
    after = isCut ? xmlText(text, 'NextContinuationToken') : null
    if (isCut && after === null) throw new StoreError('the bucket lists only a part of what it has')
  } while (after !== null)
  return names
}

class Parts implements Writer {
  private readonly client: S3Client
  private readonly key: string
  private readonly begun: (token: string) => void
  /** One fills while the other is sent. */
  private buffer: Buffer
  private other: Buffer | null = null
  private filled = 0
  private upload: string | null = null
  private readonly etags: string[] = []
  private flight: Promise<unknown> = Promise.resolve()

  constructor(client: S3Client, key: string, size: number, begun: (token: string) => void) {
    this.client = client
    this.key = key
    this.begun = begun
    this.buffer = Buffer.allocUnsafe(size)
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, this.buffer.length - this.filled)
      this.buffer.set(chunk.subarray(at, at + taken), this.filled)
      this.filled += taken
      at += taken
      if (this.filled === this.buffer.length) await this.flush()
    }
  }

  /**
   * A small file is sent whole. What is there already is from a try whose answer was lost, since nobody else knows the key;
   * whoever calls compares the size.
   */
  async end(): Promise<void> {
    if (this.upload === null) {
      this.begun('')
      const headers = { ...md5Of(this.rest()), 'if-none-match': '*' }
      await this.client.send({ method: 'PUT', key: this.key, body: this.rest(), headers, expected: TAKEN })
      return
    }
    if (this.filled > 0) await this.flush()
    await this.flight
    await this.complete(this.upload)
  }

  async abort(): Promise<void> {
    await this.flight.catch(() => {})
    if (this.upload === null) return
    await this.client.send({
      ...{ method: 'DELETE', key: this.key, query: { uploadId: this.upload } },
      expected: [404],
    })
  }

  private rest(): Buffer {
    return this.buffer.subarray(0, this.filled)
  }

  /** Waits until the part before is there, so that two of them are in memory at most. */
  private async flush(): Promise<void> {
    await this.flight
    const upload = this.upload ?? (await this.start())
    const part = this.rest()
    const sent = this.buffer
    this.buffer = this.other ?? Buffer.allocUnsafe(sent.length)
    this.other = sent
    this.filled = 0
    const number = this.etags.length + 1
    this.etags.push('')
    this.flight = this.send(upload, number, part)
    // Whoever waits for it next gets the error.
    this.flight.catch(() => {})
  }

  private async start(): Promise<string> {
    const { text } = await this.client.send({ method: 'POST', key: this.key, query: { uploads: '' } })
    const upload = xmlText(text, 'UploadId')
    if (upload === null || upload === '') throw new StoreError('the store gave no id for an upload in parts')
    this.upload = upload
    this.begun(upload)
    return upload
  }

  private async send(upload: string, number: number, part: Buffer): Promise<void> {
    const { headers } = await this.client.send({
      ...{ method: 'PUT', key: this.key, body: part, headers: md5Of(part) },
      query: { partNumber: String(number), uploadId: upload },
    })
    const { etag = '' } = headers
    if (etag === '') throw new StoreError('the store did not confirm a part')
    this.etags.splice(number - 1, 1, etag)
  }

  private async complete(upload: string): Promise<void> {
    const parts = this.etags.map(
      (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`,
    )
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`
    await this.client.send({
      ...{ method: 'POST', key: this.key, query: { uploadId: upload }, body: Buffer.from(body) },
      headers: { 'content-type': 'application/xml', 'if-none-match': '*' },
      // Completed before, the upload is no longer there.
      expected: [404, ...TAKEN],
    })
    this.upload = null
  }
}

const md5Of = (bytes: Uint8Array): Record<string, string> => ({
  'content-md5': createHash('md5').update(bytes).digest('base64'),
})

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
