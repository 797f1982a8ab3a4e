/** Plans the next step of checks that have not ended, by what the relay reports. */
import { describe } from '../../incus/refusal.ts'
import { instanceOf } from '../../incus/subject.ts'
import { kindIn, subjectIn, targetIn } from '../../ledger/work.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import type { JobReport } from '../../relay/protocol.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { CORRUPT, MISSING } from '../export/manifest.ts'
import { ended, failedTry, isDue, isLive, isPending, liveText, retryText, seenRunning } from '../life.ts'
import type { CheckAction } from './action.ts'
import { CHECK, type CheckWork, checkIn, checkKey } from './entry.ts'
import { jobOf } from './steps.ts'
import { RETRY } from './tries.ts'

export const planChecks = ({ world, ledger, now }: PlanContext): Finding =>
  combine(
    Object.keys(ledger.work)
      .filter((work) => kindIn(work) === CHECK)
      .map((work) => {
        const key = subjectIn(work)
        const entry = checkIn(ledger, key, targetIn(work))
        if (entry === undefined || !isPending(entry)) return {}
        const report = world.jobs.find(({ id }) => id === entry.job) ?? null
        return stepOn(key, entry, report, now)
      }),
  )

const saying = (kind: Note['kind'], key: string, entry: CheckWork, reason: string): Finding => ({
  work: { [checkKey(key, entry.store)]: entry },
  notes: [{ kind, about: key, reason }],
})

function stepOn(key: string, entry: CheckWork, report: JobReport | null, now: Date): Finding {
  const soon = { wake: [minutesFrom(now, 1)] }
  const what = `its ${entry.name === undefined ? 'newest export' : `export ${entry.name}`} in ${entry.store}`
  if (report !== null && isLive(report))
    return combine([
      soon,
      saying(
        'wait',
        key,
        seenRunning(entry, { id: report.id }, now),
        liveText(`the check of ${what}`, report),
      ),
    ])
  if (report?.state === 'done') {
    const { reason: _, ...rest } = entry
    return saying('keep', key, ended(rest, 'done', now), `${what} is what was stored`)
  }
  const error = report?.error
  if (error?.code === 'export' && error.status === CORRUPT)
    return giveUp(
      key,
      { ...entry, corrupt: true },
      `${what} is not what was stored: ${error.message}; make it anew, and look at that store`,
      now,
    )
  if (error?.code === 'export' && error.status === MISSING)
    return giveUp(
      key,
      entry,
      `${error.message}: /backup exports ${instanceOf(key).instance} lists those that there are`,
      now,
    )
  return combine([
    soon,
    tryAgain(key, entry, error === undefined ? RESTARTED : describe(error), error?.code === 'cancelled', now),
  ])
}

const RESTARTED = 'the relay was restarted'

const giveUp = (key: string, entry: CheckWork, reason: string, now: Date): Finding =>
  saying('problem', key, ended({ ...entry, reason }, 'failed', now), reason)

function tryAgain(key: string, before: CheckWork, why: string, isCancelled: boolean, now: Date): Finding {
  const failure = { state: 'failed', reason: why, now, permanent: isCancelled } as const
  const entry = before.retryAt === undefined ? failedTry(before, failure, RETRY) : before
  if (entry.state === 'failed') return giveUp(key, entry, `it could not be checked: ${entry.reason}`, now)
  if (!isDue(entry, now)) return saying('wait', key, entry, retryText(entry))
  const { retryAt: _, ...rest } = entry
  const job = jobOf({ key, store: entry.store }, entry.at, entry.attempts)
  const action: CheckAction = {
    ...{ kind: 'check', ref: instanceOf(key), store: entry.store, name: entry.name ?? null, job },
    reason: `try ${entry.attempts + 1}: ${entry.reason ?? ''}`,
  }
  return { work: { [checkKey(key, entry.store)]: { ...rest, state: 'started', job } }, actions: [action] }
}
