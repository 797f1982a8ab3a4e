/** Requests to expire now: what retention no longer keeps, also without an open slot; or the named snapshots. */

import { newestPair } from '../../incus/pairs.ts'
import { parseSnapshotName, SAFETY } from '../../incus/snapshot-name.ts'
import { own } from '../../own.ts'
import type { Guards } from '../../plan/finding.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import { type AnyRequest, narrow, type Scope } from '../../plan/request.ts'
import { refuseScope } from '../../plan/scope.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import { compileGlobs } from '../../policy/glob.ts'
import { ok } from '../../result.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import type { ExpireAction } from './action.ts'
import { stopOf, withoutStarting } from './guards.ts'
import { planExpire } from './schedule.ts'

/** What retention no longer keeps; or `snapshots`, by glob. */
export type ExpireRequest = AnyRequest & { do: 'expire'; snapshots?: readonly string[] | undefined } & Scope

export const requestExpiry: Requestable<ExpireRequest> = {
  destructive: true,
  reportsUnreadable: true,
  read: ({ policies, instances, snapshots }, reason) =>
    ok({ do: 'expire', policies, instances, snapshots, reason }),
  plan: planRequested,
}

type Removal = { actions: ExpireAction[]; notes: Note[] }

function planRequested(requested: Requested<ExpireRequest>): Answer | Refusal {
  const { request, coverages, world } = requested
  const refusal = refuseScope(request, coverages, world)
  if (refusal !== null) return refusal
  // A copy that would start is no reason to wait: the next tick starts it with what is left.
  const guards = withoutStarting(requested.guards())
  const wanted = narrow(coverages, request)
  const problems = wanted.flatMap(unreadableIn)
  const { snapshots } = request
  const removals =
    snapshots === undefined
      ? byRetention(wanted, guards, requested)
      : byName(wanted, compileGlobs(snapshots), guards, requested)
  const actions = removals.flatMap((removal) => removal.actions)
  const notes = removals.flatMap((removal) => removal.notes)
  const reasoned = actions.map((action) => ({ ...action, reason: `${action.reason} (${request.reason})` }))
  const nothing: Note = { kind: 'keep', about: 'snapshots', reason: 'none of them expires' }
  const silent = reasoned.length + notes.length + problems.length === 0
  return { actions: reasoned, notes: silent ? [nothing] : [...problems, ...notes] }
}

const byRetention = (
  wanted: readonly Coverage[],
  guards: Guards,
  { ledger, sorter }: Requested<ExpireRequest>,
): Removal[] =>
  wanted.map((coverage) => {
    const open = own(ledger.policies, coverage.policy.name)?.open ?? null
    return planExpire(coverage, { open }, { guards, sorter }, { due: true, explain: true })
  })

function byName(
  wanted: readonly Coverage[],
  named: (name: string) => boolean,
  guards: Guards,
  requested: Requested<ExpireRequest>,
): Removal[] {
  const instances = new Map(wanted.flatMap(({ covered }) => covered.map((one) => [one.key, one] as const)))
  return [...instances.values()].flatMap((one) => removeNamed(one, named, requested, guards))
}

const unreadableIn = ({ covered, unreadable }: Coverage): Note[] => [
  ...unreadable.map(({ key, reason }): Note => ({ kind: 'problem', about: key, reason })),
  ...covered.flatMap(({ key, record }): Note[] =>
    record.snapshots === null
      ? [{ kind: 'problem', about: key, reason: record.problem ?? 'its snapshots could not be listed' }]
      : [],
  ),
]

function removeNamed(
  one: Covered,
  named: (name: string) => boolean,
  { request, coverages }: Requested<ExpireRequest>,
  guards: Guards,
): Removal[] {
  const { key, ref, record } = one
  const stop = stopOf(one, guards)
  const complete = (record.snapshots ?? []).filter(([name]) => !guards.incomplete.has(`${key}/${name}`))
  const newest = newestPair(complete)?.[0]
  const policies = [...(request.policies ?? coverages.map(({ policy }) => policy.name)), SAFETY]
  return (record.snapshots ?? [])
    .filter(([snapshot]) => named(snapshot))
    .map(([snapshot]): Removal => {
      const policy = parseSnapshotName(snapshot)?.policy
      if (policy === undefined || !policies.includes(policy))
        return noted('foreign', key, snapshot, 'none of the requested policies took it')
      const keep = keepNamed(snapshot, one, guards, newest) ?? stop
      if (keep !== null) return noted('keep', key, snapshot, keep)
      return { actions: [{ kind: 'expire', ref, policy, snapshot, reason: 'named' }], notes: [] }
    })
}

const noted = (kind: 'foreign' | 'keep', about: string, snapshot: string, reason: string): Removal => ({
  actions: [],
  notes: [{ kind, about, snapshot, reason }],
})

function keepNamed(
  snapshot: string,
  { key, held }: Covered,
  { needed, incomplete }: Guards,
  newest: string | undefined,
): string | null {
  if (held.has(snapshot)) return 'it is held: release it first'
  if (incomplete.has(`${key}/${snapshot}`))
    return 'it is not known whether it was completed: the next tick decides about it'
  if (snapshot === newest) return 'it is the newest snapshot of the instance'
  return needed.get(key)?.get(snapshot) ?? null
}
