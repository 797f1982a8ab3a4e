/** Whether the relay takes what stapes sends: told at the start, and not when something is due. */
import { createRelay } from '../../functions/incus/relay.ts'
import { createSign } from '../../functions/incus/sign.ts'
import type { Link } from './link.ts'

/** In milliseconds. */
const TIMEOUT = 10_000

/** Why no waiting helps, or null. Servers, and a relay, that give no answer may do so later; applying tells of them. */
export async function whyUnusable({ url, keyId, key }: Link): Promise<string | null> {
  const sign = await createSign({ keyid: keyId, secret: key })
  const deadline = new Date(Date.now() + TIMEOUT)
  const relay = createRelay({ url, sign, send: fetch, now: () => new Date(), deadline })
  const reply = await relay.inventory({ remotes: [] })
  if (reply.ok || reply.error.code === 'timeout' || reply.error.code === 'unreachable') return null
  return reply.error.message
}
