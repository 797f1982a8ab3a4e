/**
 * What wall clock a server keeps: Incus says it nowhere, but dates its operations by it, and follows it in its own
 * schedules.
 */
import { isObject, parseOperation, text } from './envelope.ts'
import type { Upstream } from './upstream.ts'

export type Zones = {
  /** The same, and what its answers say is remembered. */
  upstream: Upstream
  /** Minutes ahead of UTC; null: none of its operations was seen yet. */
  of(remote: string): number | null
}

export function watchZones(upstream: Upstream): Zones {
  const seen = new Map<string, number>()
  return {
    upstream: {
      ...upstream,
      async request(remote, request, options) {
        const reply = await upstream.request(remote, request, options)
        const zone = reply.ok ? zoneIn(reply.body) : null
        if (zone !== null) seen.set(remote, zone)
        return reply
      },
    },
    of: (remote) => seen.get(remote) ?? null,
  }
}

const DATE = /T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/

/** Of an answer with an operation; a date of anything else is in UTC, or as somebody gave it. */
function zoneIn(body: unknown): number | null {
  if (!isObject(body) || !isObject(body.metadata) || parseOperation(body.metadata) === null) return null
  const found = DATE.exec(text(body.metadata.created_at))
  if (found === null) return null
  const [, sign = '+', hours = '0', minutes = '0'] = found
  const size = Number(hours) * 60 + Number(minutes)
  return sign === '-' ? 0 - size : size
}
