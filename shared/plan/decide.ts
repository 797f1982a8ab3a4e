/** The decision: from configuration, observation, ledger and time to a plan, each line with its reason. */
import { instanceKey } from '../incus/inventory.ts'
import type { Coverage } from '../policy/cover.ts'
import { minutesFrom } from '../schedule/moment.ts'
import { narrow } from './ask.ts'
import { decideAsked } from './asked.ts'
import { clockProblems } from './clocks.ts'
import { type Copies, planCopies } from './copies.ts'
import { doubtfulIn, mayClear } from './doubtful.ts'
import { createSorter } from './expire.ts'
import { planExpire } from './expiring.ts'
import type { Note, Plan, SlotPlan } from './plan.ts'
import type { Question } from './question.ts'
import { lookAfter, type Restores } from './restores.ts'
import { refuseScope } from './scope.ts'
import { rememberSight } from './sight.ts'
import { planSlot } from './slot.ts'
import { planThaws } from './thaws.ts'

export type { Question }

export function decide(question: Question): Plan {
  const plan = decideAll(question)
  const { coverages, world, ledger, now } = question
  const clocks = clockProblems(coverages, world, now)
  const sight = rememberSight(ledger.sight, coverages, clocks, world, now)
  const wrong = clocks.map(({ about, reason }): Note => ({ kind: 'problem', about, reason }))
  return { ...plan, notes: distinct([...plan.notes, ...wrong, ...sight.notes]), sight: sight.ledger }
}

function decideAll(question: Question): Plan {
  const { coverages, world, ledger, now } = question
  const restores = lookAfter(world, ledger, now)
  return decideWith({ ...question, coverages: stillHeld(coverages, restores) }, restores)
}

function decideWith(question: Question, restores: Restores): Plan {
  const { coverages, world, ask } = question
  if (ask === undefined) return decideDue(question, restores)
  if (ask.do !== 'look') return decideAsked({ ...question, ask, restores })
  const refusal = refuseScope(ask, coverages, world)
  const seen = decideDue({ ...question, coverages: narrow(coverages, ask) }, restores)
  return refusal === null ? seen : { ...seen, actions: [], notes: [], refusal }
}

/** With the holds that restores have not set again yet. */
function stillHeld(coverages: readonly Coverage[], { held }: Restores): readonly Coverage[] {
  if (held.size === 0) return coverages
  return coverages.map((coverage) => ({
    ...coverage,
    covered: coverage.covered.map((one) => {
      const lost = held.get(one.key)
      return lost === undefined ? one : { ...one, held: new Set([...one.held, ...lost]) }
    }),
  }))
}

/** What several policies find of the same remote or instance is said once. */
const distinct = (notes: readonly Note[]): Note[] => [
  ...new Map(notes.map((note) => [JSON.stringify(note), note])).values(),
]

/** What the schedule says, and what is under way. */
function decideDue(question: Question, restores: Restores): Plan {
  const { coverages, world, ledger, now, installation, explain = false } = question
  const thaws = planThaws(world, ledger, restores.withheld, now)
  const withheld = new Map([...thaws.withheld, ...restores.withheld])
  const sorter = createSorter(now)
  const slots = coverages.map((coverage) => planSlot(coverage, question, withheld))
  const taking = slots.flatMap(({ actions }) => actions)
  const covered = coverages.flatMap((coverage) => coverage.covered)
  const doubtful = [
    ...world.incomplete,
    ...world.unseen,
    ...slots.flatMap(({ plan }) => doubtfulIn(plan.policy, plan.ledger)),
  ]
  const incomplete = new Set(doubtful)
  const sure = { ...world, incomplete }
  const copies = planCopies(covered, { world: sure, ledger, now, sorter, installation, withheld })
  const failing = new Set(
    slots.flatMap(({ plan }) => [...plan.failed, ...plan.waiting]).map(({ instance }) => instance),
  )
  const rails = { sorter, copies, failing, withheld, incomplete }
  const resting = { ...rails, copies: { ...copies, blocked: withoutStarting(copies) } }
  const expiring = slots.map(({ coverage, plan }) =>
    planExpire(coverage, plan.ledger, rails, { due: plan.ledger.open !== null, explain }),
  )
  return {
    at: now.toISOString(),
    actions: [
      ...restores.actions,
      ...thaws.actions,
      ...taking,
      ...slots.flatMap(({ coverage, partials }) =>
        partials.filter((partial) => mayClear(partial, coverage, resting, taking)),
      ),
      ...expiring.flatMap(({ actions }) => actions),
      ...copies.actions,
    ],
    notes: [
      ...restores.notes,
      ...thaws.notes,
      ...coverages.flatMap(notesOf),
      ...(explain ? slots.flatMap(({ plan }) => waitingNotes(plan)) : []),
      ...expiring.flatMap(({ notes }) => notes),
      ...copies.notes,
    ],
    slots: slots.map(({ plan }) => plan),
    copies: copies.plans,
    restores: restores.ledgers,
    frozen: thaws.ledgers,
    wake: [
      ...restores.wake,
      ...copies.wake,
      ...slots.flatMap(({ wake }) => wake),
      ...(taking.length > 0 && coverages.some(({ policy }) => policy.copy !== null)
        ? [minutesFrom(now, 1)]
        : []),
      ...coverages.flatMap((coverage) => wakeForUnseen(coverage, now)),
    ],
    asked: false,
    refusal: null,
    approval: 'self',
  }
}

/** A copy that starts in this run begins after what is removed in it. */
function withoutStarting({ actions, blocked }: Copies): Map<string, string> {
  const starting = new Set(
    actions.flatMap((action) => (action.kind === 'copy' ? [instanceKey(action.source)] : [])),
  )
  return new Map([...blocked].filter(([key]) => !starting.has(key)))
}

/** For whoever looks at a plan before anything is done: what comes soon is part of it. */
const waitingNotes = ({ policy, waiting, ledger }: SlotPlan): Note[] =>
  waiting.map(({ instance, until }) => ({
    kind: 'wait',
    about: instance,
    reason: `${policy} takes its snapshot of slot ${ledger.open?.slot ?? ''} at ${until}`,
  }))

/** A source that can't be read may have copies under way, or due: they are not left to the next slot. */
function wakeForUnseen({ policy, covered, unreadable }: Coverage, now: Date): string[] {
  const unseen = unreadable.length > 0 || covered.some(({ record }) => record.snapshots === null)
  return unseen && policy.copy !== null && !policy.paused ? [minutesFrom(now, 1)] : []
}

const notesOf = ({ skipped, problems, warnings, unreadable }: Coverage): Note[] => [
  ...[...problems, ...warnings].map(({ about, reason }): Note => ({ kind: 'problem', about, reason })),
  ...unreadable.map(({ key, reason }): Note => ({ kind: 'problem', about: key, reason })),
  ...skipped.map(({ key, reason }): Note => ({ kind: 'skip', about: key, reason })),
]
