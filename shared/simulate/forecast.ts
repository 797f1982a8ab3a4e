/**
 * What a configuration would keep and remove: of what exists, what goes when and why, and how many snapshots there are
 * later. All instances are simulated together until their next slots are over, and then as many as can be, one by
 * one, over the whole time; the answer says where it ends.
 */
import type { InstanceRecord } from '../incus/inventory.ts'
import { pathOf, subjectKey } from '../incus/subject.ts'
import { type World, worldOf } from '../plan/world.ts'
import type { Coverage, Covered } from '../policy/cover.ts'
import { coverInstances } from '../policy/coverage.ts'
import { compilePaths } from '../policy/glob.ts'
import { effectiveConfig } from '../policy/pause.ts'
import { targetOf } from '../policy/places.ts'
import { usersIn } from '../policy/volumes.ts'
import type { InventoryReply } from '../relay/protocol.ts'
import { nextSlot } from '../schedule/slots.ts'
import { type Beginning, beginCourse, type Course } from './course.ts'
import { foreseeExports, type Stored } from './exports.ts'
import type { Gone } from './ideal-incus.ts'
import { type Counts, countsIn, type Removal, removalsIn } from './removals.ts'

export type Asked = {
  /** Only what this policy covers. */
  policy?: string | undefined
  /** A glob over `instance`, `project/instance` or `remote/project/instance`. */
  subject?: string | undefined
  /** How far ahead. */
  days: number
  /** How much may be computed: an instance with few snapshots in one decision is one (see course.ts). */
  effort: number
}

export type SubjectForecast = {
  subject: string
  policies: string[]
  /** Simulated until then (ISO 8601). */
  until: string
  /** Of the snapshots that exist, on the instance and its copies. */
  removals: Removal[]
  /** What the brake would hold back. */
  braked: { at: string; reason: string; snapshots: string[] }[]
  /** Some goes days later than retention says, because the relay leaves half of what there was within a day. */
  paced: boolean
  counts: Counts[]
}

export type Forecast = {
  at: string
  /** How far it was asked for (ISO 8601). */
  until: string
  /** What was not simulated as far as that, with what to do; null: everything was. */
  cut: string | null
  subjects: SubjectForecast[]
  /** What could not be observed, so that nothing is known of it. */
  unseen: string[]
}

/** `places`: its key, and those of its copies. */
type Subject = { key: string; covering: readonly Covered[]; places: readonly string[] }

const DAY = 86_400_000
/** Snapshots are counted after so many days. */
const AFTER = [0, 1, 7, 30, 365]
/** Of the effort, so much is for all instances together. */
const TOGETHER = 0.5
/** With less effort no further instance is begun. */
const LEAST = 300
/** Milliseconds after a slot in which its copies are made and verified. */
const AFTER_SLOT = 10 * 60_000

/** `exported`: what the stores have of the instances' exports; absent: nobody has looked. */
export function forecast(beginning: Beginning, asked: Asked, exported?: Stored): Forecast {
  const { now, stored, before, observed } = beginning
  const world = worldOf(observed)
  const { remotes } = world
  const coverages = coverInstances(effectiveConfig(stored, now), remotes)
  const subjects = subjectsOf(coveredBy(coverages), coveredBy(coverInstances(before, remotes)), asked)
  const horizon = new Date(now.getTime() + asked.days * DAY)
  const near = new Date(Math.min(horizon.getTime(), lastSlotOf(subjects, now)))
  const together = follow(subjects, near, asked.effort * TOGETHER, beginning)
  const found = new Map(together.subjects.map((one) => [one.subject, one]))
  let left = asked.effort - together.effort
  for (const one of inOrder(subjects)) {
    if (left < LEAST) break
    const alone = follow([one], horizon, left, beginning)
    left -= alone.effort
    for (const further of alone.subjects)
      if (further.until >= (found.get(one.key)?.until ?? '')) found.set(one.key, further)
  }
  const all = subjects.flatMap(({ key, covering }) => {
    const one = found.get(key)
    if (one === undefined || exported === undefined) return one ?? []
    const known = { world, ledger: beginning.ledger, installation: beginning.installation, now }
    const exports = foreseeExports(covering, one.until, { ...known, stored: exported })
    return {
      ...one,
      removals: [...one.removals, ...exports.removals],
      braked: [...one.braked, ...exports.braked],
    }
  })
  return {
    at: now.toISOString(),
    until: horizon.toISOString(),
    cut: cutOf(all, horizon),
    subjects: all,
    unseen: coverages.flatMap(({ unreadable }) => unreadable.map(({ key, reason }) => `${key}: ${reason}`)),
  }
}

type ByKey = ReadonlyMap<string, readonly Covered[]>

function coveredBy(coverages: readonly Coverage[]): ByKey {
  const all = new Map<string, Covered[]>()
  for (const one of coverages.flatMap(({ covered }) => covered)) {
    const known = all.get(one.key)
    if (known === undefined) all.set(one.key, [one])
    else known.push(one)
  }
  return all
}

/** Also what is no longer covered, and copies that are no longer made: Incus still expires what they have. */
function subjectsOf(covered: ByKey, before: ByKey, { policy, subject }: Asked): Subject[] {
  const named = subject === undefined ? () => true : compilePaths([subject])
  return [...new Set([...covered.keys(), ...before.keys()])]
    .filter((key) => named(pathOf(key)))
    .sort()
    .flatMap((key) => {
      const covering = covered.get(key) ?? []
      const all = [...covering, ...(before.get(key) ?? [])]
      const isAsked = policy === undefined || all.some((one) => one.policy.name === policy)
      return isAsked ? [{ key, covering, places: [key, ...copiesOf(all)] }] : []
    })
}

const copiesOf = (covering: readonly Covered[]): string[] => [
  ...new Set(
    covering.flatMap(({ ref, policy: { copy } }) => (copy === null ? [] : [subjectKey(targetOf(ref, copy))])),
  ),
]

/** When the next slot of each policy is over (milliseconds). */
function lastSlotOf(subjects: readonly Subject[], now: Date): number {
  const policies = new Map(
    subjects.flatMap(({ covering }) => covering.map(({ policy }) => [policy.name, policy] as const)),
  )
  const ends = [...policies.values()].map((policy) => {
    const next = policy.paused ? null : nextSlot({ ...policy, after: now })
    return next === null ? 0 : next.getTime() + policy.jitter * 1000
  })
  return Math.max(now.getTime(), ...ends) + AFTER_SLOT
}

/** First one for each set of policies, the one with the most snapshots. */
function inOrder(subjects: readonly Subject[]): Subject[] {
  const kindOf = ({ covering }: Subject): string => covering.map(({ policy }) => policy.name).join(' ')
  const sizeOf = ({ covering }: Subject): number => covering[0]?.record.snapshots?.length ?? 0
  const bySize = subjects.toSorted((a, b) => sizeOf(b) - sizeOf(a))
  const first = new Set(new Map(bySize.toReversed().map((one) => [kindOf(one), one])).values())
  return [...first, ...bySize.filter((one) => !first.has(one))]
}

type Followed = { subjects: SubjectForecast[]; effort: number }

function follow(subjects: readonly Subject[], to: Date, effort: number, beginning: Beginning): Followed {
  if (subjects.length === 0) return { subjects: [], effort: 0 }
  const { now } = beginning
  const observed = only(beginning.observed, subjects)
  const course = beginCourse({ ...beginning, observed })
  const moments = AFTER.map((days) => new Date(now.getTime() + days * DAY)).filter((moment) => moment < to)
  const counts = new Map(subjects.map(({ key }) => [key, [] as Counts[]]))
  let left = effort
  for (const moment of [...moments, to]) {
    left -= course.advance(moment, left)
    if (course.until() < moment) break
    for (const { key, places } of subjects) counts.get(key)?.push(countsIn(course.incus, places, moment))
  }
  const seen = { world: worldOf(observed), gone: byInstance(course), now }
  return {
    subjects: subjects.map((one) => forecastOf(one, course, counts.get(one.key) ?? [], seen)),
    effort: effort - left,
  }
}

function byInstance({ incus }: Course): Map<string, Gone[]> {
  const all = new Map<string, Gone[]>()
  for (const one of incus.gone()) {
    const known = all.get(one.of)
    if (known === undefined) all.set(one.of, [one])
    else known.push(one)
  }
  return all
}

function forecastOf(
  { key, covering, places }: Subject,
  course: Course,
  counts: Counts[],
  { gone, world, now }: { gone: ReadonlyMap<string, Gone[]>; world: World; now: Date },
): SubjectForecast {
  const braked = [...course.braked].filter(([held]) => places.includes(held.split(/[ >]/).at(-1) ?? ''))
  return {
    subject: key,
    policies: covering.map(({ policy }) => policy.name),
    until: course.until().toISOString(),
    removals: removalsIn(gone, { places, covering, world, now }),
    braked: braked.map(([, { at, ...rest }]) => ({ at: at.toISOString(), ...rest })),
    paced: places.some((place) => course.incus.paced.has(place)),
    counts,
  }
}

/** As if there were only these, their copies, and the instances by which volumes are covered. */
function only(observed: InventoryReply, subjects: readonly Subject[]): InventoryReply {
  const places = new Set(subjects.flatMap((one) => one.places))
  const remotes = Object.entries(observed.remotes).map(([remote, answer]) => {
    if (!answer.ok) return [remote, answer] as const
    const keyOf = ({ project, name }: InstanceRecord) => subjectKey({ remote, project, instance: name })
    const { instances: all } = answer.inventory
    const users = usersIn(all.filter((record) => places.has(keyOf(record))))
    const instances = all.filter(
      (record) => places.has(keyOf(record)) || users.has(`${record.project}/${record.name}`),
    )
    return [remote, { ok: true as const, inventory: { ...answer.inventory, instances } }] as const
  })
  return { ...observed, remotes: Object.fromEntries(remotes) }
}

function cutOf(subjects: readonly SubjectForecast[], horizon: Date): string | null {
  const short = subjects.filter(({ until }) => until < horizon.toISOString())
  if (short.length === 0) return null
  const [least = ''] = short.map(({ until }) => until).sort()
  return `${short.length} of ${subjects.length} instances are simulated only until ${least}, or a little longer, because a request may compute only so much; POST /api/simulate takes a "subject", and more "effort"`
}
