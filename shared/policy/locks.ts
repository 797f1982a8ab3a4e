/** Whether a store that is meant to keep exports from everybody keeps them from the relay's own key, too. */

import { spanOf } from '../chat/age.ts'
import type { StoreRules } from '../incus/inventory.ts'
import { own } from '../own.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import type { Policy } from './policy.ts'

/** What any remote that answered says of the relay's store. */
export const storeIn = (
  replies: Readonly<Record<string, RemoteReply>>,
  store: string,
): StoreRules | undefined =>
  Object.values(replies).flatMap((reply) =>
    reply.ok ? (own(reply.inventory.rules?.stores ?? {}, store) ?? []) : [],
  )[0]

/** In words; null: nobody has looked yet, as after a start of the relay, or it is a directory. */
export function deletesText({ deletes, minRetention }: StoreRules): string | null {
  if (deletes === undefined) return null
  if (deletes.can === null)
    return `whether the relay’s own key could delete what it holds is not known: ${deletes.why}`
  if (deletes.can)
    return 'the relay’s own key could delete what it holds: that is so of an object that it had just written for that'
  if (deletes.seconds === undefined) return 'the relay’s own key could not delete what it had just written'
  const kept = `the relay’s own key could not delete what it had just written, for ${spanOf(deletes.seconds * 1000)}`
  return deletes.seconds < minRetention - SLACK
    ? `${kept}, which is shorter than its minRetention of ${spanOf(minRetention * 1000)}`
    : kept
}

/** Seconds: a lock counts from when the object was written. */
const SLACK = 3600

/** Of a store that relay.jsonc calls locked. */
export function lockWarnings(
  { name, paused, export: exporting }: Policy,
  replies: Readonly<Record<string, RemoteReply>>,
): { about: string; reason: string }[] {
  const rules = exporting == null || paused ? undefined : storeIn(replies, exporting.to)
  if (exporting == null || rules?.locked !== true || rules.deletes === undefined) return []
  const { deletes, minRetention } = rules
  const isKept =
    deletes.can === false && (deletes.seconds === undefined || deletes.seconds >= minRetention - SLACK)
  if (isKept) return []
  const reason = `store ${exporting.to} is called locked in relay.jsonc, but ${deletesText(rules)}: set a lock for so long in its bucket (Object Lock, or a bucket lock of R2), or take "locked" out`
  return [{ about: `policy ${name}`, reason }]
}
