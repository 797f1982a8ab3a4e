/** The jobs of copies: a transfer, and its verification. */
import { subjectKey } from '../../incus/subject.ts'
import { familyOf, workKey } from '../../ledger/work.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { CopyCheck, Sending } from '../../relay/steps.ts'
import type { CopyAction, VerifyAction } from './action.ts'
import { COPY } from './entry.ts'
import { memoOf } from './memo.ts'

/** What the relay needs of a copy's action. */
export const sendingOf = (action: CopyAction): Sending => {
  const { source, target, transferMode, pool, member, first, startOver, unverified, transfer, owner } = action
  const { listed, unfinished, verified, lasting, mirrored, excludeOlder } = action
  const { sourceServer, inconsistent, extended } = action
  return {
    ...{ source, target, transferMode, pool, member, first, startOver, unverified, transfer, owner },
    ...{ listed, unfinished, verified, lasting, mirrored, excludeOlder },
    ...{ sourceServer, inconsistent, extended },
    ...(action.given === undefined ? {} : { given: action.given }),
  }
}

/** With what the relay read before it begins. */
export const checkedCopy = (action: CopyAction, { extended, verified }: CopyCheck): CopyAction => ({
  ...action,
  extended,
  verified,
})

export function copyJob(action: CopyAction): PlannedJob {
  const { job: id, key, source } = action
  const lock = subjectKey(source)
  const family = familyOf(workKey(COPY, key))
  const steps = [{ do: 'copy', ...sendingOf(action) } as const]
  // A snapshot that is being made when a transfer begins fails it.
  return {
    job: { id, family, lock, after: lock, detach: true, memo: memoOf(action), steps },
    parts: [action],
  }
}

export function verifyJob(action: VerifyAction): PlannedJob {
  const { key, source, target, marks, rest, expiries, restore, protect, owner, expire } = action
  const verify = {
    do: 'verify',
    source,
    target,
    marks,
    rest,
    expiries,
    restore,
    protect,
    owner,
  } as const
  return {
    // Its expiries on the source would conflict with a snapshot or an expiry in progress.
    job: {
      id: `verify ${key}`,
      after: subjectKey(source),
      steps: [verify, ...expire.map(({ ref, snapshot }) => ({ do: 'expire', ref, snapshot }) as const)],
    },
    parts: [action, ...expire],
  }
}
