/** Requests to a bucket of an S3-compatible store, signed. Each is tried again where the store is busy or gives no answer: what it did then is for the caller to find out. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AwsV4Signer } from 'aws4fetch'
import { Agent, request } from 'undici'
import { safeText } from '../../shared/safe-text.ts'
import { createPinnedConnector } from '../pinning.ts'
import { StoreError } from './store.ts'

export type S3Options = {
  endpoint: string
  region: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
  /** Sha256 of the store's certificate, where no authority vouches for it; lower-case hex. */
  fingerprint?: string
}

export type S3Reply = { status: number; headers: Record<string, string>; text: string }

export type S3Wanted = {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Empty: the bucket itself. */
  key?: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: Uint8Array
  /** Other statuses than 2xx that are an answer. */
  expected?: readonly number[]
}

export type S3Client = {
  send(wanted: S3Wanted): Promise<S3Reply>
  /** An object of any size, from its beginning; whoever reads it has to compare its length. */
  open(key: string): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

const TRIES = 4
const TIMEOUT = 60_000
const BUSY: readonly number[] = [429, 500, 502, 503, 504]

export function createS3Client(options: S3Options): S3Client {
  const { fingerprint } = options
  const dispatcher = new Agent({
    headersTimeout: TIMEOUT,
    bodyTimeout: TIMEOUT,
    ...(fingerprint === undefined ? {} : { connect: createPinnedConnector(null, [fingerprint]) }),
  })
  const once = async (wanted: S3Wanted): Promise<S3Reply> => {
    const { method, body } = wanted
    const { url, headers } = await signed(wanted, options)
    const reply = await request(url, { method, headers, body: body ?? null, dispatcher })
    return {
      status: reply.statusCode,
      headers: flat(reply.headers),
      text: await reply.body.text(),
    }
  }
  return {
    async send(wanted) {
      for (let tried = 1; ; tried++) {
        const reply = await once(wanted).catch((cause: unknown) => unreachable(cause, options))
        const isBusy = reply instanceof StoreError || BUSY.includes(reply.status)
        if (isBusy && tried < TRIES) {
          await sleep(250 * 4 ** (tried - 1))
          continue
        }
        if (reply instanceof StoreError) throw reply
        if (isGood(reply, wanted)) return reply
        throw refusedBy(reply, wanted, options)
      }
    },
    async *open(key) {
      const wanted = { method: 'GET', key } as const
      const { url, headers } = await signed(wanted, options)
      const { statusCode: status, body } = await request(url, { headers, dispatcher }).catch(
        (cause: unknown) => {
          throw unreachable(cause, options)
        },
      )
      if (status !== 200) {
        const text = (await body.text()).slice(0, 10_000)
        throw refusedBy({ status, headers: {}, text }, wanted, options)
      }
      yield* body
    },
    close: () => dispatcher.close(),
  }
}

const isGood = ({ status, text }: S3Reply, { expected = [] }: S3Wanted): boolean =>
  expected.includes(status) || (status >= 200 && status < 300 && !/^\s*(<\?xml[^>]*>\s*)?<Error>/.test(text))

async function signed(
  { method, key = '', query = {}, headers = {}, body }: S3Wanted,
  { endpoint, region, bucket, accessKeyId, secretAccessKey }: S3Options,
): Promise<{ url: string; headers: Record<string, string> }> {
  const path = [bucket, ...key.split('/')].map(encodeURIComponent).join('/')
  const url = new URL(`${endpoint}/${path}`.replace(/\/$/, ''))
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  const signer = new AwsV4Signer({
    ...{ method, url: url.href, accessKeyId, secretAccessKey, region, service: 's3' },
    headers: { ...headers, 'x-amz-content-sha256': sha256(body ?? new Uint8Array()) },
  })
  const ready = await signer.sign()
  return { url: ready.url.href, headers: Object.fromEntries(ready.headers) }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const flat = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? '')]))

const unreachable = (cause: unknown, { endpoint }: S3Options): StoreError => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return new StoreError(`${endpoint} gave no answer: ${safeText(String(inner), 300)}`)
}

/** With the store's own words, which hold no secret; and what to do where that is known. */
function refusedBy(
  { status, text }: S3Reply,
  { method, key = '' }: S3Wanted,
  options: S3Options,
): StoreError {
  const code = xmlText(text, 'Code') ?? ''
  const said = [code, xmlText(text, 'Message') ?? ''].filter((part) => part !== '').join(': ')
  const advice = HINTS.get(code) ?? (status === 403 ? DENIED : undefined)
  return new StoreError(
    safeText(
      `${options.endpoint} answered ${status} to ${method} ${options.bucket}/${key}${said === '' ? '' : `: ${said}`}${advice === undefined ? '' : ` (${advice})`}`,
      700,
    ),
  )
}

const DENIED = 'what the access key may do must include writing, reading and listing in this bucket'

const HINTS = new Map([
  ['AccessDenied', DENIED],
  ['InvalidAccessKeyId', 'check accessKeyId in the relay’s configuration'],
  ['SignatureDoesNotMatch', 'check secretAccessKey in the relay’s configuration'],
  ['NoSuchBucket', 'check bucket in the relay’s configuration, or make that bucket'],
])

/** What stands in an element; null: there is no such one. */
export function xmlText(xml: string, element: string): string | null {
  const found = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)
  return found === null ? null : unescaped(found[1] ?? '')
}

export const xmlTexts = (xml: string, element: string): string[] =>
  [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map((found) =>
    unescaped(found[1] ?? ''),
  )

const NAMED = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

const unescaped = (text: string): string =>
  text.replace(/&(#x[0-9a-f]+|#\d+|[a-z]+);/gi, (whole, name: string) => {
    if (name.startsWith('#'))
      return String.fromCodePoint(Number.parseInt(name.replace(/^#x?/i, ''), /^#x/i.test(name) ? 16 : 10))
    return NAMED.get(name) ?? whole
  })
