/** The decision: from configuration, observation, notebook and time to a plan, each line with its reason. */
import { type InstanceRecord, instanceKey } from '../incus/inventory.ts'
import { parseSnapshotName, snapshotName } from '../incus/snapshot-name.ts'
import type { Ledger, OpenSlot, PolicyLedger } from '../ledger/ledger.ts'
import { closedSlot, pushSlot } from '../ledger/slots.ts'
import type { Coverage, Covered } from '../policy/cover.ts'
import { minutesFrom } from '../schedule/moment.ts'
import { nextSlot } from '../schedule/slots.ts'
import type { Ask } from './ask.ts'
import { type Copies, planCopies } from './copies.ts'
import { clearDoubtful, doubtfulIn, unseenIn } from './doubtful.ts'
import { createSieve, holdBack, letGo, type Sieve } from './expire.ts'
import { advance, knownOf } from './open-slot.ts'
import type { ExpireAction, HoldAction, Note, Plan, SlotPlan, SnapshotAction } from './plan.ts'
import { serveSlot } from './serve.ts'
import type { World } from './world.ts'

export type Question = {
  coverages: readonly Coverage[]
  world: World
  ledger: Ledger
  now: Date
  /** Somebody asks for snapshots now; absent: what the schedule says. */
  ask?: Ask | undefined
  /** Also note what is kept and why, line by line: for people, not needed to perform. */
  explain?: boolean | undefined
}

export function decide(question: Question): Plan {
  const { coverages, world, ledger, now, ask } = question
  const sieve = createSieve(now)
  const slots = coverages.map((coverage) => planSlot(coverage, question))
  const taking = slots.flatMap(({ actions }) => actions)
  const snapshotting = new Set(taking.map(({ policy, ref }) => `${policy} ${instanceKey(ref)}`))
  const covered = coverages.flatMap((coverage) => coverage.covered)
  const doubtful = [...world.incomplete, ...slots.flatMap(({ plan }) => doubtfulIn(plan.policy, plan.ledger))]
  const sure = { ...world, incomplete: new Set(doubtful) }
  const copies = planCopies(covered, { world: sure, ledger, now, sieve, snapshotting })
  const failing = new Set(
    slots.flatMap(({ plan }) => [...plan.failed, ...plan.waiting]).map(({ instance }) => instance),
  )
  const expiring = slots.map(({ coverage, plan }) =>
    planExpire(coverage, plan, failing, copies, sieve, { ...question, world: sure }),
  )
  return {
    at: now.toISOString(),
    actions: [
      ...taking,
      ...slots.flatMap(({ halves }) => halves),
      ...expiring.flatMap(({ actions }) => actions),
      ...copies.actions,
    ],
    notes: [...coverages.flatMap(notesOf), ...expiring.flatMap(({ notes }) => notes), ...copies.notes],
    slots: slots.map(({ plan }) => plan),
    copies: copies.plans,
    wake: [
      ...copies.wake,
      ...slots.flatMap(({ wake }) => wake),
      ...coverages.flatMap((coverage) => wakeForUnseen(coverage, now)),
    ],
    asked: ask !== undefined,
    restores: ledger.restores ?? {},
    refusal: null,
    approval: 'self',
  }
}

/** A source that can't be read may have copies under way, or due: they are not left to the next slot. */
function wakeForUnseen({ policy, covered, unreadable }: Coverage, now: Date): string[] {
  const unseen = unreadable.length > 0 || covered.some(({ record }) => record.snapshots === null)
  return unseen && policy.copy !== null && !policy.paused ? [minutesFrom(now, 1)] : []
}

type SlotDecision = {
  coverage: Coverage
  plan: SlotPlan
  actions: SnapshotAction[]
  /** What unseen tries of a slot that is over have left. */
  halves: ExpireAction[]
  wake: string[]
}

function planSlot(coverage: Coverage, { world, ledger, now, ask }: Question): SlotDecision {
  const { policy } = coverage
  const next = policy.paused ? null : nextSlot({ ...policy, after: now })
  const wake = next === null ? [] : [next.toISOString()]
  const serving = { now, incomplete: world.incomplete, next }
  const observed = () => observedSlots(coverage)
  const known = knownOf(policy, ledger.policies[policy.name], observed, now)
  if (ask !== undefined) {
    const slot = new Date(Math.floor(now.getTime() / 60_000) * 60_000).toISOString()
    const asked: PolicyLedger =
      ask.do === 'snapshot' && (ask.policies?.includes(policy.name) ?? true)
        ? { ...known, open: { slot, attempts: {} } }
        : { ...known, open: null }
    const { plan, actions } = serveSlot(coverage, asked, { ...serving, next: null, reason: ask.reason })
    return { coverage, plan, actions, halves: [], wake }
  }
  const { ledger: advanced, more, superseded } = advance(policy, known, now, observed)
  const closed = superseded.reduce((before, open) => closeSuperseded(coverage, before, open), advanced)
  const before = [...(closed.doubtful ?? []), ...superseded.flatMap((open) => unseenIn(policy.name, open))]
  const { doubtful, halves } = clearDoubtful(coverage, before)
  const current = withDoubtful(closed, doubtful)
  const { plan, actions } = serveSlot(coverage, current, { ...serving, reason: reasonOf(current, now) })
  const soon = doubtful.length > 0 ? [minutesFrom(now, 1)] : []
  return { coverage, plan, actions, halves, wake: more ? [now.toISOString()] : [...wake, ...soon] }
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

const NOTHING: ReadonlyMap<string, string> = new Map()

function planExpire(
  { policy, covered }: Coverage,
  plan: SlotPlan,
  failing: ReadonlySet<string>,
  copies: Copies,
  sieve: Sieve,
  { world, explain }: Question,
): { actions: (ExpireAction | HoldAction)[]; notes: Note[] } {
  const open = plan.ledger.open
  if (open === null && explain !== true) return { actions: [], notes: [] }
  const besides = open === null ? null : snapshotName({ policy: policy.name, slot: new Date(open.slot) })
  const actions: (ExpireAction | HoldAction)[] = []
  const notes: Note[] = []
  for (const one of covered) {
    const { key, ref, record, policy: own, held, blocked } = one
    if (record.snapshots === null) continue
    if (open !== null) actions.push(...holdsOn(one))
    const complete =
      world.incomplete.size === 0
        ? record.snapshots
        : record.snapshots.filter(([name]) => !world.incomplete.has(`${key}/${name}`))
    const retention = sieve.sort(own, own.keep, complete, held, besides)
    const needed = copies.needed.get(key) ?? NOTHING
    const stop =
      blocked ?? copies.blocked.get(key) ?? (failing.has(key) ? 'its snapshot is not there yet' : null)
    if (explain === true)
      for (const { snapshot, reason } of holdBack(retention, needed))
        notes.push({ kind: 'keep', about: key, snapshot, reason })
    for (const { snapshot, reason } of open === null ? [] : letGo(retention, needed)) {
      if (stop === null) actions.push({ kind: 'expire', ref, policy: policy.name, snapshot, reason })
      else
        notes.push({
          kind: 'keep',
          about: key,
          snapshot,
          reason: `${reason}, but nothing expires now: ${stop}`,
        })
    }
  }
  return { actions, notes }
}

/** Incus enforces its own expiry, held or not. */
function holdsOn({ ref, record, policy, held }: Covered): HoldAction[] {
  if (policy.expiry === null) return []
  const reason = "held: Incus's own expiry is lifted from it"
  return [...held]
    .filter((name) => parseSnapshotName(name)?.policy === policy.name && hasSnapshot(record, name))
    .map((snapshot) => ({ kind: 'hold', ref, policy: policy.name, snapshot, reason }))
}

const notesOf = ({ skipped, problems, unreadable }: Coverage): Note[] => [
  ...problems.map(({ about, reason }): Note => ({ kind: 'problem', about, reason })),
  ...unreadable.map(({ key, reason }): Note => ({ kind: 'problem', about: key, reason })),
  ...skipped.map(({ key, reason }): Note => ({ kind: 'skip', about: key, reason })),
]
