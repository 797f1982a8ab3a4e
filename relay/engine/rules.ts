/** The relay's own rules for a remote, from its configuration: nobody who calls it can change them. */
import { own } from '../../shared/own.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Remotes } from './call-list.ts'
import type { EngineRemote } from './upstream.ts'

type Role = NonNullable<EngineRemote['role']>

export const roleOf = (remotes: Remotes, remote: string): Role => own(remotes, remote)?.role ?? 'source'

export const isSource = (remotes: Remotes, remote: string): boolean => roleOf(remotes, remote) !== 'target'
export const isTarget = (remotes: Remotes, remote: string): boolean => roleOf(remotes, remote) !== 'source'

/** How long a verified snapshot stays there at least, in seconds. */
export const minRetentionOf = (remotes: Remotes, remote: string): number =>
  own(remotes, remote)?.minRetention ?? 0

/** `what` completes "the relay does not …". */
export const refused = (what: string, why: string): CallError => ({
  code: 'not-allowed',
  message: `the relay does not ${what}: ${why}`,
})

export const notTarget = (remote: string): string =>
  `"${remote}" is not a backup target in its configuration; set "role": "target" for it there, or "both"`

export const notSource = (remote: string): string =>
  `"${remote}" is only a backup target in its configuration; set "role": "both" for it there if its own instances are to be backed up`
