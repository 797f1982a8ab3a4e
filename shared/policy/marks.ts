/** The `user.stapes.*` keys that aren't overrides: marks, which stapes sets, and holds, which people set. */
import type { InstanceRecord } from '../incus/inventory.ts'

export const PREFIX = 'user.stapes.'

/** On a copy: the source it is a replica of, the identity of that source's server, and Incus's own of the source. */
export const REPLICA_OF = `${PREFIX}replica-of`
export const REPLICA_SERVER = `${REPLICA_OF}.server`
export const REPLICA_UUID = `${REPLICA_OF}.uuid`

/** On a copy: the snapshots that were verified. */
export const VERIFIED = `${PREFIX}verified`

/** On a copy while a transfer onto it is under way, or ended unverified: which one, and what it brings. See transfer.ts. */
export const COPYING = `${PREFIX}copying`

/** On a copy: the installation of stapes that makes it. See owner.ts. */
export const OWNER = `${PREFIX}owner`

/** Incus's own key: the instance can't be deleted. A verified copy takes it from its source, an unverified one never has it. */
export const PROTECTION = 'security.protection.delete'

/** On an instance that is being restored in place: from what, and what brings the state before back. See restoring.ts. */
export const RESTORING = `${PREFIX}restoring`

/** On an instance that was: the safety snapshot of its last restore that ended. */
export const RESTORED = `${PREFIX}restored`

/** `user.stapes.hold.<snapshot>`: that snapshot is not removed, and counts for no rule of `keep`. */
export const HOLD = `${PREFIX}hold.`

export const isMark = (key: string): boolean =>
  key === REPLICA_OF ||
  key.startsWith(`${REPLICA_OF}.`) ||
  key === VERIFIED ||
  key === COPYING ||
  key === OWNER ||
  key === RESTORING ||
  key === RESTORED ||
  key.startsWith(HOLD)

/** Words that stand after the prefix with a meaning of their own, and so can't name a policy. */
export const RESERVED: readonly string[] = [
  'policy',
  'none',
  'exclude',
  'keep',
  'expiry',
  'stateful',
  'copy',
  'paused',
  'replica-of',
  'verified',
  'copying',
  'owner',
  'hold',
  'restoring',
  'restored',
]

const NO_HOLDS: ReadonlySet<string> = new Set()

/** Names of the snapshots that the instance, or a profile of it, holds. */
export function holdsOf({ config }: InstanceRecord): ReadonlySet<string> {
  const keys = Object.keys(config).filter((key) => key.startsWith(HOLD))
  if (keys.length === 0) return NO_HOLDS
  const holding = keys.filter((key) => config[key] !== '' && config[key] !== 'false')
  return new Set(holding.map((key) => key.slice(HOLD.length)))
}
