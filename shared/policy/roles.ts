/**
 * What the relay's configuration keeps a policy from doing: it says which remotes are sources and which are backup
 * targets. Nobody who calls the relay can change that, so it is told until somebody does.
 */
import type { RemoteRules } from '../incus/inventory.ts'
import { own } from '../own.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import type { RoleProblem } from './cover.ts'
import type { Policy } from './policy.ts'

const AGAIN = 'and restart the relay (or npm start, if that runs it)'

/** Why nothing is copied there. */
export const notTargetText = (remote: string): string =>
  `nothing is copied to ${remote}, because the relay's configuration does not say that it is a backup target: set "role": "target" for ${remote} in relay.jsonc ("both", if its own instances are backed up as well), ${AGAIN}`

const notSourceText = (remote: string): string =>
  `nothing of ${remote} is backed up, because the relay's configuration says that it is only a backup target: set "role": "both" for ${remote} in relay.jsonc, ${AGAIN}`

const noStoreText = (to: string, stores: readonly string[]): string =>
  `nothing is exported to ${to}, because the relay's configuration has no such store (${stores.length === 0 ? 'it has none' : `it has ${stores.join(', ')}`}): write it under "exports" in relay.jsonc, ${AGAIN}`

/** Nothing is said of a remote whose role isn't known. */
export function roleProblems(
  { name, select, copy, paused, export: exporting }: Policy,
  replies: Readonly<Record<string, RemoteReply>>,
): RoleProblem[] {
  if (paused) return []
  const roleOf = (remote: string): RemoteRules['role'] | undefined => {
    const reply = own(replies, remote)
    return reply?.ok === true ? reply.inventory.rules?.role : undefined
  }
  const reasons = [
    ...(copy !== null && roleOf(copy.remote) === 'source' ? [notTargetText(copy.remote)] : []),
    ...select.remotes.filter((remote) => roleOf(remote) === 'target').map(notSourceText),
  ]
  const stores = select.remotes.flatMap((remote) => {
    const reply = own(replies, remote)
    return reply?.ok === true && reply.inventory.rules !== undefined
      ? [reply.inventory.rules.exports ?? []]
      : []
  })[0]
  const about = `policy ${name}`
  const isMissing = exporting != null && stores !== undefined && !stores.includes(exporting.to)
  return [
    ...reasons.map((reason): RoleProblem => ({ of: 'remote', about, reason })),
    ...(isMissing ? [{ of: 'store' as const, about, reason: noStoreText(exporting.to, stores) }] : []),
  ]
}
