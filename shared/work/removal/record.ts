/** What became of removals, in the ledger after a run. */
import { describe } from '../../incus/refusal.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Work } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { Outcome } from '../../plan/jobs.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { isDrop, isRemoval } from './action.ts'
import { type RemovalWork, removalKey } from './entry.ts'

/** A note that was not made begins nothing; what its relay refuses for good is told. */
export function recordRemovals(before: Ledger, { plan, outcomes, now }: RunResult): Recorded {
  const work = new Map<string, Work | null>()
  const wake: string[] = []
  for (const outcome of outcomes) {
    const { action } = outcome
    if (!isDrop(action) && !isRemoval(action)) continue
    const key = removalKey(subjectKey(action.ref), action)
    const planned = own(plan.work, key) as RemovalWork | null | undefined
    if (planned == null) continue
    if (isRemoval(action)) {
      if (outcome.state === 'refused') work.set(key, own(before.work, key) ?? null)
      continue
    }
    const next = after(planned, outcome, now)
    work.set(key, next)
    if (next?.retryAt !== undefined) wake.push(next.retryAt)
  }
  return { work: Object.fromEntries(work), wake }
}

const HOUR = 3_600_000
/** Hours between two tries, at most. */
const LONGEST = 24

/** Null: it is gone. */
function after(entry: RemovalWork, outcome: Outcome, now: Date): RemovalWork | null {
  if (outcome.state === 'done') return null
  if (outcome.state !== 'refused') return entry
  const reason = describe(outcome.error)
  // By its rules for what is held, newest or too many: tomorrow that may be otherwise.
  const hours = Math.min(2 ** entry.refused, LONGEST)
  const retryAt = new Date(now.getTime() + hours * HOUR).toISOString()
  return { ...entry, reason, refused: entry.refused + 1, retryAt }
}
