/** One policy's slot in a run: the schedule's, or the minute in which somebody asked for it. */

import { type InstanceRecord, instanceKey } from '../incus/inventory.ts'
import { ownSnapshot } from '../incus/snapshot-name.ts'
import type { Ledger, OpenSlot, PolicyLedger } from '../ledger/ledger.ts'
import { closedSlot, pushSlot } from '../ledger/slots.ts'
import { unseenIn } from '../ledger/unseen.ts'
import { own } from '../own.ts'
import type { Coverage, Covered } from '../policy/cover.ts'
import type { Policy } from '../policy/policy.ts'
import { minuteOf, minutesFrom } from '../schedule/moment.ts'
import { nextSlot } from '../schedule/slots.ts'
import { beginAnew, changeOf, knownOf } from './begin.ts'
import { clearDoubtful, withUnseen } from './doubtful.ts'
import { lookForOwed, type Sight, withFirst } from './first.ts'
import { type Advance, advance, type Passed } from './open-slot.ts'
import type { ExpireAction, SlotPlan, SnapshotAction } from './plan.ts'
import type { Question } from './question.ts'
import { serveSlot } from './serve.ts'
import { takenFor } from './taken.ts'
import type { World } from './world.ts'

export type SlotDecision = {
  coverage: Coverage
  plan: SlotPlan
  actions: SnapshotAction[]
  /** What unseen tries of a slot that is over have left. */
  partials: ExpireAction[]
  wake: string[]
}

/** `withheld`: instances that get no snapshot now, by key, each with the reason. */
export type Withheld = ReadonlyMap<string, string>

export function planSlot(
  coverage: Coverage,
  { world, ledger, now, applied }: Question,
  withheld: Withheld,
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
    (before, passed) => closeSuperseded(coverage, before, passed, { incomplete: world.incomplete, withheld }),
    advanced,
  )
  const before = [
    ...(closed.doubtful ?? []),
    ...superseded.flatMap(({ open }) => unseenIn(policy.name, open)),
  ]
  const { doubtful, partials } = clearDoubtful(coverage, before, world)
  const current = withDoubtful(closed, doubtful)
  const serving = { world, now, incomplete: world.incomplete, next, withheld, reason: reasonOf(current, now) }
  const { plan, actions } = serveSlot(coverage, current, serving)
  const soon = doubtful.length > 0 ? [minutesFrom(now, 1)] : []
  return {
    coverage,
    plan,
    actions,
    partials: partials.filter(({ ref }) => !withheld.has(instanceKey(ref))),
    wake: [...wake, ...soon, ...lookForOwed(current, policy.paused, now)],
  }
}

/** The slot is this minute, and nobody waits for a better one. */
export function planAskedSlot(
  coverage: Coverage,
  { world, ledger, now }: Question,
  withheld: Withheld,
  reason: string,
): Pick<SlotDecision, 'plan' | 'actions'> {
  const known = knownIn(coverage, world, ledger, now)
  const open: OpenSlot = { slot: minuteOf(now).toISOString(), attempts: {} }
  const serving = { world, now, incomplete: world.incomplete, next: null, withheld, reason, atOnce: true }
  return serveSlot(coverage, { ...known, open }, serving)
}

const knownIn = (coverage: Coverage, world: World, ledger: Ledger, now: Date): PolicyLedger => {
  const { policy } = coverage
  return withUnseen(
    policy.name,
    knownOf(policy, own(ledger.policies, policy.name), seer(coverage), now),
    world,
  )
}

/** Up to when the schedule was another one, slots are that one's: each is served, or told of. */
function accountSlots(
  policy: Policy,
  known: PolicyLedger,
  observed: () => readonly Date[],
  { now, applied }: Pick<Question, 'now' | 'applied'>,
): Advance {
  const change = changeOf(policy, known, applied, now)
  if (change === null) return advance(policy, known, now, observed)
  const { former, at } = change
  const before = former === null ? null : advance(former, known, now, observed, at)
  const { paused } = known
  const noted = { ...(before?.ledger ?? known), ...(paused === undefined ? {} : { paused }) }
  const after = advance(policy, beginAnew(policy, noted, change, now), now, observed)
  return { ledger: after.ledger, superseded: [...(before?.superseded ?? []), ...after.superseded] }
}

const seer = (coverage: Coverage) => (): Sight => ({
  observed: observedSlots(coverage),
  unseen: [
    ...coverage.unreadable.map(({ key }) => key),
    ...coverage.covered.flatMap(({ key, record }) => (record.snapshots === null ? [key] : [])),
  ],
  bare: coverage.covered.flatMap(({ key, record }) => (isBare(coverage.policy.name, record) ? [key] : [])),
})

const withDoubtful = ({ doubtful: _, ...ledger }: PolicyLedger, doubtful: string[]): PolicyLedger =>
  doubtful.length === 0 ? ledger : { ...ledger, doubtful }

/** It can be looked at, and has no snapshot of the policy. */
const isBare = (policy: string, { snapshots }: InstanceRecord): boolean =>
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

/** A newer slot came: what was not served of the older one stays so. */
function closeSuperseded(
  { policy, covered, unreadable, ...rest }: Coverage,
  ledger: PolicyLedger,
  { open, before }: Passed,
  rails: { incomplete: ReadonlySet<string>; withheld: Withheld },
): PolicyLedger {
  const doubted = new Set([...(ledger.doubtful ?? []), ...unseenIn(policy.name, open)])
  const missing = covered.filter(
    ({ key, record }) =>
      own(open.made, key) === undefined &&
      takenFor(policy.name, open, record.snapshots ?? [], { key, doubted, until: before }).length === 0,
  )
  const failures = missing.map((one) => ({ instance: one.key, reason: whyMissing(one, open, rails) }))
  const remotes = unreadable.map(({ key, reason }) => ({
    instance: key,
    reason: open.attempts[key]?.reason ?? reason,
  }))
  const record = closedSlot(open.slot, {
    served: covered.length - missing.length,
    failures: [...failures, ...remotes],
    empty: rest.problems[0]?.reason ?? null,
  })
  return { ...ledger, slots: pushSlot(ledger.slots, record) }
}

/** What kept it from being taken, as far as that was seen: its own tries, or those to read its server. */
function whyMissing(
  { key, ref, record }: Covered,
  { attempts, slot }: OpenSlot,
  { incomplete, withheld }: { incomplete: ReadonlySet<string>; withheld: Withheld },
): string {
  const unread = attempts[`remote:${ref.remote}`]
  const tried =
    attempts[key]?.reason ?? (unread === undefined ? undefined : `${ref.remote}: ${unread.reason}`)
  if (tried !== undefined) return tried
  if ([...incomplete].some((entry) => entry.startsWith(`${key}/`)))
    return 'a snapshot of it was still being made'
  if (record.snapshots === null) return record.problem ?? 'its snapshots could not be listed'
  return withheld.get(key) ?? `no tick took it between ${slot.slice(0, 16)}Z and the next slot`
}
