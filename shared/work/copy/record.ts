/** Records copies in the ledger after a run. */
import { type InstanceRef, subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { kindIn, subjectIn, type Work, workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { Outcome } from '../../plan/jobs.ts'
import type { AnyAction } from '../../plan/plan.ts'
import type { HoldAction } from '../hold/action.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { afterStart, failedOf } from '../life.ts'
import { type ExpireAction, isExpire } from '../retention/action.ts'
import type { CopyAction, PermitAction, VerifyAction } from './action.ts'
import { COPY, type CopyWork, copyIn } from './entry.ts'
import { expiredIn, withExpired } from './expired.ts'
import { parseVerified, renderVerified } from './marks.ts'
import { memoOf } from './memo.ts'
import { RETRY } from './retry.ts'

/** Applies the outcomes in their order, each to the entry that the one before has changed. */
export function recordCopies(before: Ledger, { plan, outcomes, now }: RunResult): Recorded {
  const work = new Map<string, Work | null>()
  const known = (key: string): CopyWork | undefined => {
    const noted = work.get(key) ?? own(plan.work, key) ?? own(before.work, key)
    return (noted ?? undefined) as CopyWork | undefined
  }
  for (const outcome of outcomes) {
    const { action, state } = outcome
    if (isCopy(action)) {
      const key = workKey(COPY, action.key)
      work.set(key, started(action, known(key), outcome, before, now))
    } else if (isPermit(action)) {
      const key = workKey(COPY, action.key)
      const base = known(key) ?? { state: 'failed', attempts: 0, at: now.toISOString() }
      work.set(key, withExpired(base, action.snapshots))
    } else if (isVerify(action) && state !== 'done') {
      // What isn't marked isn't verified: it is left as it was, so that the next tick verifies again.
      const entry = copyIn(before, action.key) ?? known(workKey(COPY, action.key))
      if (entry !== undefined) work.set(workKey(COPY, action.key), { ...entry, state: 'running' })
    } else if (isExpire(action) && action.end === undefined && (state === 'done' || state === 'unknown')) {
      const keys = new Set([...Object.keys({ ...before.work, ...plan.work }), ...work.keys()])
      for (const [key, entry] of changed(action, keys, known, (one) => noteExpired(one, action)))
        work.set(key, entry)
    } else if (isHold(action) && state !== 'done') {
      const keys = new Set([...Object.keys({ ...before.work, ...plan.work }), ...work.keys()])
      for (const [key, entry] of changed(action, keys, known, (one) => forgetPutOff(one, action)))
        work.set(key, entry)
    }
  }
  return { work: Object.fromEntries(work) }
}

const isCopy = (action: AnyAction): action is CopyAction => action.kind === 'copy'
const isPermit = (action: AnyAction): action is PermitAction => action.kind === 'permit'
const isVerify = (action: AnyAction): action is VerifyAction => action.kind === 'verify'
const isHold = (action: AnyAction): action is HoldAction => action.kind === 'hold'

/** Entries of the source's copies, each changed where `change` gives another. */
function changed(
  { ref }: { ref: InstanceRef },
  keys: Iterable<string>,
  known: (key: string) => CopyWork | undefined,
  change: (entry: CopyWork) => CopyWork | null,
): [string, CopyWork][] {
  const source = subjectKey(ref)
  return [...keys].flatMap((key): [string, CopyWork][] => {
    const entry = kindIn(key) === COPY && subjectIn(key) === source ? known(key) : undefined
    const next = entry === undefined ? null : change(entry)
    return next === null ? [] : [[key, next]]
  })
}

/** A copy that has it verified may lose it with the next refresh. */
function noteExpired(entry: CopyWork, { snapshot }: ExpireAction): CopyWork | null {
  const pairs = parseVerified(entry.verified).filter(([name]) => name === snapshot)
  return pairs.length === 0 ? null : withExpired(entry, pairs)
}

/** It may still expire, so the next run postpones the expiry again. */
function forgetPutOff({ putOff, ...rest }: CopyWork, { snapshot }: HoldAction): CopyWork | null {
  return putOff?.snapshot === snapshot ? rest : null
}

/** What it removes on the copy had expired, also if it has to be tried again. */
function expiredBy({ verified, mirrored }: CopyAction, known: CopyWork | undefined) {
  const gone = new Set(mirrored)
  const before = renderVerified(verified.filter(([name]) => gone.has(name)))
  return expiredIn([known?.expired ?? '', before].join(' '), verified)
}

/** If its answer was lost it may have started: the next observation shows it. */
function started(
  action: CopyAction,
  known: CopyWork | undefined,
  outcome: Outcome,
  before: Ledger,
  now: Date,
): CopyWork | null {
  const planned: CopyWork = {
    state: 'started',
    // Snapshots that were verified on a copy which is gone are no backup.
    ...(action.first || known?.newest === undefined ? {} : { newest: known.newest }),
    ...(action.first ? {} : { verified: renderVerified(action.verified) }),
    ...(action.first ? {} : expiredBy(action, known)),
    ...(known?.least === undefined ? {} : { least: known.least }),
    ...(known?.took === undefined ? {} : { took: known.took }),
    ...(known?.putOff === undefined ? {} : { putOff: known.putOff }),
    job: action.job,
    memo: memoOf(action),
    ...failedOf(known),
    at: now.toISOString(),
  }
  return afterStart(planned, copyIn(before, action.key), outcome, { now, policy: RETRY })
}
