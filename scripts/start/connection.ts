/** Checks at the start whether the relay accepts our requests. */
import { createRelay } from '../../functions/incus/relay.ts'
import { createSign } from '../../functions/incus/sign.ts'
import type { Link } from './link.ts'

/** In milliseconds. */
const TIMEOUT = 10_000

/** Why it can't work, or null. A server or relay that gives no answer may do so later, and is reported by applying. */
export async function whyUnusable({ url, keyId, key }: Link): Promise<string | null> {
  const sign = await createSign({ keyid: keyId, secret: key })
  const deadline = new Date(Date.now() + TIMEOUT)
  const relay = createRelay({ url, sign, send: fetch, now: () => new Date(), deadline })
  const reply = await relay.inventory({ remotes: [] })
  if (reply.ok || reply.error.code === 'timeout' || reply.error.code === 'unreachable') return null
  return reply.error.message
}
