/** Plans each policy's slot: that of the schedule, or the minute of a request. */

import type { InstanceRecord } from '../../incus/inventory.ts'
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger, OpenSlot, PolicyLedger } from '../../ledger/ledger.ts'
import { closedSlot, pushSlot } from '../../ledger/slots.ts'
import { unknownIn } from '../../ledger/unseen.ts'
import { own } from '../../own.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding, Found, PartialSnapshot } from '../../plan/finding.ts'
import { partialsIn } from '../../plan/partials.ts'
import type { Note, SlotPlan } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import type { Policy } from '../../policy/policy.ts'
import { minuteOf, minutesFrom } from '../../schedule/moment.ts'
import { nextSlot } from '../../schedule/slots.ts'
import { type GroupAction, type SnapshotAction, snapshotsIn } from './action.ts'
import { changeOf, knownOf, restartAccounting } from './begin.ts'
import type { Serving } from './decision.ts'
import { lookForOwed, type ObservedInstances, withFirst } from './first.ts'
import { type Advance, advance, type Passed } from './open-slot.ts'
import { clearPartials, withKnownToRelay } from './partials.ts'
import { serveSlot } from './serve.ts'
import { takenFor } from './taken.ts'

type SlotDecision = {
  plan: SlotPlan
  actions: (SnapshotAction | GroupAction)[]
  /** Snapshots of slots that are over, which may be partial. */
  partials: PartialSnapshot[]
  wake: string[]
}

/** `busy`: instances that get no snapshot now, by key, each with the reason. */
type Busy = ReadonlyMap<string, string>

export function planSlots(context: PlanContext, { busy }: Found): Finding {
  const { coverages, world, explain = false } = context
  const slots = coverages.map((coverage) => planSlot(coverage, context, busy))
  const actions = slots.flatMap((slot) => slot.actions)
  const plans = slots.map(({ plan }) => plan)
  return {
    actions,
    slots: plans,
    partials: slots.flatMap(({ partials }) => partials),
    taking: new Set(snapshotsIn(actions).map(({ policy, ref }) => `${policy} ${subjectKey(ref)}`)),
    failing: new Set(
      plans.flatMap(({ failed, waiting }) => [...failed, ...waiting].map(({ instance }) => instance)),
    ),
    incomplete: new Set([
      ...world.incomplete,
      ...world.unseen,
      ...plans.flatMap(({ policy, ledger }) => partialsIn(policy, ledger)),
    ]),
    wake: slots.flatMap(({ wake }) => wake),
    notes: explain ? plans.flatMap(waitingNotes) : [],
  }
}

/** For a dry run: snapshots that are taken soon. */
const waitingNotes = ({ policy, waiting, ledger }: SlotPlan): Note[] =>
  waiting.map(({ instance, until }) => ({
    kind: 'wait',
    about: instance,
    reason: `${policy} takes its snapshot of slot ${ledger.open?.slot ?? ''} at ${until}`,
  }))

function planSlot(
  coverage: Coverage,
  { world, ledger, now, applied }: PlanContext,
  busy: Busy,
): SlotDecision {
  const { policy } = coverage
  const next = policy.paused ? null : nextSlot({ ...policy, after: now })
  const wake = next === null ? [] : [next.toISOString()]
  const see = seer(coverage)
  const known = knownIn(coverage, world, ledger, now)
  const { ledger: accounted, superseded } = accountSlots(policy, known, () => see().observed, {
    now,
    applied,
  })
  const advanced = withFirst(policy, accounted, see, now)
  const closed = superseded.reduce(
    (before, passed) => closeSuperseded(coverage, before, passed, { incomplete: world.incomplete, busy }),
    advanced,
  )
  const before = [
    ...(closed.partial ?? []),
    ...superseded.flatMap(({ open }) => unknownIn(policy.name, open)),
  ]
  const { left, partials } = clearPartials(coverage, before, world)
  const current = withPartial(closed, left)
  const serving = {
    ...{ world, ledger, now, incomplete: world.incomplete, next, busy },
    reason: reasonOf(current, now),
  }
  const { plan, actions } = serveSlot(coverage, current, serving)
  const soon = left.length > 0 ? [minutesFrom(now, 1)] : []
  return {
    plan,
    actions,
    partials: partials.filter(({ ref }) => !busy.has(subjectKey(ref))),
    wake: [...wake, ...soon, ...lookForOwed(current, policy.paused, now)],
  }
}

/** The slot is this minute, and there is no retry. */
export function planRequestedSlot(
  coverage: Coverage,
  { world, ledger, now }: PlanContext,
  busy: Busy,
  reason: string,
  { onRequest, asked }: Required<Pick<Serving, 'onRequest' | 'asked'>>,
): Pick<SlotDecision, 'plan' | 'actions'> {
  const known = knownIn(coverage, world, ledger, now)
  const open: OpenSlot = { slot: minuteOf(now).toISOString(), attempts: {} }
  const serving = {
    world,
    ledger,
    now,
    incomplete: world.incomplete,
    next: null,
    busy,
    reason,
    onRequest,
    asked,
  }
  return serveSlot(coverage, { ...known, open }, serving)
}

const knownIn = (coverage: Coverage, world: World, ledger: Ledger, now: Date): PolicyLedger => {
  const { policy } = coverage
  return withKnownToRelay(
    coverage,
    knownOf(policy, own(ledger.policies, policy.name), seer(coverage), now),
    world,
  )
}

/** Before a change of schedule, slots of the former one count: each is served or recorded. */
function accountSlots(
  policy: Policy,
  known: PolicyLedger,
  observed: () => readonly Date[],
  { now, applied }: Pick<PlanContext, 'now' | 'applied'>,
): Advance {
  const change = changeOf(policy, known, applied, now)
  if (change === null) return advance(policy, known, now, observed)
  const { former, at } = change
  const before = former === null ? null : advance(former, known, now, observed, at)
  const { paused } = known
  const noted = { ...(before?.ledger ?? known), ...(paused === undefined ? {} : { paused }) }
  const after = advance(policy, restartAccounting(policy, noted, change, now), now, observed)
  return { ledger: after.ledger, superseded: [...(before?.superseded ?? []), ...after.superseded] }
}

const seer = (coverage: Coverage) => (): ObservedInstances => ({
  observed: observedSlots(coverage),
  unreadable: [
    ...coverage.unreadable.map(({ key }) => key),
    ...coverage.covered.flatMap(({ key, record }) => (record.snapshots === null ? [key] : [])),
  ],
  withoutSnapshots: coverage.covered.flatMap(({ key, record }) =>
    lacksSnapshots(coverage.policy.name, record) ? [key] : [],
  ),
})

const withPartial = ({ partial: _, ...ledger }: PolicyLedger, partial: string[]): PolicyLedger =>
  partial.length === 0 ? ledger : { ...ledger, partial }

/** It can be read, and has no snapshot of the policy. */
const lacksSnapshots = (policy: string, { snapshots }: InstanceRecord): boolean =>
  snapshots !== null && takenFor(policy, { slot: '', first: true }, snapshots).length === 0

const observedSlots = ({ covered, policy }: Coverage): Date[] => {
  const slots = covered.flatMap(({ record }) =>
    (record.snapshots ?? []).flatMap((pair) => {
      const own = pair[0].startsWith(`${policy.name}-`) ? ownSnapshot(pair) : null
      return own?.policy === policy.name ? [own.slot.getTime()] : []
    }),
  )
  return [...new Set(slots)].map((slot) => new Date(slot))
}

function reasonOf({ open }: PolicyLedger, now: Date): string {
  if (open === null) return ''
  if (open.first === true) return 'it has no snapshot of this policy yet'
  const late = Math.floor((now.getTime() - new Date(open.slot).getTime()) / 60_000)
  const slot = `slot ${open.slot.slice(0, 16)}Z is due`
  if (late < 2) return slot
  return `${slot}, served ${late < 120 ? `${late} min` : `${Math.floor(late / 60)} h`} late`
}

/** Records an older slot when a newer one has come: what wasn't served of it has failed. */
function closeSuperseded(
  { policy, covered, unreadable, ...rest }: Coverage,
  ledger: PolicyLedger,
  { open, before }: Passed,
  blocks: { incomplete: ReadonlySet<string>; busy: Busy },
): PolicyLedger {
  const partial = new Set([...(ledger.partial ?? []), ...unknownIn(policy.name, open)])
  const missing = covered.filter(
    ({ key, record }) =>
      own(open.made, key) === undefined &&
      takenFor(policy.name, open, record.snapshots ?? [], { key, partial, until: before }).length === 0,
  )
  const failures = missing.map((one) => ({ instance: one.key, reason: whyMissing(one, open, blocks) }))
  const remotes = unreadable.map(({ key, reason }) => ({
    instance: key,
    reason: own(open.attempts, key)?.reason ?? reason,
  }))
  const record = closedSlot(open.slot, {
    served: covered.length - missing.length,
    failures: [...failures, ...remotes],
    empty: rest.problems[0]?.reason ?? null,
  })
  return { ...ledger, slots: pushSlot(ledger.slots, record) }
}

/** Why it wasn't taken, as far as known: by its own tries, or those to read its server. */
function whyMissing(
  { key, ref, record }: Covered,
  { attempts, slot }: OpenSlot,
  { incomplete, busy }: { incomplete: ReadonlySet<string>; busy: Busy },
): string {
  const unread = own(attempts, `remote:${ref.remote}`)
  const tried =
    own(attempts, key)?.reason ?? (unread === undefined ? undefined : `${ref.remote}: ${unread.reason}`)
  if (tried !== undefined) return tried
  if ([...incomplete].some((entry) => entry.startsWith(`${key}/`)))
    return 'a snapshot of it was still being made'
  if (record.snapshots === null) return record.problem ?? 'its snapshots could not be listed'
  return busy.get(key) ?? `no tick took it between ${slot.slice(0, 16)}Z and the next slot`
}
