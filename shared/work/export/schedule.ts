/** Plans the next step of exports that have not ended. What a store holds decides, not what became of a job. */
import { classify, describe, mayRetry } from '../../incus/refusal.ts'
import { instanceOf } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import { type Installation, renderInstallation } from '../../plan/installation.ts'
import { copyingInto } from '../../plan/operations.ts'
import type { Note } from '../../plan/plan.ts'
import { rulesOf } from '../../plan/world.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { ended, failedTry, isDue, liveText, retryText, seenRunning } from '../life.ts'
import type { ExportAction } from './action.ts'
import { type ExportWork, exportKey } from './entry.ts'
import { type Known, knownExports } from './known.ts'
import { type ExportRow, LIVE } from './manifest.ts'
import { jobOf } from './steps.ts'
import { RETRY } from './tries.ts'

export const planExports = ({ world, ledger, now, installation }: PlanContext): Finding =>
  combine(
    knownExports(world, ledger, now).map((known) =>
      known.isLive || !isStoreGone(known, world)
        ? stepOn(known, rowsOf(known, world), { now, installation, world })
        : giveUp(known.key, known.entry, `the relay has no store "${known.entry.store}" any more`, now),
    ),
  )

/** The relay says that it has others. */
function isStoreGone({ key, entry: { store } }: Known, world: PlanContext['world']): boolean {
  const rules = rulesOf(world, instanceOf(key).remote)
  return rules !== undefined && !(rules.exports ?? []).includes(store)
}

/** Null: that isn't known. */
const rowsOf = ({ place }: Known, { exports }: PlanContext['world']): ExportRow[] | null =>
  exports?.get(place)?.rows ?? null

const saying = (kind: Note['kind'], key: string, entry: ExportWork, reason: string): Finding => ({
  work: { [exportKey(key, entry.store)]: entry },
  notes: [{ kind, about: key, reason }],
})

type Context = Pick<PlanContext, 'now' | 'installation' | 'world'>

/** Minutes after which a store that could not be read is asked again. */
const AGAIN = 10

/** `rows`: what the store has of that name; null: that isn't known. */
function stepOn(known: Known, rows: ExportRow[] | null, context: Context): Finding {
  const { now } = context
  const { key, entry, report } = known
  const soon = { wake: [minutesFrom(now, 1)] }
  if (known.isLive && report !== null) {
    const entryNow = seenRunning(entry, { id: report.id }, now)
    return combine([soon, saying('wait', key, entryNow, liveText(`its export to ${entry.store}`, report))])
  }
  if (rows === null)
    return combine([
      { wake: [minutesFrom(now, AGAIN)] },
      saying('wait', key, entry, `whether its export ${entry.name} is in ${entry.store} could not be read`),
    ])
  const made = rows.find(({ name, snapshot }) => name === entry.name && snapshot.name === entry.snapshot)
  if (made !== undefined) return endWell(key, entry, made, now)
  const reply = own(context.world.remotes, instanceOf(key).remote)
  // What an earlier try has begun: until that has ended, nothing takes its place.
  const copying = reply?.ok === true ? copyingInto(key, reply.inventory.operations) : null
  if (copying !== null)
    return combine([
      soon,
      saying('wait', key, entry, `its export waits: Incus may still be making a volume for it (${copying})`),
    ])
  return combine([soon, tryAgain(known, context)])
}

function endWell(key: string, { reason: _, ...entry }: ExportWork, { bytes }: ExportRow, now: Date): Finding {
  return saying(
    'keep',
    key,
    ended({ ...entry, bytes }, 'done', now),
    `${whatOf(entry)} was exported to ${entry.store} as ${entry.name}`,
  )
}

function tryAgain({ key, entry: before, report }: Known, { now, installation }: Context): Finding {
  const error = report?.state === 'failed' ? report.error : undefined
  const why =
    error === undefined ? (report?.error?.message ?? 'the relay or Incus was restarted') : describe(error)
  const failure = {
    ...({ state: 'failed', reason: why, now } as const),
    permanent: error !== undefined && !mayRetry(classify(error)),
  }
  const entry = before.retryAt === undefined ? failedTry(before, failure, RETRY) : before
  if (entry.state === 'failed') return giveUp(key, entry, entry.reason ?? '', now)
  if (!isDue(entry, now)) return saying('wait', key, entry, retryText(entry))
  const action = actionOf(key, entry, installation)
  const { retryAt: _, ...rest } = entry
  return {
    work: {
      [exportKey(key, entry.store)]: { ...rest, state: 'started', job: action.job, at: now.toISOString() },
    },
    actions: [action],
  }
}

function giveUp(key: string, entry: ExportWork, why: string, now: Date): Finding {
  const reason = `${whatOf(entry)} was not exported to ${entry.store}: ${why}; ${nextText(entry)}`
  return saying('problem', key, ended({ ...entry, reason }, 'failed', now), reason)
}

/** A bucket has no snapshots. */
const whatOf = ({ snapshot }: ExportWork): string => (snapshot === LIVE ? 'it' : snapshot)

function nextText({ policy, cancelled }: ExportWork): string {
  if (policy === undefined) return 'once that is mended, request it again'
  return cancelled === undefined
    ? `${policy} tries again in some hours`
    : `${policy} tries again at its next slot`
}

function actionOf(
  key: string,
  { snapshot, store, name, optimized, policy, attempts, reason }: ExportWork,
  installation: Installation,
): ExportAction {
  return {
    ...{ kind: 'export', ref: instanceOf(key), snapshot, store, name, optimized: optimized === true },
    ...(policy === undefined ? {} : { policy }),
    owner: renderInstallation(installation),
    job: jobOf({ key, store }, name, attempts),
    reason: `try ${attempts + 1}: ${reason ?? ''}`,
  }
}
