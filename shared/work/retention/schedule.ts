/** Plans which snapshots expire on the sources in a run, and which are kept. */
import { snapshotName } from '../../incus/snapshot-name.ts'
import type { PolicyLedger } from '../../ledger/ledger.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding, Found, Guards } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import { expiredOf, keptOf, type Sorter } from '../../retention/sorter.ts'
import type { ExpireAction } from './action.ts'
import { stopOf, withoutStarting } from './guards.ts'
import { mayClear, PARTIAL } from './partials.ts'

export function planRetention({ coverages, sorter, explain = false }: PlanContext, found: Found): Finding {
  const byPolicy = new Map(coverages.map((coverage) => [coverage.policy.name, coverage]))
  const guards = withoutStarting(found)
  const partials = found.partials.filter((partial) => {
    const coverage = byPolicy.get(partial.policy)
    return coverage !== undefined && mayClear(partial, coverage, guards, found.taking)
  })
  const expiring = found.slots.flatMap(({ policy, ledger }) => {
    const coverage = byPolicy.get(policy)
    const due = ledger.open !== null
    return coverage === undefined
      ? []
      : [planExpire(coverage, ledger, { guards: found, sorter }, { due, explain })]
  })
  return {
    actions: [
      ...partials.map((partial): ExpireAction => ({ kind: 'expire', ...partial, reason: PARTIAL })),
      ...expiring.flatMap(({ actions }) => actions),
    ],
    notes: expiring.flatMap(({ notes }) => notes),
  }
}

const NOTHING: ReadonlyMap<string, string> = new Map()

type Planned = { actions: ExpireAction[]; notes: Note[] }

/** For one policy, while its slot is open or on request (`due`). */
export function planExpire(
  { policy, covered }: Coverage,
  { open }: Pick<PolicyLedger, 'open'>,
  context: { guards: Guards; sorter: Sorter },
  { due, explain }: { due: boolean; explain: boolean },
): Planned {
  if (!due && !explain) return { actions: [], notes: [] }
  const serving = open === null ? null : snapshotName({ policy: policy.name, slot: new Date(open.slot) })
  const planned = covered.map((one) => expireOn(one, policy.name, serving, context, { due, explain }))
  return {
    actions: planned.flatMap(({ actions }) => actions),
    notes: planned.flatMap(({ notes }) => notes),
  }
}

/** `serving`: the name of the open slot's snapshot, which isn't counted. */
function expireOn(
  one: Covered,
  policy: string,
  serving: string | null,
  { guards, sorter }: { guards: Guards; sorter: Sorter },
  { due, explain }: { due: boolean; explain: boolean },
): Planned {
  const { key, ref, record, policy: own, held } = one
  if (record.snapshots === null) return { actions: [], notes: [] }
  const { incomplete } = guards
  const complete =
    incomplete.size === 0
      ? record.snapshots
      : record.snapshots.filter(([name]) => !incomplete.has(`${key}/${name}`))
  const retention = sorter.sort(own, own.keep, complete, held, serving)
  const needed = guards.needed.get(key) ?? NOTHING
  const stop = stopOf(one, guards)
  const going = due ? expiredOf(retention, needed) : []
  const kept = explain ? keptOf(retention, needed) : []
  const stopped = stop === null ? [] : going
  return {
    actions: (stop === null ? going : []).map(
      ({ snapshot, reason }): ExpireAction => ({ kind: 'expire', ref, policy, snapshot, reason }),
    ),
    notes: [
      ...kept.map(({ snapshot, reason }): Note => ({ kind: 'keep', about: key, snapshot, reason })),
      ...stopped.map(
        ({ snapshot, reason }): Note => ({
          kind: 'keep',
          about: key,
          snapshot,
          reason: `${reason}, but nothing expires now: ${stop}`,
        }),
      ),
    ],
  }
}
