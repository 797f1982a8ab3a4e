/** Every policy over everything that was observed: what decide() works from. */

import { own } from '../own.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import type { Coverage, Covered } from './cover.ts'
import { holdsOf } from './marks.ts'
import { type Effective, merge, unmerged } from './merge.ts'
import type { Config } from './policy.ts'
import { type Candidate, type Observed, observe, selectInstances } from './select.ts'
import { describeSkip } from './skip.ts'

/** A coverage that can also tell where each merged value comes from. */
export type TracedCoverage = Coverage & { covered: (Covered & Pick<Effective, 'from'>)[] }

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
  const told = new Set<string>()
  return policies.map((policy) => {
    const { selected, skipped, absent } = selectInstances(policy, remotes)
    const base = unmerged(policy)
    const fresh = policy.select.remotes.filter((remote) => !told.has(remote))
    for (const remote of fresh) told.add(remote)
    const projects = absent.map(({ remote, project }) => ({
      about: `${remote}/${project}`,
      reason: `there is no project "${project}" on ${remote}, or the relay's certificate may not see it: policy ${policy.name} takes nothing there`,
    }))
    return {
      policy,
      covered: selected.map((candidate) => covered(candidate, base)),
      skipped: skipped.map(({ candidate, reason }) => ({ key: candidate.key, reason: describeSkip(reason) })),
      problems: [
        ...projects,
        ...fresh.flatMap((remote) => [
          ...overrideProblems(remotes.get(remote)),
          ...offlineProblems(remote, remotes.get(remote)),
        ]),
      ],
      unreadable: policy.select.remotes.flatMap((remote) => unreadable(remote, own(replies, remote))),
    }
  })
}

function covered(
  { ref, key, record, overrides }: Candidate,
  base: Effective,
): TracedCoverage['covered'][number] {
  return { ref, key, record, held: holdsOf(record), ...merge(base, overrides) }
}

const overrideProblems = (observed: Observed | undefined): Coverage['problems'] =>
  (observed?.candidates ?? []).flatMap(({ key, overrides }) =>
    (overrides?.problems ?? []).map(({ message }) => ({ about: key, reason: message })),
  )

/** One for each member that is away: also of instances that only their own keys would put under a policy. */
function offlineProblems(remote: string, observed: Observed | undefined): Coverage['problems'] {
  const away = (observed?.candidates ?? []).filter(({ record }) => record.offline === true)
  const members = new Set(away.map(({ record }) => record.location))
  return [...members].map((member) => ({
    about: `${remote}, member ${member}`,
    reason: `it gives no answer: nothing is known of, and nothing done to, ${listed(away.filter(({ record }) => record.location === member))}, until it is back`,
  }))
}

const NAMED = 5

function listed(candidates: readonly Candidate[]): string {
  const names = candidates.slice(0, NAMED).map(({ ref }) => `${ref.project}/${ref.instance}`)
  const more = candidates.length - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}

function unreadable(remote: string, reply: RemoteReply | undefined): Coverage['unreadable'] {
  if (reply?.ok === true) return []
  const reason = reply === undefined ? 'the relay gave no answer for it' : reply.error.message
  return [{ key: `remote:${remote}`, reason }]
}
