/** Copies by their marks: what can be restored, also while a source gives no answer or is gone. */

import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { instanceOf, subjectKey } from '../../shared/incus/subject.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { own } from '../../shared/own.ts'
import type { World } from '../../shared/plan/world.ts'
import { REPLICA_OF } from '../../shared/policy/marks.ts'
import { copyIn } from '../../shared/work/copy/entry.ts'
import { verifiedOn } from '../../shared/work/copy/marks.ts'

/** `shown`: keys of copies that are shown with their sources. */
export function otherCopies(world: World, ledger: Ledger | null, shown: ReadonlySet<string>) {
  const all = Object.entries(world.remotes).flatMap(([remote, reply]) =>
    (reply.ok ? reply.inventory.instances : []).flatMap((record) => {
      const target = subjectKey({ remote, project: record.project, instance: record.name })
      const source = record.own.includes(REPLICA_OF) ? record.config[REPLICA_OF] : undefined
      if (source === undefined || shown.has(target)) return []
      const verified = namesOf(
        verifiedOn(record, ledger === null ? undefined : copyIn(ledger, `${source}>${target}`)),
      )
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
  const ref = instanceOf(source)
  if (own(world.remotes, ref.remote)?.ok !== true) return 'unreadable'
  return world.find(ref) === undefined ? 'gone' : 'there'
}
