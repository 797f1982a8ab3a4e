/** Requests to expire now: what retention no longer keeps, also without an open slot; or the named snapshots. */

import { MANUAL, parseSnapshotName, SAFETY } from '../../incus/snapshot-name.ts'
import { subjectKey } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import { expiryKey } from '../../plan/brake.ts'
import { brakeExpiry, brakeFinding } from '../../plan/brake-expiry.ts'
import { type Finding, type Guards, gather } from '../../plan/finding.ts'
import { GRACE, parseGrace } from '../../plan/grace.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import { type AllowRequest, type AnyRequest, narrow, type Scope } from '../../plan/request.ts'
import { refuseScope } from '../../plan/scope.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import { compileGlobs } from '../../policy/glob.ts'
import { removedOn } from '../../policy/marks.ts'
import { wholeGroups } from '../../policy/together.ts'
import { err, ok } from '../../result.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import { type ExpireAction, isExpire } from './action.ts'
import type { Expiry } from './alone.ts'
import { stopOf, withoutStarting } from './guards.ts'
import { newestOf } from './newest.ts'
import { looksBefore, planExpire } from './schedule.ts'
import { namedWhole } from './whole.ts'

/**
 * What retention no longer keeps; or `snapshots`, by glob: those go after `grace` (seconds; 0: at once), and until then
 * it can be undone.
 */
export type ExpireRequest = AnyRequest & {
  do: 'expire'
  snapshots?: readonly string[] | undefined
  grace?: number | undefined
} & Scope

export const requestExpiry: Requestable<ExpireRequest> = {
  destructive: true,
  reportsUnreadable: true,
  read({ policies, instances, snapshots, grace }, reason) {
    if (grace !== undefined && snapshots === undefined)
      return err(
        '"grace" is for "snapshots" that are named: what retention no longer keeps goes by its policy',
      )
    const seconds = grace === undefined ? ok(undefined) : parseGrace(grace)
    return seconds.ok
      ? ok({ do: 'expire', policies, instances, snapshots, grace: seconds.value, reason })
      : seconds
  },
  plan: planRequested,
}

function planRequested(requested: Requested<ExpireRequest>): Answer | Refusal {
  const { request, coverages, world } = requested
  const refusal = refuseScope(request, coverages, world)
  if (refusal !== null) return refusal
  const problems = narrow(coverages, request).flatMap(unreadableIn)
  const { actions, notes, braked } = gather(removals(requested, false))
  const reasoned = actions.map((action) => ({ ...action, reason: `${action.reason} (${request.reason})` }))
  const nothing: Note = { kind: 'keep', about: 'snapshots', reason: 'none of them expires' }
  const silent = reasoned.length + notes.length + problems.length === 0
  const before = requested.ledger.sight?.braked ?? {}
  return {
    actions: reasoned,
    notes: silent ? [nothing] : [...problems, ...notes],
    // A glob that was refused leaves nothing to be told later.
    braked: request.snapshots === undefined ? { ...before, ...braked } : before,
    wake: looksBefore(actions, requested.now),
  }
}

/** What the brake holds back, and nothing else. */
export function allowExpiries(requested: Requested<AllowRequest>): Answer {
  const { actions, notes } = gather(removals(requested, true))
  const before = Object.entries(requested.ledger.sight?.braked ?? {})
  const allowed = new Map<string, string[]>()
  for (const { policy, ref, snapshot } of actions.filter(isExpire)) {
    const key = expiryKey(policy, subjectKey(ref))
    allowed.set(key, [...(allowed.get(key) ?? []), snapshot])
  }
  return {
    actions,
    wake: looksBefore(actions, requested.now),
    notes: notes.filter(({ kind }) => kind !== 'foreign'),
    braked: Object.fromEntries(before.filter(([key]) => !allowed.has(key))),
    allowed: Object.fromEntries([...allowed].map(([key, names]) => [key, names.join(' ')])),
  }
}

function removals(requested: Requested<ExpireRequest | AllowRequest>, allowed: boolean): Finding[] {
  const { request, coverages, sorter } = requested
  // A copy that would start is no reason to wait: the next tick starts it with what is left.
  const guards = withoutStarting(requested.guards())
  const expiry: Expiry = { guards, sorter, clocks: requested, ...(allowed ? { allowed: true } : {}) }
  const wanted = narrow(coverages, request)
  return request.snapshots === undefined
    ? byRetention(wanted.map(wholeGroups(coverages)), expiry, requested)
    : byName(wanted, compileGlobs(request.snapshots), expiry, requested)
}

const byRetention = (
  wanted: readonly Coverage[],
  expiry: Expiry,
  { ledger }: Pick<Requested, 'ledger'>,
): Finding[] =>
  wanted.map((coverage) => {
    const open = own(ledger.policies, coverage.policy.name)?.open ?? null
    return planExpire(coverage, { open }, expiry, { due: true, explain: expiry.allowed !== true }).finding
  })

function byName(
  wanted: readonly Coverage[],
  named: (name: string) => boolean,
  expiry: Expiry,
  requested: Pick<Requested<ExpireRequest | AllowRequest>, 'request' | 'coverages' | 'now'>,
): Finding[] {
  const instances = new Map(wanted.flatMap(({ covered }) => covered.map((one) => [one.key, one] as const)))
  const found = [...instances.values()].flatMap((one) => removeNamed(one, named, requested, expiry.guards))
  const { actions, kept } = namedWhole(
    {
      actions: found.flatMap(({ actions: of = [] }) => of.filter(isExpire)),
      coverages: requested.coverages,
    },
    (one, [name]) => {
      const [{ actions: [action] = [], notes: [note] = [] } = {}] = removeNamed(
        one,
        (other) => other === name,
        requested,
        expiry.guards,
      )
      return action !== undefined && isExpire(action)
        ? { action: { ...action, reason: `${action.reason} with its group` } }
        : { stays: note?.reason ?? 'it is not known why' }
    },
  )
  const notes = [
    ...found.flatMap(({ notes: of = [] }) => of),
    ...kept.map(
      ({ action: { ref, snapshot }, reason }): Note => ({
        kind: 'keep',
        about: subjectKey(ref),
        snapshot,
        reason,
      }),
    ),
  ]
  const all = new Map(
    requested.coverages.flatMap(({ covered }) => covered.map((one) => [one.key, one] as const)),
  )
  const keys = new Set(actions.map(({ ref }) => subjectKey(ref)))
  return [
    { notes },
    ...[...keys].flatMap((key) => {
      const one = all.get(key) ?? instances.get(key)
      const mine = actions.filter(({ ref }) => subjectKey(ref) === key)
      return one === undefined ? [] : withBrake(one, mine, expiry, requested.coverages)
    }),
  ]
}

/** The named snapshots of each policy, unless they are too many at once. */
function withBrake(
  one: Covered,
  actions: readonly ExpireAction[],
  { clocks, allowed }: Expiry,
  coverages: readonly Coverage[],
): Finding[] {
  const policies = [...new Set(actions.map(({ policy }) => policy))]
  return policies.map((name): Finding => {
    const mine = actions.filter(({ policy }) => policy === name)
    const snapshots = (one.record.snapshots ?? []).filter(([of]) => parseSnapshotName(of)?.policy === name)
    const policy = coverages.find((coverage) => coverage.policy.name === name)?.policy ?? one.policy
    const expiring = {
      ref: one.ref,
      policy,
      snapshots,
      going: mine.map(({ snapshot }) => snapshot),
      since: null,
    }
    const held = brakeExpiry(expiring, clocks)
    if (held === null && allowed === true) return {}
    return held === null || allowed === true ? { actions: mine } : brakeFinding(expiring, held)
  })
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
  { request, coverages, now }: Pick<Requested<ExpireRequest | AllowRequest>, 'request' | 'coverages' | 'now'>,
  guards: Guards,
): Finding[] {
  const { key, ref, record } = one
  const stop = stopOf(one, guards)
  const removed = removedOn(record, now)
  const grace = request.do === 'expire' ? (request.grace ?? GRACE) : 0
  const later = grace === 0 ? {} : { end: new Date(now.getTime() + grace * 1000).toISOString() }
  const complete = (record.snapshots ?? []).filter(([name]) => !guards.incomplete.has(`${key}/${name}`))
  // Whether those that are going go, or stay by an undo.
  const newest = new Map([
    ...newestOf(complete),
    ...newestOf(complete.filter(([name]) => !removed.has(name))),
  ])
  const policies = [...(request.policies ?? coverages.map(({ policy }) => policy.name)), SAFETY, MANUAL]
  return (record.snapshots ?? [])
    .filter(([snapshot]) => named(snapshot))
    .map(([snapshot]): Finding => {
      const policy = parseSnapshotName(snapshot)?.policy
      if (policy === undefined || !policies.includes(policy))
        return noted('foreign', key, snapshot, 'none of the requested policies took it')
      const keep = keepNamed(snapshot, one, guards, newest) ?? stop
      if (keep !== null) return noted('keep', key, snapshot, keep)
      // Its mark may be all that came of an earlier request: the relay does what is left of it.
      const before =
        request.do === 'expire' && request.grace === undefined ? removed.get(snapshot) : undefined
      const when = before === undefined ? later : { end: new Date(before.end).toISOString() }
      const reason = before === undefined ? 'named' : 'named before'
      const action: ExpireAction = { kind: 'expire', ref, policy, snapshot, ...when, reason }
      return { actions: [action] }
    })
}

const noted = (kind: 'foreign' | 'keep', about: string, snapshot: string, reason: string): Finding => ({
  notes: [{ kind, about, snapshot, reason }],
})

function keepNamed(
  snapshot: string,
  { key, held }: Covered,
  { needed, kept, incomplete }: Guards,
  newest: ReadonlyMap<string, string>,
): string | null {
  if (held.has(snapshot)) return 'it is held: release it first'
  if (incomplete.has(`${key}/${snapshot}`))
    return 'it is not known whether it was completed: the next tick decides about it'
  return newest.get(snapshot) ?? needed.get(key)?.get(snapshot) ?? kept.get(key)?.get(snapshot) ?? null
}
