/** Requests to take snapshots now: one for each instance, under a name that no rule of `keep` counts. */

import { MANUAL } from '../../incus/snapshot-name.ts'
import { own } from '../../own.ts'
import type { Note, Refusal, SlotPlan } from '../../plan/plan.ts'
import { type AnyRequest, narrow, type Scope } from '../../plan/request.ts'
import { refuseScope } from '../../plan/scope.ts'
import { readWishes, type Wishes } from '../../plan/wishes.ts'
import type { Coverage } from '../../policy/cover.ts'
import type { Policy } from '../../policy/policy.ts'
import { wholeGroups } from '../../policy/together.ts'
import { ok } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import { namingOf, refuseWish } from './asked.ts'
import { planRequestedSlot } from './schedule.ts'

/** `policies`: only of what they cover. */
export type SnapshotRequest = AnyRequest & { do: 'snapshot' } & Scope & Wishes

export const requestSnapshots: Requestable<SnapshotRequest> = {
  destructive: false,
  unnamed: true,
  read({ policies, instances, ...given }, reason) {
    const wishes = readWishes(given)
    return wishes.ok ? ok({ do: 'snapshot', policies, instances, reason, ...wishes.value }) : wishes
  },
  plan: planRequested,
}

const TAKEN = `a policy is called ${MANUAL}, as snapshots on request are now, and its "keep" would count them. Rename it in stapes.jsonc and apply that; until then the policy works as before`

function planRequested(requested: Requested<SnapshotRequest>): Answer | Refusal {
  const { request, coverages, world, now, found } = requested
  const refusal = refuseScope(request, coverages, world)
  if (refusal !== null) return refusal
  if (coverages.some(({ policy }) => policy.name === MANUAL)) return { code: 'not-ours', reason: TAKEN }
  const narrowed = narrow(coverages, request)
  // What has a name, or memory, of its own is taken by itself.
  const isAlone = request.name !== undefined || request.stateful !== undefined
  const wanted = isAlone ? narrowed : narrowed.map(wholeGroups(coverages))
  const once = oncePerInstance(wanted)
  const refused = new Map(
    once.flatMap(({ covered }) =>
      covered.flatMap((one) => {
        const why = refuseWish(one, request, requested)
        return why === null ? [] : [[one.key, why] as const]
      }),
    ),
  )
  const [bad] = refused
  // Named one by one, all of it is done or nothing.
  if (bad !== undefined && once.every(({ covered }) => covered.every(({ key }) => refused.has(key))))
    return { code: 'forbidden', reason: [...refused].map(([key, why]) => `${key}: ${why}`).join('; ') }
  const served = once
    .map((coverage) => ({
      ...coverage,
      covered: coverage.covered.filter(({ key }) => !refused.has(key)),
    }))
    .map((coverage) => (request.instances === undefined ? coverage : { ...coverage, unreadable: [] }))
    .filter(({ covered, unreadable }) => covered.length + unreadable.length > 0)
  const policies = new Map<string, Policy[]>()
  for (const { covered } of coverages)
    for (const { key, policy } of covered) policies.set(key, [...(policies.get(key) ?? []), policy])
  const as = namingOf(
    request,
    served.flatMap(({ covered }) => covered),
  )
  const { expiry, stateful } = request
  const asked = {
    ...(expiry === undefined ? {} : { expiry }),
    ...(stateful === undefined ? {} : { stateful }),
    ...(as === undefined ? {} : { as }),
  }
  const slots = served.map((coverage) =>
    planRequestedSlot(coverage, requested, found.busy, request.reason, { onRequest: policies, asked }),
  )
  const notes = [
    ...[...refused].map(([about, reason]): Note => ({ kind: 'problem', about, reason })),
    ...slots.flatMap(({ plan }) => notesOf(plan, found.busy)),
  ]
  const none: Note[] = [{ kind: 'skip', about: 'instances', reason: 'the policies cover no instance' }]
  return {
    actions: slots.flatMap(({ actions }) => actions),
    notes: slots.length === 0 ? none : notes,
    slots: slots.map(({ plan }) => plan),
    // The next tick copies it.
    wake: served.some(({ policy }) => policy.copy !== null) ? [minutesFrom(now, 1)] : [],
  }
}

/** Under the first policy that covers it: one that takes it together with its volumes, then one with a copy. */
function oncePerInstance(coverages: readonly Coverage[]): Coverage[] {
  const rank = ({ policy: { together, copy } }: Coverage): number =>
    2 * Number(together != null) + Number(copy !== null)
  const order = [...coverages].sort((a, b) => rank(b) - rank(a))
  const taken = new Set<string>()
  const unreadable = new Set<string>()
  return order.map((coverage) => ({
    ...coverage,
    covered: coverage.covered.filter(({ key }) => !taken.has(key) && taken.add(key)),
    unreadable: coverage.unreadable.filter(({ key }) => !unreadable.has(key) && unreadable.add(key)),
  }))
}

const notesOf = (
  { served, waiting, failed, ledger }: SlotPlan,
  busy: ReadonlyMap<string, string>,
): Note[] => [
  ...served.map(
    (about): Note => ({ kind: 'keep', about, reason: 'it already has a snapshot of this minute' }),
  ),
  ...waiting.map(({ instance }): Note => {
    const failure = own(ledger.open?.attempts, instance)?.reason
    const reason = failure ?? busy.get(instance) ?? 'its snapshot is being made'
    return { kind: failure === undefined ? 'wait' : 'problem', about: instance, reason }
  }),
  ...failed.map(({ instance, reason }): Note => ({ kind: 'problem', about: instance, reason })),
]
