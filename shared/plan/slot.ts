/** One policy's slot in a run: the schedule's, or the minute in which somebody asked for it. */

import { type InstanceRecord, instanceKey } from '../incus/inventory.ts'
import { parseSnapshotName, snapshotName } from '../incus/snapshot-name.ts'
import type { Ledger, OpenSlot, PolicyLedger } from '../ledger/ledger.ts'
import { closedSlot, pushSlot } from '../ledger/slots.ts'
import { unseenIn } from '../ledger/unseen.ts'
import { own } from '../own.ts'
import type { Coverage } from '../policy/cover.ts'
import { minuteOf, minutesFrom } from '../schedule/moment.ts'
import { nextSlot } from '../schedule/slots.ts'
import { clearDoubtful } from './doubtful.ts'
import { advance, knownOf } from './open-slot.ts'
import type { ExpireAction, SlotPlan, SnapshotAction } from './plan.ts'
import type { Question } from './question.ts'
import { serveSlot } from './serve.ts'

export type SlotDecision = {
  coverage: Coverage
  plan: SlotPlan
  actions: SnapshotAction[]
  /** What unseen tries of a slot that is over have left. */
  halves: ExpireAction[]
  wake: string[]
}

/** `withheld`: instances that get no snapshot now, by key, each with the reason. */
export type Withheld = ReadonlyMap<string, string>

export function planSlot(
  coverage: Coverage,
  { world, ledger, now }: Question,
  withheld: Withheld,
): SlotDecision {
  const { policy } = coverage
  const next = policy.paused ? null : nextSlot({ ...policy, after: now })
  const wake = next === null ? [] : [next.toISOString()]
  const observed = () => observedSlots(coverage)
  const known = knownIn(coverage, ledger, now)
  const { ledger: advanced, more, superseded } = advance(policy, known, now, observed)
  const closed = superseded.reduce((before, open) => closeSuperseded(coverage, before, open), advanced)
  const before = [...(closed.doubtful ?? []), ...superseded.flatMap((open) => unseenIn(policy.name, open))]
  const { doubtful, halves } = clearDoubtful(coverage, before)
  const current = withDoubtful(closed, doubtful)
  const serving = { world, now, incomplete: world.incomplete, next, withheld, reason: reasonOf(current, now) }
  const { plan, actions } = serveSlot(coverage, current, serving)
  const soon = doubtful.length > 0 ? [minutesFrom(now, 1)] : []
  return {
    coverage,
    plan,
    actions,
    halves: halves.filter(({ ref }) => !withheld.has(instanceKey(ref))),
    wake: more ? [now.toISOString()] : [...wake, ...soon],
  }
}

/** The slot is this minute, and nobody waits for a better one. */
export function planAskedSlot(
  coverage: Coverage,
  { world, ledger, now }: Question,
  withheld: Withheld,
  reason: string,
): Pick<SlotDecision, 'plan' | 'actions'> {
  const known = knownIn(coverage, ledger, now)
  const open: OpenSlot = { slot: minuteOf(now).toISOString(), attempts: {} }
  const serving = { world, now, incomplete: world.incomplete, next: null, withheld, reason, atOnce: true }
  return serveSlot(coverage, { ...known, open }, serving)
}

/** A ledger that begins while not all can be seen vouches for nothing that may be there already. */
function knownIn(coverage: Coverage, ledger: Ledger, now: Date): PolicyLedger {
  const { policy, covered, unreadable } = coverage
  const noted = own(ledger.policies, policy.name)
  const known = knownOf(policy, noted, () => observedSlots(coverage), now)
  const blind = unreadable.length > 0 || covered.some(({ record }) => record.snapshots === null)
  return noted?.since === undefined && blind ? { ...known, since: minutesFrom(minuteOf(now), 1) } : known
}

const withDoubtful = ({ doubtful: _, ...ledger }: PolicyLedger, doubtful: string[]): PolicyLedger =>
  doubtful.length === 0 ? ledger : { ...ledger, doubtful }

const observedSlots = ({ covered, policy }: Coverage): Date[] => {
  const names = new Set(covered.flatMap(({ record }) => (record.snapshots ?? []).map(([name]) => name)))
  const parsed = [...names].map(parseSnapshotName)
  return parsed.flatMap((name) => (name?.policy === policy.name ? [name.slot] : []))
}

function reasonOf({ open }: PolicyLedger, now: Date): string {
  if (open === null) return ''
  const late = Math.floor((now.getTime() - new Date(open.slot).getTime()) / 60_000)
  const slot = `slot ${open.slot.slice(0, 16)}Z is due`
  if (late < 2) return slot
  return `${slot}, served ${late < 120 ? `${late} min` : `${Math.floor(late / 60)} h`} late`
}

/** A newer slot came: what was not served of the older one stays so. */
function closeSuperseded(
  { policy, covered, unreadable, ...rest }: Coverage,
  ledger: PolicyLedger,
  open: OpenSlot,
): PolicyLedger {
  const name = snapshotName({ policy: policy.name, slot: new Date(open.slot) })
  const missing = covered.filter(
    ({ key, record }) => !hasSnapshot(record, name) || open.attempts[key]?.unseen === true,
  )
  const failures = missing.map(({ key }) => ({
    instance: key,
    reason: open.attempts[key]?.reason ?? 'the next slot came before it was taken',
  }))
  const remotes = unreadable.map(({ key, reason }) => ({
    instance: key,
    reason: open.attempts[key]?.reason ?? reason,
  }))
  const empty = rest.problems[0]?.reason ?? null
  const record = closedSlot(open.slot, {
    served: covered.length - missing.length,
    failures: [...failures, ...remotes],
    empty,
  })
  return { ...ledger, slots: pushSlot(ledger.slots, record) }
}

const hasSnapshot = ({ snapshots }: InstanceRecord, name: string): boolean =>
  (snapshots ?? []).some(([taken]) => taken === name)
