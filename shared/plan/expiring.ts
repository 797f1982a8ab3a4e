/** What expires on the sources in a run, and what stays, behind the rails. */
import { parseSnapshotName, snapshotName } from '../incus/snapshot-name.ts'
import type { PolicyLedger } from '../ledger/ledger.ts'
import type { Coverage, Covered } from '../policy/cover.ts'
import type { Copies } from './copies.ts'
import { holdBack, letGo, type Sorter } from './expire.ts'
import type { ExpireAction, HoldAction, Note } from './plan.ts'

const NOTHING: ReadonlyMap<string, string> = new Map()

/** What keeps snapshots besides retention itself. */
export type Rails = {
  sorter: Sorter
  copies: Pick<Copies, 'blocked' | 'needed'>
  /** Keys of instances whose snapshot is not there yet. */
  failing: ReadonlySet<string>
  /** Instances that nothing is done to now, by key. */
  withheld: ReadonlyMap<string, string>
  /** `instance key/snapshot` of what may be partial. */
  incomplete: ReadonlySet<string>
}

/** Why nothing of the instance may be removed now. */
export const stopOf = ({ key, blocked }: Covered, { copies, failing, withheld }: Rails): string | null =>
  blocked ??
  withheld.get(key) ??
  copies.blocked.get(key) ??
  (failing.has(key) ? 'its snapshot is not there yet' : null)

/** Of one policy, while its slot is open, or somebody asks (`due`). */
export function planExpire(
  { policy, covered }: Coverage,
  { open }: Pick<PolicyLedger, 'open'>,
  rails: Rails,
  { due, explain }: { due: boolean; explain: boolean },
): { actions: (ExpireAction | HoldAction)[]; notes: Note[] } {
  if (!due && !explain) return { actions: [], notes: [] }
  const { sorter, copies, incomplete } = rails
  const besides = open === null ? null : snapshotName({ policy: policy.name, slot: new Date(open.slot) })
  const actions: (ExpireAction | HoldAction)[] = []
  const notes: Note[] = []
  for (const one of covered) {
    const { key, ref, record, policy: own, held } = one
    if (record.snapshots === null) continue
    if (due && !rails.withheld.has(key)) actions.push(...holdsOn(one))
    const complete =
      incomplete.size === 0
        ? record.snapshots
        : record.snapshots.filter(([name]) => !incomplete.has(`${key}/${name}`))
    const retention = sorter.sort(own, own.keep, complete, held, besides)
    const needed = copies.needed.get(key) ?? NOTHING
    const stop = stopOf(one, rails)
    if (explain)
      for (const { snapshot, reason } of holdBack(retention, needed))
        notes.push({ kind: 'keep', about: key, snapshot, reason })
    for (const { snapshot, reason } of due ? letGo(retention, needed) : []) {
      if (stop === null) actions.push({ kind: 'expire', ref, policy: policy.name, snapshot, reason })
      else
        notes.push({
          kind: 'keep',
          about: key,
          snapshot,
          reason: `${reason}, but nothing expires now: ${stop}`,
        })
    }
  }
  return { actions, notes }
}

/** Incus enforces its own expiry, held or not. */
function holdsOn({ ref, record, policy, held }: Covered): HoldAction[] {
  if (policy.expiry === null) return []
  const reason = "held: Incus's own expiry is lifted from it"
  return [...held]
    .filter(
      (name) =>
        parseSnapshotName(name)?.policy === policy.name &&
        (record.snapshots ?? []).some(([taken]) => taken === name),
    )
    .map((snapshot) => ({ kind: 'hold', ref, policy: policy.name, snapshot, expiresAt: null, reason }))
}
