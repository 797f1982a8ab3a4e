/** Snapshots now: one for each policy that is named, or one for each instance. */
import type { Coverage } from '../policy/cover.ts'
import { minutesFrom } from '../schedule/moment.ts'
import { type Ask, narrow } from './ask.ts'
import type { Answer, Asked } from './asking.ts'
import type { Note, Refusal, SlotPlan } from './plan.ts'
import { refuseScope } from './scope.ts'
import { planAskedSlot } from './slot.ts'

type Wish = Extract<Ask, { do: 'snapshot' }>

export function askSnapshot(asked: Asked<Wish>): Answer | Refusal {
  const { ask, coverages, world, now, restores } = asked
  const refusal = refuseScope(ask, coverages, world)
  if (refusal !== null) return refusal
  const wanted = narrow(coverages, ask)
  const served = (ask.policies === undefined ? oncePerInstance(wanted) : wanted)
    .map((coverage) => (ask.instances === undefined ? coverage : { ...coverage, unreadable: [] }))
    .filter(({ covered, unreadable }) => covered.length + unreadable.length > 0)
  const slots = served.map((coverage) => planAskedSlot(coverage, asked, restores.withheld, ask.reason))
  const notes = slots.flatMap(({ plan }) => notesOf(plan, restores.withheld))
  const none: Note[] = [{ kind: 'skip', about: 'instances', reason: 'the policies cover none' }]
  return {
    actions: slots.flatMap(({ actions }) => actions),
    notes: slots.length === 0 ? none : notes,
    slots: slots.map(({ plan }) => plan),
    // What was taken travels with the next tick.
    wake: served.some(({ policy }) => policy.copy !== null) ? [minutesFrom(now, 1)] : [],
  }
}

/** Under the first policy that covers it, one with a copy before one without. */
function oncePerInstance(coverages: readonly Coverage[]): Coverage[] {
  const order = [...coverages].sort((a, b) => Number(b.policy.copy !== null) - Number(a.policy.copy !== null))
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
  withheld: ReadonlyMap<string, string>,
): Note[] => [
  ...served.map((about): Note => ({ kind: 'keep', about, reason: 'it has the snapshot of this minute' })),
  ...waiting.map(({ instance }): Note => {
    const failure = ledger.open?.attempts[instance]?.reason
    const reason = failure ?? withheld.get(instance) ?? 'its snapshot is being made'
    return { kind: failure === undefined ? 'wait' : 'problem', about: instance, reason }
  }),
  ...failed.map(({ instance, reason }): Note => ({ kind: 'problem', about: instance, reason })),
]
