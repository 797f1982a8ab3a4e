/**
 * New instances that are being made, until they are whole or gone again: by the ledger, the relay's jobs, or the mark on
 * them. Whatever was killed: what has the relay's mark and isn't whole is made anew or removed, and nothing else is.
 */

import type { InstanceRecord } from '../../incus/inventory.ts'
import { classify, describe, mayRetry } from '../../incus/refusal.ts'
import { type InstanceRef, instanceOf, subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { kindIn, subjectIn, workKey, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import { operationOn } from '../../plan/operations.ts'
import type { Note } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import { MAKING } from '../../policy/marks.ts'
import type { CallError, JobReport } from '../../relay/protocol.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { incusCommand } from '../../shell.ts'
import { ended, failedTry, isDue, isLive, liveText, reportOn, retryText, seenRunning } from '../life.ts'
import type { CloneAction, FinishAction, RemoveAction } from './action.ts'
import { CLONE, type CloneWork, cloneIn, isEnded } from './entry.ts'
import { type Making, parseMaking } from './mark.ts'
import { jobOf } from './steps.ts'
import { RETRY, STARTS } from './tries.ts'

export const planClones = ({ world, ledger, now }: PlanContext): Finding =>
  combine([...keysOf(world, ledger)].map((key) => findingOn(known(key, world, ledger), world, now)))

function keysOf({ remotes, jobs }: World, ledger: Ledger): Set<string> {
  const noted = [...Object.keys(ledger.work), ...jobs.flatMap(({ id }) => workOfJob(id) ?? [])]
  const keys = new Set(noted.filter((one) => kindIn(one) === CLONE).map(subjectIn))
  for (const [remote, reply] of Object.entries(remotes))
    for (const record of reply.ok ? reply.inventory.instances : [])
      if (markOn(record) !== '')
        keys.add(subjectKey({ remote, project: record.project, instance: record.name }))
  return keys
}

const markOn = ({ own: keys, config }: InstanceRecord): string =>
  keys.includes(MAKING) ? (config[MAKING] ?? '') : ''

type Known = {
  key: string
  ref: InstanceRef
  record: InstanceRecord | undefined
  /** By the relay's own mark on it. */
  making: Making | null
  report: JobReport | null
  entry: CloneWork | undefined
}

function known(key: string, world: World, ledger: Ledger): Known {
  const ref = instanceOf(key)
  const record = world.find(ref)
  const isOwn = record !== undefined && record.unsealed !== true
  const entry = cloneIn(ledger, key)
  const report = reportOn(workKey(CLONE, key), entry, world.jobs)
  return { key, ref, record, making: isOwn ? parseMaking(markOn(record)) : null, report, entry }
}

const noteOf = (kind: Note['kind'], about: string, reason: string): Finding => ({
  notes: [{ kind, about, reason }],
})

const entryOf = (key: string, entry: CloneWork): Finding => ({ work: { [workKey(CLONE, key)]: entry } })

function findingOn(one: Known, world: World, now: Date): Finding {
  const { key, ref, entry, record, making, report } = one
  const isPending = entry !== undefined && !isEnded(entry)
  const busy: Finding = {
    busy: new Map([[key, 'it is being made from a snapshot']]),
    ...(isPending ? { needed: neededBy(entry) } : {}),
    wake: [minutesFrom(now, 1)],
  }
  const wait = (reason: string): Finding =>
    combine([busy, noteOf('wait', key, `it is being made from a snapshot: ${reason}`)])
  if (report !== null && isLive(report))
    return combine([
      wait(liveText('that', report)),
      isPending ? entryOf(key, seenRunning(entry, { id: report.id }, now)) : {},
    ])
  if (!isPending && making === null) return strayOn(one)
  const reply = own(world.remotes, ref.remote)
  if (reply?.ok !== true)
    return wait(`${ref.remote} can't be queried${reply === undefined ? '' : `: ${reply.error.message}`}`)
  const operation = operationOn(world, key, reply.inventory.operations)
  if (operation !== null) return wait(`an operation runs on it: ${operation}`)
  if (making?.made === true) return combine([busy, finish(one, making, now)])
  if (!isPending) return combine([busy, remove(ref, 'it was left half made, and nothing makes it any more')])
  if (record !== undefined && making === null && markOn(record) !== '')
    return giveUp(
      key,
      entry,
      `${STRANGE}; if nobody uses it, on ${ref.remote}: ${incusCommand(ref.project, 'delete', ref.instance)}`,
      now,
    )
  if (record !== undefined && making === null) return afterwards(one, entry, record, now)
  if (record === undefined && report?.state === 'done') return endWell(key, entry, now)
  return combine([busy, tryAgain(one, entry, now)])
}

const neededBy = ({ from, snapshot }: CloneWork): ReadonlyMap<string, ReadonlyMap<string, string>> =>
  new Map([[from, new Map([[snapshot, 'an instance is being made from it']])]])

/** As after the relay's key was renewed. */
const STRANGE = `it may be half made, and its ${MAKING} was not set by this relay, so it is left alone`

/** Another's mark means nothing, and nothing is done about it. */
function strayOn({ key, ref, record }: Known): Finding {
  if (record === undefined || markOn(record) === '') return {}
  const command = incusCommand(ref.project, 'config', 'unset', ref.instance, MAKING)
  const reason = `its ${MAKING} was not set by this relay, so nothing is done about it; remove it on ${ref.remote}: ${command}`
  return noteOf('skip', key, reason)
}

/** It has no mark of ours: it is whole only if the relay says so. */
function afterwards({ key, report }: Known, entry: CloneWork, { made }: InstanceRecord, now: Date): Finding {
  if (made === true || report?.state === 'done') return endWell(key, entry, now)
  const error = report?.error === undefined ? '' : `: ${describe(report.error)}`
  return giveUp(key, entry, `${TAKEN}${error}`, now)
}

const TAKEN =
  'an instance has its name, and the relay doesn’t know it as one that it made, so it is left alone'

const endWell = (key: string, { reason, ...entry }: CloneWork, now: Date): Finding =>
  combine([
    entryOf(
      key,
      ended(
        { ...entry, ...(entry.finishing === undefined || reason === undefined ? {} : { reason }) },
        'done',
        now,
      ),
    ),
    noteOf('keep', key, `it was made from ${entry.snapshot} of ${entry.from}`),
  ])

const giveUp = (key: string, entry: CloneWork, reason: string, now: Date): Finding =>
  combine([entryOf(key, ended({ ...entry, reason }, 'failed', now)), noteOf('problem', key, reason)])

function finish({ key, ref, entry, report }: Known, making: Making, now: Date): Finding {
  const tries = entry?.finishing ?? 0
  const start = making.start && tries < STARTS
  const why = report?.error === undefined ? '' : `: ${describe(report.error)}`
  const reason = start
    ? `it is whole, and is started${why}`
    : `it is whole${making.start ? `, but doesn't start${why}; run "${incusCommand(ref.project, 'start', ref.instance)}" on ${ref.remote}` : ''}`
  const action: FinishAction = { kind: 'finish-clone', ref, start, reason }
  const next =
    entry === undefined || isEnded(entry) ? {} : entryOf(key, finishingOf(entry, tries, making, reason, now))
  return combine([{ actions: [action] }, next])
}

function finishingOf(
  entry: CloneWork,
  tries: number,
  { start }: Making,
  reason: string,
  now: Date,
): CloneWork {
  return {
    ...seenRunning(entry, { id: entry.job }, now),
    finishing: tries + 1,
    ...(start && tries >= STARTS ? { reason } : {}),
  }
}

function remove(ref: InstanceRef, reason: string): Finding {
  const action: RemoveAction = { kind: 'remove-clone', ref, reason }
  return { actions: [action] }
}

function tryAgain({ key, ref, report, making }: Known, before: CloneWork, now: Date): Finding {
  const error = report?.error
  const reason =
    error === undefined ? 'it is not known how that ended: the relay or Incus was restarted' : describe(error)
  const failure = {
    state: 'failed',
    reason,
    permanent: error !== undefined && isPermanent(error),
    now,
  } as const
  const entry = before.retryAt === undefined ? failedTry(before, failure, RETRY) : before
  if (entry.state === 'failed')
    return combine([
      giveUp(key, entry, `it was not made: ${entry.reason ?? reason}`, now),
      making === null ? {} : remove(ref, 'it is half made, and no further try is made'),
    ])
  if (!isDue(entry, now)) return combine([entryOf(key, entry), noteOf('wait', key, retryText(entry))])
  const { retryAt: _, ...rest } = entry
  const next: CloneWork = { ...rest, state: 'started', job: jobOf(key, entry.began, entry.attempts) }
  return combine([entryOf(key, next), { actions: [actionOf(ref, next)] }])
}

/** If the relay refuses it, it will refuse it again. */
const isPermanent = (error: CallError): boolean =>
  !mayRetry(classify(error)) ||
  classify(error) === 'exists' ||
  error.code === 'not-allowed' ||
  error.code === 'bad-request'

const actionOf = (ref: InstanceRef, entry: CloneWork): CloneAction => ({
  kind: 'clone',
  from: instanceOf(entry.from),
  snapshot: entry.snapshot,
  to: ref,
  whole: entry.whole,
  start: entry.start,
  pool: entry.pool ?? null,
  transferMode: entry.transferMode,
  of: entry.of,
  job: entry.job,
  reason: `try ${entry.attempts + 1}: ${entry.reason ?? ''}`,
})
