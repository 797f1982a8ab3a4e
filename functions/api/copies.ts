/** Copies by the marks that they carry: what there is to go back to, also while a source can't be asked, or is gone. */
import { instanceKey, type SnapshotPair } from '../../shared/incus/inventory.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { own } from '../../shared/own.ts'
import { verifiedOn } from '../../shared/plan/marks.ts'
import type { World } from '../../shared/plan/world.ts'
import { REPLICA_OF } from '../../shared/policy/marks.ts'

/** `shown`: keys of those that stand with their sources. */
export function otherCopies(world: World, ledger: Ledger | null, shown: ReadonlySet<string>) {
  const all = Object.entries(world.remotes).flatMap(([remote, reply]) =>
    (reply.ok ? reply.inventory.instances : []).flatMap((record) => {
      const target = instanceKey({ remote, project: record.project, instance: record.name })
      const source = record.own.includes(REPLICA_OF) ? record.config[REPLICA_OF] : undefined
      if (source === undefined || shown.has(target)) return []
      const verified = namesOf(verifiedOn(record, own(ledger?.copies, `${source}>${target}`)))
      const unverified = namesOf(record.snapshots ?? []).filter((name) => !verified.includes(name))
      const problem = record.snapshots === null ? { problem: record.problem ?? UNLISTED } : {}
      const { status } = record
      return [{ target, source, sourceIs: stateOf(source, world), status, verified, unverified, ...problem }]
    }),
  )
  return all.sort((a, b) => (a.target < b.target ? -1 : 1))
}

const UNLISTED = 'its snapshots could not be listed'

export const namesOf = (pairs: readonly SnapshotPair[]): string[] => pairs.map(([name]) => name).sort()

/** A remote that gives no answer may have it. */
function stateOf(source: string, world: World): 'there' | 'gone' | 'unreadable' {
  const [remote = '', project = '', instance = ''] = source.split('/')
  if (own(world.remotes, remote)?.ok !== true) return 'unreadable'
  return world.find({ remote, project, instance }) === undefined ? 'gone' : 'there'
}
