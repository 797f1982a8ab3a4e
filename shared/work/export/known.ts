/** The exports that have not ended: by the ledger, or by the relay's jobs where the ledger was lost. */

import type { Ledger } from '../../ledger/ledger.ts'
import { keyIn, kindIn, workKey, workOfJob } from '../../ledger/work.ts'
import type { World } from '../../plan/world.ts'
import type { JobReport } from '../../relay/protocol.ts'
import { isLive, jobsOf } from '../life.ts'
import { EXPORT, type ExportWork, exportIn, isOver } from './entry.ts'

export type Known = {
  /** Of the instance. */
  key: string
  entry: ExportWork
  /** Of the entry's job, or of one that runs. */
  report: JobReport | null
  isLive: boolean
}

/** An end that the ledger doesn't know is looked into for so long. */
const SETTLED = 3_600_000

export function knownExports({ jobs }: Pick<World, 'jobs'>, ledger: Ledger, now: Date): Known[] {
  const keys = new Set([
    ...Object.keys(ledger.work).filter((one) => kindIn(one) === EXPORT),
    ...jobs.flatMap(({ id }) => {
      const work = workOfJob(id)
      return work !== null && kindIn(work) === EXPORT ? [work] : []
    }),
  ])
  return [...keys].flatMap((work) => knownExport(keyIn(work), jobs, ledger, now) ?? [])
}

function knownExport(key: string, jobs: readonly JobReport[], ledger: Ledger, now: Date): Known | null {
  const noted = exportIn(ledger, key)
  const reports = jobsOf(workKey(EXPORT, key), jobs)
  const live = reports.find(isLive)
  if (live !== undefined) {
    const entry = noted?.name === nameOf(live) ? noted : fromReport(live)
    return entry === null ? null : { key, entry, report: live, isLive: true }
  }
  if (noted !== undefined && !isOver(noted))
    return { key, entry: noted, report: reports.find(({ id }) => id === noted.job) ?? null, isLive: false }
  const news = reports.find(
    (one) => nameOf(one) > (noted?.name ?? '') && now.getTime() - Date.parse(one.since) < SETTLED,
  )
  const entry = news === undefined ? null : fromReport(news)
  return news === undefined || entry === null ? null : { key, entry, report: news, isLive: false }
}

const nameOf = ({ id }: JobReport): string => /:([^:#]+)#\d+$/.exec(id)?.[1] ?? ''

/** Null: its memo is none of ours. */
function fromReport(report: JobReport): ExportWork | null {
  const { id, memo, since } = report
  const { store, snapshot, name, optimized, policy } = (
    typeof memo === 'object' && memo !== null ? memo : {}
  ) as Record<string, unknown>
  if (typeof store !== 'string' || typeof snapshot !== 'string' || typeof name !== 'string') return null
  return {
    ...{ state: 'running', store, snapshot, name, job: id, at: since },
    ...(optimized === true ? { optimized: true as const } : {}),
    ...(typeof policy === 'string' ? { policy } : {}),
    attempts: Number(/#(\d+)$/.exec(id)?.[1] ?? 0),
  }
}
