/**
 * New instances that are being made, from a snapshot or an export, until they are whole or gone again: by the ledger, the
 * relay's jobs, or the mark on them. Whatever was killed: what has the relay's mark and isn't whole is made anew or removed, and
 * nothing else is.
 */

import type { InstanceRecord } from '../incus/inventory.ts'
import { classify, describe, mayRetry } from '../incus/refusal.ts'
import { type InstanceRef, instanceOf, subjectKey } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { kindIn, subjectIn, type Work, workKey, workOfJob } from '../ledger/work.ts'
import { own } from '../own.ts'
import type { PlanContext } from '../plan/context.ts'
import { combine, type Finding } from '../plan/finding.ts'
import { copyingInto, operationOn } from '../plan/operations.ts'
import type { AnyAction, Note } from '../plan/plan.ts'
import type { World } from '../plan/world.ts'
import { MAKING } from '../policy/marks.ts'
import type { CallError, JobReport } from '../relay/protocol.ts'
import { minutesFrom } from '../schedule/moment.ts'
import { configCommand, deleteCommand, incusCommand } from '../shell.ts'
import type { FinishAction, RemoveAction } from './clone/action.ts'
import { type Making, parseMaking } from './clone/mark.ts'
import {
  ended,
  failedTry,
  isDue,
  isLive,
  liveText,
  type RetryPolicy,
  reportOn,
  retryText,
  seenRunning,
} from './life.ts'

/** Its entry in the ledger. */
export type MakingWork = Work & {
  state: 'started' | 'running' | 'done' | 'failed'
  /** When it was requested: what is older under its name isn't it (ISO 8601). */
  began: string
  /** Tries to start it and to take its mark off. */
  finishing?: number
  job: string
}

export const isEnded = ({ state }: Pick<Work, 'state'>): boolean => state === 'done' || state === 'failed'

/** What a kind that makes instances says of its own. */
export type Maker<Entry extends MakingWork> = {
  kind: string
  isMine(making: Making | null): boolean
  entryIn(ledger: Ledger, key: string): Entry | undefined
  /** "it is being made from a snapshot". */
  doing: string
  /** "it was made from …". */
  done(entry: Entry): string
  /** What it needs meanwhile. */
  needed(entry: Entry): Finding
  jobOf(key: string, began: string, attempts: number): string
  /** Of the next try; null: it can't be made without what somebody has to give again, and why. */
  again(ref: InstanceRef, entry: Entry): AnyAction | { cannot: string }
  retry: RetryPolicy
}

export const planMaking = <Entry extends MakingWork>(
  maker: Maker<Entry>,
  { world, ledger, now }: PlanContext,
): Finding =>
  combine(
    [...keysOf(maker, world, ledger)].map((key) => findingOn(known(maker, key, world, ledger), world, now)),
  )

function keysOf<Entry extends MakingWork>(
  { kind, isMine }: Maker<Entry>,
  { remotes, jobs }: World,
  ledger: Ledger,
): Set<string> {
  const noted = [...Object.keys(ledger.work), ...jobs.flatMap(({ id }) => workOfJob(id) ?? [])]
  const keys = new Set(noted.filter((one) => kindIn(one) === kind).map(subjectIn))
  for (const [remote, reply] of Object.entries(remotes))
    for (const record of reply.ok ? [...reply.inventory.instances, ...(reply.inventory.buckets ?? [])] : [])
      if (markOn(record) !== '' && isMine(parseMaking(markOn(record))))
        keys.add(subjectKey({ remote, project: record.project, instance: record.name }))
  return keys
}

const markOn = ({ own: keys, config }: InstanceRecord): string =>
  keys.includes(MAKING) ? (config[MAKING] ?? '') : ''

type Known<Entry extends MakingWork> = {
  maker: Maker<Entry>
  key: string
  ref: InstanceRef
  record: InstanceRecord | undefined
  /** By the relay's own mark on it. */
  making: Making | null
  report: JobReport | null
  entry: Entry | undefined
}

function known<Entry extends MakingWork>(
  maker: Maker<Entry>,
  key: string,
  world: World,
  ledger: Ledger,
): Known<Entry> {
  const ref = instanceOf(key)
  const record = world.find(ref)
  const isOwn = record !== undefined && record.unsealed !== true
  const entry = maker.entryIn(ledger, key)
  const report = reportOn(workKey(maker.kind, key), entry, world.jobs)
  const making = isOwn ? parseMaking(markOn(record)) : null
  return { maker, key, ref, record, making: maker.isMine(making) ? making : null, report, entry }
}

const noteOf = (kind: Note['kind'], about: string, reason: string): Finding => ({
  notes: [{ kind, about, reason }],
})

const entryOf = <Entry extends MakingWork>(
  { maker, key }: Pick<Known<Entry>, 'maker' | 'key'>,
  entry: Entry,
): Finding => ({ work: { [workKey(maker.kind, key)]: entry } })

function findingOn<Entry extends MakingWork>(one: Known<Entry>, world: World, now: Date): Finding {
  const { maker, key, ref, entry, record, making, report } = one
  const isPending = entry !== undefined && !isEnded(entry)
  const busy: Finding = {
    busy: new Map([[key, maker.doing]]),
    ...(isPending ? maker.needed(entry) : {}),
    wake: [minutesFrom(now, 1)],
  }
  const wait = (reason: string): Finding => combine([busy, noteOf('wait', key, `${maker.doing}: ${reason}`)])
  if (report !== null && isLive(report))
    return combine([
      wait(liveText('that', report)),
      isPending ? entryOf(one, seenRunning(entry, { id: report.id }, now)) : {},
    ])
  if (!isPending && making === null) return strayOn(one)
  const reply = own(world.remotes, ref.remote)
  if (reply?.ok !== true)
    return wait(`${ref.remote} can't be queried${reply === undefined ? '' : `: ${reply.error.message}`}`)
  const operation = operationOn(world, key, reply.inventory.operations)
  if (operation !== null) return wait(`an operation runs on it: ${operation}`)
  const copying = making?.made === false ? copyingInto(key, reply.inventory.operations) : null
  if (copying !== null) return wait(`Incus may still be making it (${copying})`)
  if (making?.made === true) return combine([busy, finish(one, making, now)])
  if (!isPending) return combine([busy, remove(ref, 'it was left half made, and nothing makes it any more')])
  if (record !== undefined && making === null && markOn(record) !== '')
    return giveUp(one, entry, `${STRANGE}; if nobody uses it, on ${ref.remote}: ${deleteCommand(ref)}`, now)
  if (record !== undefined && making === null) return afterwards(one, entry, record, now)
  if (record === undefined && report?.state === 'done') return endWell(one, entry, now)
  return combine([busy, tryAgain(one, entry, now)])
}

/** As after the relay's key was renewed. */
const STRANGE = `it may be half made, and its ${MAKING} was not set by this relay, so it is left alone`

/** Another's mark means nothing, and nothing is done about it. */
function strayOn<Entry extends MakingWork>({ key, ref, record }: Known<Entry>): Finding {
  if (record === undefined || markOn(record) === '') return {}
  const command = configCommand(ref, 'unset', MAKING)
  const reason = `its ${MAKING} was not set by this relay, so nothing is done about it; remove it on ${ref.remote}: ${command}`
  return noteOf('skip', key, reason)
}

/** It has no mark of ours: it is whole only if the relay says so. */
function afterwards<Entry extends MakingWork>(
  one: Known<Entry>,
  entry: Entry,
  { made }: InstanceRecord,
  now: Date,
): Finding {
  const { report } = one
  if (made === true || report?.state === 'done') return endWell(one, entry, now)
  const error = report?.error === undefined ? '' : `: ${describe(report.error)}`
  return giveUp(one, entry, `${TAKEN}${error}`, now)
}

const TAKEN = 'another has its name, and the relay doesn’t know it as one that it made, so it is left alone'

function endWell<Entry extends MakingWork>(one: Known<Entry>, before: Entry, now: Date): Finding {
  const { reason, ...rest } = before
  const why = before.finishing === undefined || reason === undefined ? {} : { reason }
  return combine([
    entryOf(one, ended({ ...rest, ...why } as Entry, 'done', now)),
    noteOf('keep', one.key, one.maker.done(before)),
  ])
}

const giveUp = <Entry extends MakingWork>(
  one: Known<Entry>,
  entry: Entry,
  reason: string,
  now: Date,
): Finding =>
  combine([entryOf(one, ended({ ...entry, reason }, 'failed', now)), noteOf('problem', one.key, reason)])

function finish<Entry extends MakingWork>(one: Known<Entry>, making: Making, now: Date): Finding {
  const { ref, entry, report } = one
  const tries = entry?.finishing ?? 0
  const start = making.start && tries < STARTS
  const why = report?.error === undefined ? '' : `: ${describe(report.error)}`
  const reason = start
    ? `it is whole, and is started${why}`
    : `it is whole${making.start ? `, but doesn't start${why}; run "${incusCommand(ref.project, 'start', ref.instance)}" on ${ref.remote}` : ''}`
  const action: FinishAction = { kind: 'finish-clone', ref, start, reason }
  const next =
    entry === undefined || isEnded(entry) ? {} : entryOf(one, finishingOf(entry, tries, making, reason, now))
  return combine([{ actions: [action] }, next])
}

function finishingOf<Entry extends MakingWork>(
  entry: Entry,
  tries: number,
  { start }: Making,
  reason: string,
  now: Date,
): Entry {
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

function tryAgain<Entry extends MakingWork>(one: Known<Entry>, before: Entry, now: Date): Finding {
  const { maker, key, ref, report, making } = one
  const error = report?.error
  const reason =
    error === undefined ? 'it is not known how that ended: the relay or Incus was restarted' : describe(error)
  const failure = {
    state: 'failed',
    reason,
    permanent: error !== undefined && isPermanent(error),
    now,
  } as const
  const entry = before.retryAt === undefined ? failedTry(before, failure, maker.retry) : before
  const stop = (why: string): Finding =>
    combine([
      giveUp(one, entry, `it was not made: ${why}`, now),
      making === null ? {} : remove(ref, 'it is half made, and no further try is made'),
    ])
  if (entry.state === 'failed') return stop(entry.reason ?? reason)
  const { retryAt: _, ...rest } = entry
  const job = maker.jobOf(key, entry.began, entry.attempts)
  const next = { ...rest, state: 'started', job } as Entry
  const action = maker.again(ref, next)
  if ('cannot' in action) return stop(`${entry.reason ?? reason}; ${action.cannot}`)
  if (!isDue(entry, now)) return combine([entryOf(one, entry), noteOf('wait', key, retryText(entry))])
  return combine([entryOf(one, next), { actions: [action] }])
}

/** If the relay refuses it, it will refuse it again. */
const isPermanent = (error: CallError): boolean =>
  !mayRetry(classify(error)) ||
  classify(error) === 'exists' ||
  error.code === 'not-allowed' ||
  error.code === 'bad-request' ||
  // Of an export: it isn't what was stored, it is gone, or it needs another key.
  (error.code === 'export' && error.status !== undefined)

/** So often one that is whole is started; then its mark goes all the same. */
const STARTS = 3
