/** Buckets of a real server, filled and read as any client of S3 does. */
import { AwsClient } from 'aws4fetch'
import { Agent, request as send } from 'undici'
import type { ContractServer } from '../contract/server.ts'
import { freePort } from './free-port.ts'
import { POOL } from './layout.ts'

type Run = (method: string, path: string, body?: unknown) => Promise<unknown>

/** Objects that are written at once. */
const AT_ONCE = 16

export function createBuckets(run: Run): Pick<ContractServer, 'createBucket' | 'readObjects'> {
  let address = ''
  // On the loopback, under a certificate of its own.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
  const ask = async (method: string, url: string, key: Key, body?: string) => {
    const client = new AwsClient({
      ...{ accessKeyId: key.accessKey, secretAccessKey: key.secretKey },
      ...{ service: 's3', region: 'us-east-1' },
    })
    const signed = await client.sign(url, {
      ...{ method, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
      ...(body === undefined ? {} : { body }),
    })
    const headers = Object.fromEntries(signed.headers)
    const reply = await send(signed.url, {
      ...{ method: method as 'GET', headers, dispatcher },
      ...(body === undefined ? {} : { body }),
    })
    const text = await reply.body.text()
    if (reply.statusCode >= 300) throw new Error(`${method} ${url}: ${reply.statusCode} ${text}`)
    return text
  }
  const urlOf = (bucket: string, key: string): string =>
    `https://${address}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
  return {
    async createBucket(bucket, objects) {
      if (address === '') {
        const wanted = `127.0.0.1:${await freePort()}`
        await run('PATCH', '/1.0', { config: { 'core.storage_buckets_address': wanted } })
        address = wanted
      }
      const made = (await run('POST', `/1.0/storage-pools/${POOL}/buckets`, { name: bucket })) as Made
      const key = { accessKey: made['access-key'], secretKey: made['secret-key'] }
      const left = Object.entries(objects)
      const work = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop())
          await ask('PUT', urlOf(bucket, next[0]), key, next[1])
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
    },
    async readObjects(bucket, key) {
      if (key === undefined) return {}
      const list = await ask('GET', `https://${address}/${bucket}?list-type=2`, key)
      const names = [...list.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, name = '']) => name)
      const read = names.map(async (name) => [name, await ask('GET', urlOf(bucket, name), key)] as const)
      return Object.fromEntries(await Promise.all(read))
    },
  }
}

type Key = { accessKey: string; secretKey: string }
type Made = { 'access-key': string; 'secret-key': string }
