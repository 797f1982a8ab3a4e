/** What was observed in a run: the remotes' inventories and the relay's jobs, with look-ups. */

import type { InstanceRecord, RemoteRules } from '../incus/inventory.ts'
import { type InstanceRef, subjectKey } from '../incus/subject.ts'
import { own } from '../own.ts'
import { storeIn } from '../policy/locks.ts'
import type { InventoryReply, JobReport, RemoteReply } from '../relay/protocol.ts'
import type { CloneCheck, ImportCheck } from '../relay/steps.ts'
import type { ExportRow, ExportSurvey } from '../work/export/manifest.ts'

/** The config of a safety snapshot that neither ledger nor relay knows. */
export type SafetyConfig = { safety: string; config: Record<string, string> }

/** `name`: of the only one that was looked for; null: the newest one. `rows` null: it could not be read. */
export type SeenExports = { name: string | null; rows: ExportRow[] | null }

export type World = {
  /** Without what every object has: a remote may be called `constructor`. */
  remotes: Record<string, RemoteReply>
  jobs: JobReport[]
  find(ref: InstanceRef): InstanceRecord | undefined
  /** `instance key/snapshot` of snapshots whose creation still runs. */
  incomplete: ReadonlySet<string>
  /** The same of those whose creation had an unknown outcome, as the relay knows. */
  unseen: ReadonlySet<string>
  /** `instance key/snapshot@seconds` of snapshots that have expired, as the relay knows. */
  expired: ReadonlySet<string>
  /** Verified ones that vanished from copies by nobody whom the relay knows, as `name@seconds`, by the copy's key. */
  lost?: ReadonlyMap<string, readonly string[]>
  /** Whether a snapshot holds its VM's memory, by `instance key/snapshot`; only of the one that is requested. */
  memories?: ReadonlyMap<string, boolean>
  /** Whether the new instance that is requested can be made, or why that isn't known. */
  cloneCheck?: CloneCheck | { error: string }
  /** Whether the import that is requested can be done, or why that isn't known. */
  importCheck?: ImportCheck | { error: string }
  /** Safety snapshots that neither ledger nor relay knows, by instance key; null: it could not be read. */
  safeties?: ReadonlyMap<string, SafetyConfig | null>
  /** What stores have, by `instance key>store`. */
  exports?: ReadonlyMap<string, SeenExports>
  /** All that they have of an instance, likewise; null: it could not be read. */
  surveys?: ReadonlyMap<string, ExportSurvey | null>
}

export function worldOf(reply: InventoryReply): World {
  const records = new Map<string, InstanceRecord>()
  const incomplete = new Set<string>()
  const unseen = new Set<string>()
  const expired = new Set<string>()
  const lost = new Map<string, string[]>()
  for (const [remote, answer] of Object.entries(reply.remotes)) {
    if (!answer.ok) continue
    for (const record of [...answer.inventory.instances, ...(answer.inventory.buckets ?? [])])
      records.set(subjectKey({ remote, project: record.project, instance: record.name }), record)
    for (const one of answer.inventory.unseen ?? []) unseen.add(`${remote}/${one}`)
    for (const one of answer.inventory.taking ?? []) incomplete.add(`${remote}/${one}`)
    for (const one of answer.inventory.expired ?? []) expired.add(`${remote}/${one}`)
    for (const one of answer.inventory.lost ?? []) {
      const at = one.lastIndexOf('/')
      const copy = `${remote}/${one.slice(0, at)}`
      lost.set(copy, [...(lost.get(copy) ?? []), one.slice(at + 1)])
    }
    for (const { project, snapshots } of answer.inventory.operations)
      for (const snapshot of snapshots) incomplete.add(`${remote}/${project}/${snapshot}`)
  }
  const remotes: World['remotes'] = Object.assign(Object.create(null), reply.remotes)
  return { ...reply, remotes, incomplete, unseen, expired, lost, find: (ref) => records.get(subjectKey(ref)) }
}

/** What the relay's configuration says about a remote; undefined: nothing, or it gave no answer. */
export function rulesOf({ remotes }: Pick<World, 'remotes'>, remote: string): RemoteRules | undefined {
  const reply = own(remotes, remote)
  return reply?.ok === true ? reply.inventory.rules : undefined
}

/**
 * How long the relay keeps a verified snapshot there at least, in seconds; 0: it has no rule. Null: that isn't known,
 * because it said nothing, or because the remote is no backup target, and so has no rule yet.
 */
export function minRetentionOf(world: Pick<World, 'remotes'>, remote: string): number | null {
  const rules = rulesOf(world, remote)
  return rules === undefined || rules.role === 'source' ? null : rules.minRetention
}

/** Identity of a server, by its certificate; empty where it gave no answer. */
export function serverOf({ remotes }: Pick<World, 'remotes'>, remote: string): string {
  const reply = own(remotes, remote)
  return reply?.ok === true ? reply.inventory.server.fingerprint : ''
}

/** How long an export stays in a store at least, in seconds; null: the relay doesn't say. */
export const storeRetention = ({ remotes }: Pick<World, 'remotes'>, store: string): number | null =>
  storeIn(remotes, store)?.minRetention ?? null

/** The stores that the relay may export to: of any remote that answered, for they are the relay's. */
export const storesIn = ({ remotes }: Pick<World, 'remotes'>): string[] => [
  ...new Set(
    Object.values(remotes).flatMap((reply) => (reply.ok ? (reply.inventory.rules?.exports ?? []) : [])),
  ),
]
