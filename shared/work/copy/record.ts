/** What is noted of copies after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { kindIn, subjectIn, type Work, workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { Outcome } from '../../plan/jobs.ts'
import type { HoldAction } from '../hold/action.ts'
import type { Happened, Recorded } from '../kind.ts'
import { afterStart } from '../life.ts'
import type { CopyAction, VerifyAction } from './action.ts'
import { COPY, type CopyMemo, type CopyWork, copyIn } from './entry.ts'
import { renderVerified } from './marks.ts'
import { RETRY } from './retry.ts'

/** Outcomes are taken in their order: what one has changed, the next one finds. */
export function recordCopies(before: Ledger, { plan, outcomes, now }: Happened): Recorded {
  const known = { ...before.work, ...plan.work }
  const work: Record<string, Work | null> = {}
  for (const outcome of outcomes)
    Object.assign(work, entriesAfter(outcome as Outcome<Acted>, { ...known, ...work }, before, now))
  return { work }
}

type Acted = CopyAction | VerifyAction | HoldAction
type Entries = Readonly<Record<string, Work | null>>

function entriesAfter(outcome: Outcome<Acted>, known: Entries, before: Ledger, now: Date): Entries {
  const { action } = outcome
  if (action.kind === 'copy')
    return { [workKey(COPY, action.key)]: started(action, known, outcome, before, now) }
  if (outcome.state === 'done') return {}
  if (action.kind === 'verify') return unverified(action, known, before)
  return action.kind === 'hold' ? forgetPutOff(action, known) : {}
}

/** What isn't marked isn't verified: it is left as it was, so that the next tick verifies again. */
function unverified({ key }: VerifyAction, known: Entries, before: Ledger): Entries {
  const entry = copyIn(before, key) ?? known[workKey(COPY, key)]
  return entry == null ? {} : { [workKey(COPY, key)]: { ...entry, state: 'running' } }
}

/** It may still expire when Incus said, so the next run puts it off again. */
function forgetPutOff({ ref, snapshot }: HoldAction, known: Entries): Entries {
  const source = subjectKey(ref)
  const entries = Object.entries(known).flatMap(([key, entry]): [string, CopyWork][] => {
    if (entry === null || kindIn(key) !== COPY || subjectIn(key) !== source) return []
    const { putOff, ...rest } = entry as CopyWork
    return putOff?.snapshot === snapshot ? [[key, rest]] : []
  })
  return Object.fromEntries(entries)
}

/** What a success of its job vouches for. */
export const memoOf = ({ through, extended, stale, standstill }: CopyAction): CopyMemo => ({
  through,
  extended,
  ...(stale.length === 0 ? {} : { stale }),
  ...(standstill === null ? {} : { freezes: true }),
})

/** Where its answer was lost it was perhaps started: the next observation shows it running, or not. */
function started(
  action: CopyAction,
  entries: Entries,
  outcome: Outcome,
  before: Ledger,
  now: Date,
): CopyWork | null {
  const known = (own(entries, workKey(COPY, action.key)) ?? undefined) as CopyWork | undefined
  const planned: CopyWork = {
    state: 'started',
    // What was verified on a copy that isn't there any more is no backup.
    ...(action.first || known?.newest === undefined ? {} : { newest: known.newest }),
    ...(action.first ? {} : { verified: renderVerified(action.verified) }),
    ...(known?.took === undefined ? {} : { took: known.took }),
    ...(known?.putOff === undefined ? {} : { putOff: known.putOff }),
    job: action.job,
    memo: memoOf(action),
    attempts: known?.attempts ?? 0,
    at: now.toISOString(),
  }
  return afterStart(planned, copyIn(before, action.key), outcome, { now, policy: RETRY })
}
