/** Requests to copy now, without waiting for the next retry. */
import { subjectKey } from '../../incus/subject.ts'
import { expiryKey, refreshKey } from '../../plan/brake.ts'
import { withPartials } from '../../plan/partials.ts'
import type { AnyAction, Note, Refusal } from '../../plan/plan.ts'
import { type AllowRequest, type AnyRequest, narrow, type Scope } from '../../plan/request.ts'
import { refuseScope } from '../../plan/scope.ts'
import type { Covered } from '../../policy/cover.ts'
import { ok } from '../../result.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import { isExpire } from '../retention/action.ts'
import type { CopyAction, PermitAction, VerifyAction } from './action.ts'
import { replicasOf } from './replica.ts'
import { planCopies } from './schedule.ts'

/** Starts all copies that aren't verified up to date, also those that wait for a retry. */
export type CopyRequest = AnyRequest & { do: 'copy' } & Scope

export const requestCopies: Requestable<CopyRequest> = {
  destructive: false,
  reportsUnreadable: true,
  read: ({ policies, instances }, reason) => ok({ do: 'copy', policies, instances, reason }),
  plan: planRequested,
}

function planRequested(requested: Requested<CopyRequest>): Answer | Refusal {
  const { request, coverages, world, ledger, found } = requested
  const refusal = refuseScope(request, coverages, world)
  if (refusal !== null) return refusal
  const wanted = narrow(coverages, request).flatMap(({ covered }) => covered)
  const named = new Set(wanted.map(({ key, policy }) => `${policy.name} ${key}`))
  const all = coverages.flatMap(({ covered }) => covered)
  // Whole replicas, also where one policy of several is requested: each is copied in one way.
  const replicas = replicasOf(all).filter(({ source, wanting }) =>
    wanting.some(({ covered }) => named.has(`${covered.policy.name} ${source.key}`)),
  )
  const sources = new Set(replicas.map(({ source }) => source.key))
  const copies = planCopies(
    all.filter(({ key }) => sources.has(key)),
    {
      ...requested,
      world: withPartials(world, ledger),
      busy: found.busy,
      wanted: new Set(replicas.map(({ key }) => key)),
    },
  )
  return {
    actions: copies.actions.filter(({ kind }) => kind === 'copy'),
    notes: [...copies.notes, ...copies.actions.flatMap(verifyNote), ...uncopied(wanted, sources)],
    // Other findings are left to the next tick.
    work: Object.fromEntries(Object.entries(copies.work).filter(([, entry]) => entry?.state !== 'verified')),
    wake: copies.wake,
  }
}

/** Refreshes that the brake holds back, with what each removes on the copy. */
export function allowRefreshes(requested: Requested<AllowRequest>): Answer {
  const { request, coverages, world, ledger, found } = requested
  // Named snapshots are about an expiry.
  if (request.snapshots !== undefined) return {}
  const wanted = new Set(narrow(coverages, request).flatMap(({ covered }) => covered.map(({ key }) => key)))
  const all = coverages.flatMap(({ covered }) => covered).filter(({ key }) => wanted.has(key))
  const context = { ...requested, world: withPartials(world, ledger), busy: found.busy }
  const { braked } = planCopies(all, context)
  const held = replicasOf(all).filter(
    ({ key, target, wanting }) =>
      Object.hasOwn(braked, refreshKey(key)) ||
      wanting.some(({ covered }) =>
        Object.hasOwn(braked, expiryKey(covered.policy.name, subjectKey(target))),
      ),
  )
  if (held.length === 0) return {}
  const keys = new Set(held.map(({ key }) => key))
  const sources = new Set(held.map(({ source }) => source.key))
  const copies = planCopies(
    all.filter(({ key }) => sources.has(key)),
    { ...context, wanted: keys, allowed: keys },
  )
  const targets = new Set(held.map(({ target }) => subjectKey(target)))
  const actions = copies.actions.filter(
    (action) =>
      ((isCopy(action) || isPermit(action)) && keys.has(action.key)) ||
      (isExpire(action) && targets.has(subjectKey(action.ref))),
  )
  const done = actions.flatMap((action) =>
    isCopy(action) || isPermit(action)
      ? [refreshKey(action.key)]
      : isExpire(action)
        ? [expiryKey(action.policy, subjectKey(action.ref))]
        : [],
  )
  return {
    actions,
    notes: copies.notes.filter(
      ({ about, kind }) => kind !== 'foreign' && (keys.has(about) || sources.has(about)),
    ),
    work: Object.fromEntries(Object.entries(copies.work).filter(([, entry]) => entry?.state !== 'verified')),
    braked: without(ledger.sight?.braked ?? {}, done),
    wake: copies.wake,
  }
}

const isCopy = (action: AnyAction): action is CopyAction => action.kind === 'copy'
const isPermit = (action: AnyAction): action is PermitAction => action.kind === 'permit'

const without = (braked: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(braked).filter(([key]) => !keys.includes(key)))

const verifyNote = (action: AnyAction): Note[] =>
  action.kind === 'verify'
    ? [
        {
          kind: 'wait',
          about: (action as VerifyAction).key,
          reason: 'its copy has just ended; the next tick verifies it',
        },
      ]
    : []

/** Notes about instances that aren't copied, or could not be read. */
function uncopied(wanted: readonly Covered[], sources: ReadonlySet<string>): Note[] {
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
