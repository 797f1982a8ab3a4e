/**
 * Serves a policy's open slot: for each instance, whether it has the slot's snapshot, gets it now, later, or
 * not at all.
 */
import { MANUAL, parseSnapshotName, snapshotName } from '../../incus/snapshot-name.ts'
import type { OpenSlot, PolicyLedger } from '../../ledger/ledger.ts'
import { unknownIn } from '../../ledger/unseen.ts'
import type { SlotPlan } from '../../plan/plan.ts'
import type { Coverage } from '../../policy/cover.ts'
import { groupsIn } from '../../policy/together.ts'
import type { GroupAction, SnapshotAction } from './action.ts'
import { type Decision, decisionOf, type Serving, type Slot, unreadableDecision } from './decision.ts'
import { firstName } from './taken.ts'
import { asGroups, decideTogether } from './together.ts'

type Served = { plan: SlotPlan; actions: (SnapshotAction | GroupAction)[] }

export function serveSlot(coverage: Coverage, ledger: PolicyLedger, serving: Serving): Served {
  const { open } = ledger
  if (open === null) return { plan: emptyPlan(coverage, ledger, null), actions: [] }
  const slot = slotOf(coverage, ledger, open, serving)
  // A name, or memory, that somebody asks for is of one by itself.
  const { as, stateful } = serving.asked ?? {}
  const groups = as === undefined && stateful === undefined ? groupsIn(coverage) : []
  const grouped = new Set(groups.flat())
  const decisions = [
    ...coverage.unreadable.map(({ key, reason }) => unreadableDecision(slot, key, reason)),
    ...coverage.covered.filter((one) => !grouped.has(one)).map((covered) => decisionOf(slot, covered)),
    ...groups.flatMap((group) => decideTogether(slot, group)),
  ]
  const partial = [
    ...(ledger.partial ?? []),
    ...decisions.flatMap((decision) =>
      decision.is === 'taken' && decision.left !== undefined ? [decision.left] : [],
    ),
  ]
  const attempts = Object.fromEntries(
    decisions.flatMap((decision) =>
      decision.attempt !== undefined ? [[decision.key, decision.attempt] as const] : [],
    ),
  )
  return {
    plan: {
      ...emptyPlan(coverage, ledger, slot.until),
      ledger: {
        ...ledger,
        ...(partial.length === 0 ? {} : { partial }),
        open: { ...open, attempts: { ...open.attempts, ...attempts } },
      },
      served: decisions.flatMap(({ is, key }) => (is === 'served' ? [key] : [])),
      waiting: decisions.flatMap((decision) =>
        decision.is === 'waiting' ? [{ instance: decision.key, until: decision.until }] : [],
      ),
      failed: decisions.flatMap((decision) =>
        decision.is === 'failed' ? [{ instance: decision.key, reason: decision.reason }] : [],
      ),
      remark: remarkOn(slot, decisions),
      ...(decisions.length === 0 ? withoutInstances(coverage) : {}),
    },
    actions: asGroups(decisions, coverage.policy),
  }
}

const emptyPlan = ({ policy }: Coverage, ledger: PolicyLedger, until: Date | null): SlotPlan => ({
  policy: policy.name,
  ledger,
  served: [],
  waiting: [],
  failed: [],
  empty: null,
  remark: null,
  until: until?.toISOString() ?? null,
})

const slotOf = (
  { policy }: Coverage,
  { partial = [] }: PolicyLedger,
  open: OpenSlot,
  serving: Serving,
): Slot => ({
  policy: serving.onRequest !== undefined ? MANUAL : policy.name,
  open,
  until: servableUntil(policy, new Date(open.slot)),
  serving,
  partial: new Set([...partial, ...unknownIn(policy.name, open)]),
  making: inMaking(policy.name, open, serving.incomplete),
})

/** Keys of instances of which a snapshot for the slot is being made. */
function inMaking(policy: string, open: OpenSlot, incomplete: ReadonlySet<string>): ReadonlySet<string> {
  const from = firstName(policy, open)
  return new Set(
    [...incomplete].flatMap((entry) => {
      const at = entry.lastIndexOf('/')
      const name = entry.slice(at + 1)
      return name >= from && parseSnapshotName(name)?.policy === policy ? [entry.slice(0, at)] : []
    }),
  )
}

/** The recorded reason of a slot whose snapshots have other names. */
function remarkOn({ policy, open, serving }: Slot, decisions: readonly Decision[]): string | null {
  // One on request is of no slot, so it can't be late.
  if (serving.onRequest !== undefined) return null
  if (open.first === true) return 'the first one, because the policy had no snapshot yet'
  const names = new Set(
    decisions.flatMap((decision) =>
      decision.is === 'served' ? [decision.name] : decision.is === 'taken' ? [decision.action.name] : [],
    ),
  )
  const late = [...names].filter((name) => name !== snapshotName({ policy, slot: new Date(open.slot) }))
  return late.length === 0 ? null : `taken late, under the name ${late.join(', ')}`
}

/** A slot may be served until then. */
const servableUntil = (policy: { catchup: number }, slot: Date): Date =>
  new Date(slot.getTime() + policy.catchup * 1000)

/** No instance to serve: the slot is skipped, or failed if there was a problem. */
function withoutInstances({ skipped, problems }: Coverage): Pick<SlotPlan, 'failed' | 'empty'> {
  const left = skipped[0]
  return {
    failed: problems.map(({ about, reason }) => ({ instance: about, reason })),
    empty:
      left === undefined
        ? 'no instance matches'
        : `all matching instances are left out: ${left.key} ${left.reason}`,
  }
}
