/**
 * Between two looks a glance shows whether a remote still answers, and lists the same instances. What differs from
 * the last glance needs a look, whatever is due.
 */

import { own } from '../own.ts'
import type { CallError, GlanceReply } from '../relay/protocol.ts'
import type { Result } from '../result.ts'
import type { Facts } from './facts.ts'

/** By remote, what the glance has shown of it. Without an answer of the relay nothing is known of any. */
export function glancesOf(
  remotes: readonly string[],
  reply: Result<GlanceReply, CallError>,
): Record<string, string> {
  return Object.fromEntries(
    remotes.map((remote) => {
      if (!reply.ok) return [remote, failed(reply.error)]
      const seen = own(reply.value.remotes, remote)
      return [remote, seen === undefined ? '?' : seen.ok ? seen.listed : failed(seen.error)]
    }),
  )
}

/** Its text may have a different time or id each time. */
const failed = ({ code, status }: CallError): string => `!${code}${status === undefined ? '' : ` ${status}`}`

export const isDifferent = (known: Facts | null, glances: Record<string, string>): boolean =>
  Object.entries(glances).some(([remote, seen]) => own(known?.glances ?? {}, remote) !== seen)
