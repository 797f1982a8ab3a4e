/** The facts after a run: what it took and verified is known without another look. */
import { newestPair } from '../incus/pairs.ts'
import { parseSnapshotName } from '../incus/snapshot-name.ts'
import { subjectKey } from '../incus/subject.ts'
import type { Outcome } from '../plan/jobs.ts'
import type { VerifyAction } from '../work/copy/action.ts'
import type { SnapshotAction } from '../work/snapshot/action.ts'
import { atPlace, type Fact, type Facts, isFresh, parsePair, renderPair } from './facts.ts'

export function withOutcomes(facts: Facts, outcomes: readonly Outcome[], now: Date): Facts {
  const done = outcomes.filter(({ state }) => state === 'done').map(({ action }) => action)
  const taken = done.filter((action): action is SnapshotAction => action.kind === 'snapshot')
  const verified = done.filter((action): action is VerifyAction => action.kind === 'verify')
  if (taken.length + verified.length === 0) return facts
  const subjects = new Map(
    Object.entries(facts.subjects).map(([policy, all]) => [policy, new Map(Object.entries(all))]),
  )
  const seconds = Math.floor(now.getTime() / 1000)
  // One on request serves no slot.
  for (const { policy, ref, name } of taken.filter(
    (one) => parseSnapshotName(one.name)?.policy === one.policy,
  ))
    change(subjects, policy, subjectKey(ref), ({ gone: _, goneAt: _at, ...fact }) => ({
      ...fact,
      taken: renderPair([name, seconds]),
    }))
  for (const action of verified)
    for (const policy of action.policies)
      change(subjects, policy, subjectKey(action.source), (fact) => withCopied(fact, action, now))
  const changed = [...subjects].map(([policy, all]) => [policy, Object.fromEntries(all)] as const)
  return { ...facts, subjects: Object.fromEntries(changed) }
}

function change(
  subjects: Map<string, Map<string, Fact>>,
  policy: string,
  key: string,
  to: (fact: Fact) => Fact,
): void {
  const facts = subjects.get(policy)
  const fact = facts?.get(key)
  if (fact !== undefined) facts?.set(key, to(fact))
}

function withCopied(known: Fact, { target, marks, expire }: VerifyAction, now: Date): Fact {
  const place = subjectKey(target)
  const fact = atPlace(known, place)
  const gone = new Set(expire.map(({ snapshot }) => snapshot))
  const newest = newestPair(marks.filter(([name]) => !gone.has(name)))
  const before = parsePair(fact.copied)
  if (newest === null || (before !== null && before[1] >= newest[1])) return fact
  const lost = parsePair(fact.lost)
  const { lost: _, lostAt: _at, ...rest } = fact
  const isTold = lost !== null && (lost[1] > newest[1] || isFresh(fact, now))
  return { ...(isTold ? fact : rest), place, copied: renderPair(newest) }
}
