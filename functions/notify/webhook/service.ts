/**
 * A generic webhook, signed as "Standard Webhooks" says, so that receivers find libraries for it: HMAC SHA-256 over
 * id, time and body.
 */
import { decodeBase64, encodeBase64 } from 'hono/utils/encode'
import { jsonPost, type Mail, type Service } from '../service.ts'
import { render } from './message.ts'

export const webhook: Service = {
  async request({ letter, id, now, secrets: { url = '', key = '' } }: Mail) {
    const post = jsonPost(url, render(letter, id, now))
    const time = String(Math.floor(now.getTime() / 1000))
    const signature = await sign(key, `${id}.${time}.${post.body}`)
    return {
      ...post,
      headers: {
        ...post.headers,
        ...{ 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${signature}` },
      },
    }
  },
  // Receivers answer as they like.
  took: () => true,
}

const PREFIX = 'whsec_'

/** `whsec_` and base64, as that standard writes keys; any other text is taken as it is. */
const bytesOf = (key: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    key.startsWith(PREFIX) ? decodeBase64(key.slice(PREFIX.length)) : new TextEncoder().encode(key),
  )

async function sign(key: string, text: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', bytesOf(key), algorithm, false, ['sign'])
  return encodeBase64(await crypto.subtle.sign('HMAC', imported, new TextEncoder().encode(text)))
}
