/** Every policy over everything that was observed: what decide() works from. */

import { refuseSnapshots } from '../incus/project-rules.ts'
import { subjectKey } from '../incus/subject.ts'
import { own } from '../own.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import { coversBuckets, forBucket, plainKeys, unreadyOf } from './buckets.ts'
import { contradictionsIn } from './contradictions.ts'
import type { Coverage, Covered } from './cover.ts'
import { hookWarnings } from './hooks.ts'
import { lockWarnings } from './locks.ts'
import { holdsOf } from './marks.ts'
import { type Effective, merge, unmerged } from './merge.ts'
import { leftOverWarning, misplacedProblem, promotedWarnings } from './misplaced.ts'
import { targetOf } from './places.ts'
import type { Config, Policy } from './policy.ts'
import { roleProblems } from './roles.ts'
import { type Candidate, type Observed, observe, type Selection, selectInstances } from './select.ts'
import { sharedCopyWarnings } from './shared-copies.ts'
import { describeSkip } from './skip.ts'
import { groupsIn, heldTogether, strangersIn } from './together.ts'
import { withUnknownVolumes } from './unknown-volumes.ts'
import { unmatchedOf } from './unmatched.ts'
import { coveredUses, coversVolumes, forVolume, isVolume, unexported } from './volumes.ts'

/** A coverage that also knows where each merged value comes from. */
export type TracedCoverage = Coverage & {
  covered: (Covered & Pick<Effective, 'from'>)[]
  /** Warnings for whoever applies the policy, not for each run. */
  remarks: string[]
}

/** One coverage per policy, in the document's order; an override's problem is in the first that can reach it. */
export function coverInstances(
  { policies }: Config,
  replies: Readonly<Record<string, RemoteReply>>,
): TracedCoverage[] {
  const remotes = new Map<string, Observed>()
  for (const remote of policies.flatMap(({ select }) => select.remotes)) {
    const reply = remotes.has(remote) ? undefined : own(replies, remote)
    if (reply?.ok === true) remotes.set(remote, observe(remote, reply.inventory, policies))
  }
  const seenRemotes = new Set<string>()
  const all = policies.map((policy) => ({ policy, ...selectInstances(policy, remotes) }))
  const places = copyPlaces(all)
  const selections = all.map((each) => withoutCopies(each, places))
  const astray = selections.map((selection) => misplacedIn(selection, policies))
  const promoted = promotedWarnings(policies, replies, new Set(astray.flat().map(({ about }) => about)))
  const uses = coveredUses(selections.map(({ selected }) => selected))
  const coverages = selections.map((selection, index): TracedCoverage => {
    const { policy, selected, skipped, absent } = selection
    const misplaced = astray[index] ?? []
    const unmatched = unmatchedOf(policy, selection, remotes)
    const base = unmerged(policy)
    const fresh = policy.select.remotes.filter((remote) => !seenRemotes.has(remote))
    for (const remote of fresh) seenRemotes.add(remote)
    const projects = absent.map(({ remote, project }) => ({
      about: `${remote}/${project}`,
      reason: `there is no project "${project}" on ${remote}, or the relay's certificate may not see it: policy ${policy.name} covers nothing there`,
    }))
    const wanted = selected.map((candidate) => covered(candidate, base, remotes.get(candidate.ref.remote)))
    const each = wanted.map((one) => (isVolume(one.record) ? forVolume(one) : one))
    const buckets = selection.buckets.map((candidate) =>
      forBucket(covered(candidate, base, remotes.get(candidate.ref.remote))),
    )
    const taken = heldTogether({ policy, covered: withUnknownVolumes({ policy, covered: each }, replies) })
    return {
      policy,
      covered: taken,
      ...(buckets.length === 0 ? {} : { buckets }),
      skipped: skipped
        .filter(({ candidate }) => !misplaced.some(({ about }) => about === candidate.key))
        .map(({ candidate, reason }) => ({ key: candidate.key, reason: describeSkip(reason) })),
      roles: roleProblems(policy, replies),
      problems: [
        ...projects,
        ...misplaced,
        ...barredProjects(taken),
        ...unreadyOf(buckets, replies),
        ...fresh.flatMap((remote) => [
          ...(remotes.get(remote)?.unusable ?? []).map((reason) => ({ about: remote, reason })),
          ...overrideProblems(remotes.get(remote)),
          ...offlineProblems(remote, remotes.get(remote)),
        ]),
      ],
      unreadable: policy.select.remotes.flatMap((remote) => unreadable(policy, remote, own(replies, remote))),
      warnings: [
        ...(index === 0 ? promoted : []),
        ...fresh.flatMap((remote) =>
          (remotes.get(remote)?.leftovers ?? []).map((reason) => ({ about: remote, reason })),
        ),
        ...taken.flatMap(({ ref, record }) => leftOverWarning(ref, record) ?? []),
        ...contradictionsIn(policy, taken, uses),
        ...wanted.flatMap((one) => unexported(one, policy)),
        ...lockWarnings(policy, replies),
        ...hookWarnings(policy, taken, replies),
        ...plainKeys(policy, buckets, replies),
        ...groupsIn({ policy, covered: taken }).flatMap(strangersIn),
        ...unmatched.warnings.map((reason) => ({ about: `policy ${policy.name}`, reason })),
      ],
      remarks: unmatched.remarks,
    }
  })
  const shared = sharedCopyWarnings(coverages)
  return coverages.map((one) => {
    const more = shared.filter(({ policy }) => policy === one.policy.name)
    const told = more.map(({ about, reason }) => ({ about, reason }))
    return more.length === 0 ? one : { ...one, warnings: [...one.warnings, ...told] }
  })
}

const misplacedIn = ({ skipped }: Selection, policies: readonly Policy[]): Coverage['problems'] =>
  skipped.flatMap(({ candidate, reason }) =>
    reason.kind === 'replica' ? (misplacedProblem(candidate.ref, candidate.record, policies) ?? []) : [],
  )

type Selected = Selection & { policy: Policy }

/** Where the policies' copies are put, with the keys of their sources; only computed where an instance is offline. */
function copyPlaces(all: readonly Selected[]): Map<string, string> {
  const places = new Map<string, string>()
  if (!all.some(({ selected }) => selected.some(({ record }) => record.offline === true))) return places
  for (const { policy, selected } of all) {
    const { copy } = policy
    if (copy === null) continue
    for (const { ref, key } of selected) {
      places.set(subjectKey(targetOf(ref, copy)), key)
    }
  }
  return places
}

/** The mark of an offline copy isn't known, but its place is. */
function withoutCopies(selection: Selected, places: ReadonlyMap<string, string>): Selected {
  const { selected, skipped } = selection
  const ofOffline = ({ key, record }: Candidate) => (record.offline === true ? places.get(key) : undefined)
  const copies = selected.flatMap((candidate): Selection['skipped'] => {
    const of = ofOffline(candidate)
    return of === undefined ? [] : [{ candidate, reason: { kind: 'offline-replica', of } }]
  })
  if (copies.length === 0) return selection
  const others = selected.filter((candidate) => ofOffline(candidate) === undefined)
  return { ...selection, selected: others, skipped: [...skipped, ...copies] }
}

function covered(
  { ref, key, record, overrides }: Candidate,
  base: Effective,
  observed: Observed | undefined,
): TracedCoverage['covered'][number] {
  const barred = refuseSnapshots(ref.project, own(observed?.rules, ref.project))
  return { ref, key, record, barred, held: holdsOf(record), ...merge(base, overrides) }
}

/** Reported once for each project, before anything is tried. */
function barredProjects(covered: readonly Covered[]): Coverage['problems'] {
  const problems = new Map<string, string>()
  for (const { ref, barred } of covered)
    if (barred !== null) problems.set(`${ref.remote}/${ref.project}`, barred)
  return [...problems].map(([about, reason]) => ({ about, reason }))
}

const overrideProblems = (observed: Observed | undefined): Coverage['problems'] =>
  (observed?.candidates ?? []).flatMap(({ key, overrides }) =>
    (overrides?.problems ?? []).map(({ message }) => ({ about: key, reason: message })),
  )

/**
 * One for each member that is away, and for each instance with keys that are too long: also of instances that only
 * their own keys would put under a policy.
 */
function offlineProblems(remote: string, observed: Observed | undefined): Coverage['problems'] {
  const unread = (observed?.candidates ?? []).filter(({ record }) => record.offline === true)
  const away = unread.filter(({ record }) => record.oversized !== true)
  const oversized = unread.flatMap(({ key, record }) =>
    record.oversized === true
      ? [{ about: key, reason: `${record.problem}; until then stapes leaves it alone` }]
      : [],
  )
  const members = new Set(away.map(({ record }) => record.location))
  const silent = [...members].map((member) => ({
    about: `${remote}, member ${member}`,
    reason: `it gives no answer, so stapes leaves these alone until it is back: ${listed(away.filter(({ record }) => record.location === member))}`,
  }))
  return [...silent, ...oversized]
}

const NAMED = 5

function listed(candidates: readonly Candidate[]): string {
  const names = candidates.slice(0, NAMED).map(({ key }) => key)
  const more = candidates.length - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}

/** A remote also counts as such where custom volumes or buckets that the policy may cover aren't known. */
function unreadable(
  { select }: Policy,
  remote: string,
  reply: RemoteReply | undefined,
): Coverage['unreadable'] {
  if (reply?.ok === true) {
    const { unlisted = [], bucketless = [] } = reply.inventory
    const [why] = [...(coversVolumes(select) ? unlisted : []), ...(coversBuckets(select) ? bucketless : [])]
    return why === undefined ? [] : [{ key: `remote:${remote}`, reason: why }]
  }
  const reason = reply === undefined ? 'the relay gave no answer for it' : reply.error.message
  return [{ key: `remote:${remote}`, reason }]
}
