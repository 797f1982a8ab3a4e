/** Copies now: of what isn't verified on its target, whenever its next try would be due. */
import type { Covered } from '../policy/cover.ts'
import { type Ask, narrow } from './ask.ts'
import type { Answer, Asked } from './asking.ts'
import { planCopies } from './copies.ts'
import { sureOf } from './doubtful.ts'
import { createSorter } from './expire.ts'
import type { Note, Refusal } from './plan.ts'
import { replicasOf } from './replica.ts'
import { refuseScope } from './scope.ts'

type Wish = Extract<Ask, { do: 'copy' }>

export function askCopy({
  ask,
  coverages,
  world,
  ledger,
  now,
  installation,
  restores,
}: Asked<Wish>): Answer | Refusal {
  const refusal = refuseScope(ask, coverages, world)
  if (refusal !== null) return refusal
  const wanted = narrow(coverages, ask).flatMap(({ covered }) => covered)
  const wishes = new Set(wanted.map(({ key, policy }) => `${policy.name} ${key}`))
  const all = coverages.flatMap(({ covered }) => covered)
  // Whole replicas, also where one policy of several is asked for: each has one way of copying.
  const replicas = replicasOf(all).filter(({ source, wanting }) =>
    wanting.some(({ covered }) => wishes.has(`${covered.policy.name} ${source.key}`)),
  )
  const sources = new Set(replicas.map(({ source }) => source.key))
  const copies = planCopies(
    all.filter(({ key }) => sources.has(key)),
    {
      world: sureOf(world, ledger),
      ledger,
      now,
      sorter: createSorter(now),
      installation,
      withheld: restores.withheld,
      asked: new Set(replicas.map(({ key }) => key)),
    },
  )
  return {
    actions: copies.actions.filter(({ kind }) => kind === 'copy'),
    notes: [...copies.notes, ...copies.actions.flatMap(landedNote), ...without(wanted, sources)],
    // What else was learned is learned again, and acted on, by the next tick.
    copies: copies.plans.filter(({ ledger: { state } }) => state !== 'verified'),
    wake: copies.wake,
  }
}

const landedNote = (action: { kind: string; key?: string }): Note[] =>
  action.kind === 'verify' && action.key !== undefined
    ? [{ kind: 'wait', about: action.key, reason: 'its copy has just ended, and is verified in a minute' }]
    : []

/** Instances of which nothing is copied, or that could not be looked at. */
function without(wanted: readonly Covered[], sources: ReadonlySet<string>): Note[] {
  const notes = new Map<string, Note>()
  for (const { key, policy, record } of wanted) {
    if (record.snapshots === null)
      notes.set(key, {
        kind: 'problem',
        about: key,
        reason: record.problem ?? 'its snapshots could not be listed',
      })
    else if (!sources.has(key)) {
      const why = policy.copy === null ? 'has no copy' : 'is paused'
      notes.set(key, { kind: 'skip', about: key, reason: `policy ${policy.name} ${why}` })
    }
  }
  return [...notes.values()]
}
