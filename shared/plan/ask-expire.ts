/** Removing now: what retention no longer keeps, though no slot is open; or the snapshots that are named. */

import { parseSnapshotName, SAFETY } from '../incus/snapshot-name.ts'
import type { OpenSlot } from '../ledger/ledger.ts'
import { own } from '../own.ts'
import type { Coverage, Covered } from '../policy/cover.ts'
import { compileGlobs } from '../policy/glob.ts'
import { type Ask, narrow } from './ask.ts'
import type { Answer, Asked } from './asking.ts'
import { planCopies } from './copies.ts'
import { sureOf } from './doubtful.ts'
import { createSorter } from './expire.ts'
import { planExpire, type Rails, stopOf } from './expiring.ts'
import { newestPair } from './marks.ts'
import type { ExpireAction, Note, Refusal } from './plan.ts'
import { refuseScope } from './scope.ts'
import { takenFor } from './taken.ts'

type Wish = Extract<Ask, { do: 'expire' }>

export function askExpire(asked: Asked<Wish>): Answer | Refusal {
  const { ask, coverages, world, ledger } = asked
  const refusal = refuseScope(ask, coverages, world)
  if (refusal !== null) return refusal
  const rails = railsOf(asked)
  const wanted = narrow(coverages, ask)
  const problems = wanted.flatMap(unseenIn)
  const { actions, notes } = ask.snapshots === undefined ? byRetention() : byName(ask.snapshots)
  const reasoned = actions.map((action) => ({ ...action, reason: `${action.reason} (${ask.reason})` }))
  const nothing: Note = { kind: 'keep', about: 'snapshots', reason: 'none of them goes' }
  const silent = reasoned.length + notes.length + problems.length === 0
  return { actions: reasoned, notes: silent ? [nothing] : [...problems, ...notes] }

  function byRetention() {
    const parts = wanted.map((coverage) => {
      const open = own(ledger.policies, coverage.policy.name)?.open ?? null
      return planExpire(coverage, { open }, rails, { due: true, explain: true })
    })
    return {
      actions: parts.flatMap((part) => part.actions.filter((action) => action.kind === 'expire')),
      notes: parts.flatMap((part) => part.notes),
    }
  }

  function byName(globs: readonly string[]) {
    const named = compileGlobs(globs)
    const instances = new Map(wanted.flatMap(({ covered }) => covered.map((one) => [one.key, one] as const)))
    const parts = [...instances.values()].map((one) => removeNamed(one, named, asked, rails))
    return { actions: parts.flatMap(({ actions }) => actions), notes: parts.flatMap(({ notes }) => notes) }
  }
}

function railsOf({ coverages, world, ledger, now, installation, restores }: Asked<Wish>): Rails {
  const sure = sureOf(world, ledger)
  const sorter = createSorter(now)
  const { withheld } = restores
  const covered = coverages.flatMap((coverage) => coverage.covered)
  const copies = planCopies(covered, { world: sure, ledger, now, sorter, installation, withheld })
  // A copy that would start is no reason here: it starts when the next tick finds what is left.
  const starting = new Set(copies.actions.flatMap((action) => (action.kind === 'copy' ? [action.key] : [])))
  const blocked = new Map(
    [...copies.blocked].filter(([key]) => ![...starting].some((replica) => replica.startsWith(`${key}>`))),
  )
  const failing = new Set(
    coverages.flatMap((coverage) =>
      failingIn(coverage, own(ledger.policies, coverage.policy.name)?.open ?? null),
    ),
  )
  return {
    sorter,
    copies: { blocked, needed: copies.needed },
    failing,
    withheld,
    incomplete: sure.incomplete,
  }
}

/** Instances that the open slot still waits for. */
const failingIn = ({ policy, covered }: Coverage, open: OpenSlot | null): string[] =>
  open === null
    ? []
    : covered.flatMap(({ key, record }) =>
        takenFor(policy.name, open, record.snapshots ?? []).length > 0 ? [] : [key],
      )

const unseenIn = ({ covered, unreadable }: Coverage): Note[] => [
  ...unreadable.map(({ key, reason }): Note => ({ kind: 'problem', about: key, reason })),
  ...covered.flatMap(({ key, record }): Note[] =>
    record.snapshots === null
      ? [{ kind: 'problem', about: key, reason: record.problem ?? 'its snapshots could not be listed' }]
      : [],
  ),
]

type Removal = { actions: ExpireAction[]; notes: Note[] }

function removeNamed(
  one: Covered,
  named: (name: string) => boolean,
  { ask, coverages }: Asked<Wish>,
  rails: Rails,
): Removal {
  const { key, ref, record } = one
  const stop = stopOf(one, rails)
  const whole = (record.snapshots ?? []).filter(([name]) => !rails.incomplete.has(`${key}/${name}`))
  const newest = newestPair(whole)?.[0]
  const policies = [...(ask.policies ?? coverages.map(({ policy }) => policy.name)), SAFETY]
  const removal: Removal = { actions: [], notes: [] }
  for (const [snapshot] of record.snapshots ?? []) {
    if (!named(snapshot)) continue
    const policy = parseSnapshotName(snapshot)?.policy
    const keep = keepNamed(snapshot, one, rails, newest) ?? stop
    if (policy === undefined || !policies.includes(policy))
      removal.notes.push({
        kind: 'foreign',
        about: key,
        snapshot,
        reason: 'no policy that was asked for made it',
      })
    else if (keep !== null) removal.notes.push({ kind: 'keep', about: key, snapshot, reason: keep })
    else removal.actions.push({ kind: 'expire', ref, policy, snapshot, reason: 'named' })
  }
  return removal
}

function keepNamed(
  snapshot: string,
  { key, held }: Covered,
  { copies, incomplete }: Rails,
  newest: string | undefined,
): string | null {
  if (held.has(snapshot)) return 'it is held: release it first'
  if (incomplete.has(`${key}/${snapshot}`))
    return 'nobody saw the end of its creation: the next tick sees to it'
  if (snapshot === newest) return 'it is the newest of the instance'
  return copies.needed.get(key)?.get(snapshot) ?? null
}
