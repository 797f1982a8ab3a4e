/** Records restores in the ledger after a run. */
import { describe } from '../../incus/refusal.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { Outcome } from '../../plan/jobs.ts'
import { isSafety } from '../../plan/safety.ts'
import { HOLD } from '../../policy/marks.ts'
import type { HoldAction, MarkAction } from '../hold/action.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { afterRefusal } from '../refused.ts'
import type { RestoreAction, StartAction, UndoAction } from './action.ts'
import { RESTORE, type RestoreWork, restoreIn } from './entry.ts'
import { RETRY } from './tries.ts'

export function recordRestores(before: Ledger, { plan, outcomes, now }: RunResult): Recorded {
  const noted = (key: string): RestoreWork | undefined =>
    (own(plan.work, workKey(RESTORE, key)) as RestoreWork | null | undefined) ?? restoreIn(before, key)
  const work = outcomes.flatMap((outcome) => {
    if (!isOurs(outcome)) return []
    const { key, entry } = entryAfter(outcome, noted, before, {
      requested: plan.requested,
      now,
    })
    return entry === undefined ? [] : [[workKey(RESTORE, key), entry] as const]
  })
  return { work: Object.fromEntries(work) }
}

type Acted = RestoreAction | StartAction | UndoAction | MarkAction | HoldAction

const isOurs = (outcome: Outcome): outcome is Outcome<Acted> =>
  ['restore', 'start', 'undo', 'mark', 'hold'].includes(outcome.action.kind)

/** Undefined: it stays as it is. */
function entryAfter(
  outcome: Outcome<Acted>,
  noted: (key: string) => RestoreWork | undefined,
  before: Ledger,
  { requested, now }: { requested: boolean; now: Date },
): { key: string; entry: RestoreWork | null | undefined } {
  const { action } = outcome
  const nothing = { key: '', entry: undefined }
  const key = subjectKey(action.ref)
  const entry = noted(key)
  if (entry === undefined) return nothing
  if (action.kind === 'mark') return { key, entry: forgotten(entry, outcome) }
  if (action.kind === 'hold') return { key, entry: keptAgain(entry, outcome) }
  if (outcome.state !== 'refused') return nothing
  if (action.kind !== 'restore') {
    // Why it doesn't start is reported after the last try.
    return { key, entry: entry.refused === true ? undefined : { ...entry, reason: describe(outcome.error) } }
  }
  const refusing = { requested, now, policy: RETRY, since: entry.marking ?? 0 }
  return { key, entry: afterRefusal(entry, restoreIn(before, key), outcome, refusing) }
}

/** It may still expire, so the next run postpones that again. */
function keptAgain(
  { keptAt, ...entry }: RestoreWork,
  { action, state }: Outcome<Acted>,
): RestoreWork | undefined {
  const isKept = keptAt !== undefined && isSafety((action as HoldAction).snapshot)
  return isKept && state !== 'done' ? entry : undefined
}

/** A hold that a restore had lost was set again or released, so it is removed from the entry. */
function forgotten(entry: RestoreWork, outcome: Outcome): RestoreWork | undefined {
  const { snapshot } = outcome.action as MarkAction
  const config = `${HOLD}${snapshot}`
  if (outcome.state !== 'done' || !(config in entry.holds)) return undefined
  const holds = Object.fromEntries(Object.entries(entry.holds).filter(([one]) => one !== config))
  return { ...entry, holds }
}
