/** Plans the next step of files that are being restored: by the relay's report, or by the marks on the instance. */
import type { InstanceRecord } from '../../incus/inventory.ts'
import { classify, describe, mayRetry } from '../../incus/refusal.ts'
import { instanceOf, remoteOf } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { keyIn, kindIn, workKey, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import { safetyExpiry } from '../../plan/safety.ts'
import type { World } from '../../plan/world.ts'
import { PUTTING } from '../../policy/marks.ts'
import type { JobReport } from '../../relay/protocol.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { ended, failedTry, isDue, isLive, liveText, reportOn, retryText, seenRunning } from '../life.ts'
import { safetyName, wholeSafeties } from '../restore/safety.ts'
import type { PutAction } from './action.ts'
import { isOver, PUT, type PutWork, putIn } from './entry.ts'
import { jobOf } from './steps.ts'
import { RETRY } from './tries.ts'

export const planPuts = ({ world, ledger, now }: PlanContext): Finding =>
  combine([...keysOf(world, ledger)].map((key) => findingOn(key, world, ledger, now)))

function keysOf({ jobs }: World, ledger: Ledger): Set<string> {
  const running = jobs.filter(isLive).flatMap(({ id }) => workOfJob(id) ?? [])
  return new Set([...Object.keys(ledger.work), ...running].filter((one) => kindIn(one) === PUT).map(keyIn))
}

const BUSY = 'files are being restored into it'

function findingOn(key: string, world: World, ledger: Ledger, now: Date): Finding {
  const entry = putIn(ledger, key)
  const report = reportOn(workKey(PUT, key), entry, world.jobs)
  const soon = { wake: [minutesFrom(now, 1)] }
  const busy: Finding = { busy: new Map([[key, BUSY]]), ...soon }
  // The ledger was lost: it ends by itself.
  if (entry === undefined) return report !== null && isLive(report) ? busy : {}
  if (isOver(entry)) return {}
  const next = stepOn({ key, entry, report }, world, now)
  const after = own(next.work, workKey(PUT, key)) ?? entry
  return isOver(after) ? next : combine([busy, neededBy(entry), next])
}

/** Nothing of what it is read from may go meanwhile. */
const neededBy = ({ from, snapshot }: PutWork): Finding => ({
  needed: new Map([[from, new Map([[snapshot, 'files of it are being restored']])]]),
})

type Known = { key: string; entry: PutWork; report: JobReport | null }

const saying = (kind: Note['kind'], key: string, entry: PutWork, reason: string): Finding => ({
  work: { [workKey(PUT, key)]: entry },
  notes: [{ kind, about: key, reason }],
})

/** How far it came: `all` is restored, a `part` may be, or nothing was changed. */
type Stage = 'all' | 'part' | 'nothing'

function stageOf({ own: keys, config }: InstanceRecord, { safety }: PutWork): Stage | null {
  const mark = keys.includes(PUTTING) ? (config[PUTTING] ?? '') : ''
  if (mark.startsWith(`${safety} `)) return 'part'
  return null
}

function stepOn({ key, entry, report }: Known, world: World, now: Date): Finding {
  if (report !== null && isLive(report))
    return saying('wait', key, seenRunning(entry, report, now), liveText('restoring files', report))
  // It says what is restored. One that a restarted relay has adopted doesn't: that was the safety snapshot at most.
  if (report?.state === 'done' && report.progress !== undefined)
    return endWell(key, entry, report.progress, now)
  const record = world.find(instanceOf(key))
  if (record === undefined)
    return own(world.remotes, remoteOf(key))?.ok === true
      ? giveUp(key, entry, 'the instance is gone', 'once that is mended, request it again', now)
      : saying('wait', key, entry, `whether ${entry.path} is restored could not be read`)
  const stage = stageOf(record, entry) ?? (wholeSafeties(record).includes(entry.safety) ? 'all' : 'nothing')
  return stage === 'all'
    ? endWell(key, entry, undefined, now)
    : tryAgain({ key, entry, report }, record, stage, now)
}

function endWell(key: string, { reason: _, ...entry }: PutWork, how: string | undefined, now: Date): Finding {
  const text = how === undefined ? '' : `: ${how}`
  const done = ended({ ...entry, ...(how === undefined ? {} : { reason: how }) }, 'done', now)
  return saying('keep', key, done, `${entry.path} of ${entry.snapshot} was restored${text}`)
}

function tryAgain(
  { key, entry: before, report }: Known,
  record: InstanceRecord,
  stage: Stage,
  now: Date,
): Finding {
  const error = report?.state === 'failed' ? report.error : undefined
  const why =
    error === undefined ? (report?.error?.message ?? 'the relay or Incus was restarted') : describe(error)
  const failure = {
    ...({ state: 'failed', reason: why, now } as const),
    permanent: error !== undefined && (error.code === 'bad-request' || !mayRetry(classify(error))),
  }
  const entry = before.retryAt === undefined ? failedTry(before, failure, RETRY) : before
  if (entry.state === 'failed')
    return giveUp(key, entry, entry.reason ?? '', leftOf(stage, entry, record), now)
  if (!isDue(entry, now)) return saying('wait', key, entry, retryText(entry))
  const action = actionOf(key, entry, record, stage, now)
  const { retryAt: _, ...rest } = entry
  return combine([
    { actions: [action] },
    {
      work: {
        [workKey(PUT, key)]: {
          ...rest,
          ...{ state: 'started', job: action.job, safety: action.safety.name, at: now.toISOString() },
        } satisfies PutWork,
      },
    },
  ])
}

/** A part that is restored needs the safety snapshot of before; what was never begun takes another name, for that one may be partial. */
function actionOf(key: string, entry: PutWork, record: InstanceRecord, stage: Stage, now: Date): PutAction {
  const { from, snapshot, path, attempts, reason } = entry
  const taken = stage === 'part'
  const name = taken ? entry.safety : safetyName(record, now)
  return {
    ...{ kind: 'put', ref: instanceOf(key), from: instanceOf(from), snapshot, path, standstill: null },
    safety: { name, expiresAt: safetyExpiry(now, now), taken },
    job: jobOf(key, name, attempts),
    reason: `try ${attempts + 1}: ${reason ?? ''}`,
  }
}

/** What there is now, and what can be done. */
function leftOf(stage: Stage, { safety }: PutWork, { snapshots }: InstanceRecord): string {
  if (stage !== 'part') return 'nothing was changed; once that is mended, request it again'
  const part = 'a part of it may be restored; the state before'
  if (snapshots === null)
    return `${part} was kept in ${safety}, and whether that is still there could not be read: request it again, or restore that`
  return snapshots.some(([name]) => name === safety)
    ? `${part} is in ${safety}: request it again, or restore that`
    : `${part} was kept in ${safety}, which is gone: request it again, or restore another snapshot`
}

function giveUp(key: string, entry: PutWork, why: string, left: string, now: Date): Finding {
  const { path, snapshot } = entry
  const reason = `${path} of ${snapshot} was not restored: ${why}; ${left}`
  return saying('problem', key, ended({ ...entry, reason }, 'failed', now), reason)
}
