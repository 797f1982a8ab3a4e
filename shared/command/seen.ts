/** The data that a read command answers from. */
import type { AuditRecord } from '../access/audit.ts'
import type { Actor } from '../chat/actor.ts'
import type { Diagnosis } from '../doctor/diagnosis.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Applied } from '../ledger/warnings.ts'
import type { DeadChannel } from '../notify/dead.ts'
import type { Tested } from '../notify/tested.ts'
import type { Details } from '../plan/details.ts'
import type { Refusal } from '../plan/plan.ts'
import type { World } from '../plan/world.ts'
import type { TracedCoverage } from '../policy/coverage.ts'
import type { Config, Pause } from '../policy/policy.ts'
import type { Facts } from '../promise/facts.ts'
import type { FilesReply } from '../relay/protocol.ts'
import type { Result } from '../result.ts'
import type { StoredExports } from '../work/export/manifest.ts'

/** What a snapshot has at a path. `from`: key of what was read, which may be a copy of the instance. */
export type SeenFiles = Extract<FilesReply, { state: 'listed' }> & {
  of: string
  from: string
  snapshot: string
  path: string
}

export type Seen = {
  now: Date
  actor: Actor
  /** Characters of what is folded; absent: what every chat platform has room for. */
  room?: number
  /** Null before a configuration was applied. Pauses that hold now are already in `paused` of its policies. */
  config: Config | null
  /** Of that configuration. */
  applied: Applied | null
  pauses: Readonly<Record<string, Pause>>
  ledger: Ledger | null
  /** What the looks have shown of each promise; null: nothing was noted yet. */
  facts: Facts | null
  /** Where people can't be told. */
  channels?: readonly DeadChannel[]
  /** Whether the actor may see, by this command, what is at `remote/project/instance`. */
  maySee(instanceKey: string): boolean
  /** Of commands that need the world. */
  world: World | null
  coverages: readonly TracedCoverage[]
  /** Newest first; of commands that need the history. */
  history: readonly AuditRecord[]
  /** Of the command that tests channels. */
  tested?: readonly Tested[]
  /** Of the doctor. */
  diagnosis?: Diagnosis
  /** Of the command that lists exports; an error says why there is no such list. */
  exports?: Result<StoredExports, Refusal>
  /** Of one instance that is listed: what Incus says of each snapshot, and why each stays. */
  details?: { of: Details; reasons: ReadonlyMap<string, readonly string[]> }
  /** Of the command that lists files; an error says why there is no such list. */
  files?: Result<SeenFiles, { reason: string }>
}
