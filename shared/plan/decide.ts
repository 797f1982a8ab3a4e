/** Decides: from configuration, observation, ledger and time to a plan, each line with its reason. */
import type { Ledger } from '../ledger/ledger.ts'
import type { Work } from '../ledger/work.ts'
import { watchSchedules } from '../own-schedule/watch.ts'
import type { Coverage } from '../policy/cover.ts'
import { witness } from '../promise/witness.ts'
import { createSorter } from '../retention/sorter.ts'
import { type Kind, STAGES, type Stage } from '../work/kind.ts'
import { type Action, KINDS } from '../work/kinds.ts'
import { clockProblems } from './clocks.ts'
import type { PlanContext, PlanInput } from './context.ts'
import { type Found, gather } from './finding.ts'
import type { Note, Plan } from './plan.ts'
import { isLook, narrow } from './request.ts'
import { decideRequested } from './requested.ts'
import { refuseScope } from './scope.ts'
import { rememberSight } from './sight.ts'

export function decide(input: PlanInput): Plan<Action> {
  const plan = decideAll(input)
  const { coverages, world, ledger, now } = input
  const clocks = clockProblems(coverages, world, now)
  const sight = rememberSight(ledger.sight, coverages, { ...plan, clocks }, world, now)
  const wrong = clocks.map(({ about, reason }): Note => ({ kind: 'problem', about, reason }))
  const work = known(ledger.work, plan.work)
  const watched = watchSchedules(world, ledger.incus, now)
  return {
    ...plan,
    notes: distinct([...plan.notes, ...wrong, ...sight.notes]),
    sight: sight.ledger,
    wake: [...plan.wake, ...watched.wake],
    incus: watched.incus,
    facts: witness(
      { coverages, world, ledger: { ...ledger, work }, before: input.facts ?? null, sorted: plan.sorted },
      now,
    ),
  }
}

/** With what this run has learned. */
const known = (work: Ledger['work'], plan: Plan['work']): Ledger['work'] =>
  Object.fromEntries(
    Object.entries({ ...work, ...plan }).filter((entry): entry is [string, Work] => entry[1] !== null),
  )

function decideAll(input: PlanInput): Plan<Action> {
  const sorter = createSorter(input.now)
  const inProgress = planStages(['in progress'], { ...input, sorter }, gather([]))
  const context = { ...input, sorter, coverages: stillHeld(input.coverages, inProgress) }
  const { request, coverages, world } = context
  if (request === undefined) return decideDue(context, inProgress)
  if (!isLook(request)) return decideRequested({ ...context, request }, inProgress)
  const refusal = refuseScope(request, coverages, world)
  const seen = decideDue({ ...context, coverages: narrow(coverages, request) }, inProgress)
  return refusal === null ? seen : { ...seen, actions: [], notes: [], refusal }
}

/** Adds the holds that a restore has removed with the instance's config and not set again yet. */
function stillHeld(coverages: readonly Coverage[], { held }: Found): readonly Coverage[] {
  if (held.size === 0) return coverages
  return coverages.map((coverage) => ({
    ...coverage,
    covered: coverage.covered.map((one) => {
      const lost = held.get(one.key)
      return lost === undefined ? one : { ...one, held: new Set([...one.held, ...lost]) }
    }),
  }))
}

/** Problems of the same remote or instance from several policies are reported once. */
const distinct = (notes: readonly Note[]): Note[] => [
  ...new Map(notes.map((note) => [JSON.stringify(note), note])).values(),
]

/** Each kind plans in its stage, with the findings of the stages before. */
const planStages = (stages: readonly Stage[], context: PlanContext, before: Found): Found =>
  stages.reduce((found, stage) => {
    const planning = KINDS.flatMap(({ schedule }) => schedule ?? []).filter((one) => one.stage === stage)
    return planning.length === 0
      ? found
      : gather([found, ...planning.map(({ plan }) => plan(context, found))])
  }, before)

/** What earlier work has left comes before what the schedule says. */
const EARLY: readonly Stage[] = ['in progress', 'ready']
const LATER = STAGES.filter((stage) => !EARLY.includes(stage))

/** What is due by schedule, and what is in progress. */
function decideDue(context: PlanContext, inProgress: Found): Plan<Action> {
  const early = planStages(['ready'], context, inProgress)
  const found = planStages(LATER, context, early)
  return {
    at: context.now.toISOString(),
    actions: inOrder(found),
    // What earlier work has left comes first, because lists are cut at their end.
    notes: [...early.notes, ...context.coverages.flatMap(notesOf), ...found.notes.slice(early.notes.length)],
    slots: [...found.slots],
    work: { ...found.work },
    frozen: { ...found.frozen },
    braked: found.braked,
    stalled: found.stalled,
    allowed: found.allowed,
    sorted: found.sorted,
    wake: [...found.wake],
    requested: false,
    refusal: null,
    approval: 'self',
  }
}

/** As the kinds are listed, whenever they planned. */
const inOrder = ({ actions }: Found): Action[] =>
  KINDS.flatMap(({ verbs }: Kind) => actions.filter(({ kind }) => Object.hasOwn(verbs, kind))) as Action[]

const notesOf = ({ skipped, roles, problems, warnings, unreadable }: Coverage): Note[] => [
  ...[...roles, ...problems, ...warnings].map(
    ({ about, reason }): Note => ({ kind: 'problem', about, reason }),
  ),
  ...unreadable.map(({ key, reason }): Note => ({ kind: 'problem', about: key, reason })),
  ...skipped.map(({ key, reason }): Note => ({ kind: 'skip', about: key, reason })),
]
