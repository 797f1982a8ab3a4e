/** The exports that have not ended: by the ledger, or by the relay's jobs where the ledger was lost. */

import type { Ledger } from '../../ledger/ledger.ts'
import { keyIn, kindIn, subjectIn, targetIn, workOfJob } from '../../ledger/work.ts'
import type { World } from '../../plan/world.ts'
import type { JobReport } from '../../relay/protocol.ts'
import { isLive } from '../life.ts'
import { EXPORT, type ExportWork, exportIn, exportKey, isOver } from './entry.ts'

export type Known = {
  /** Of the instance. */
  key: string
  /** With its store. */
  place: string
  entry: ExportWork
  /** Of the entry's job, or of one that runs. */
  report: JobReport | null
  isLive: boolean
}

/** An end that the ledger doesn't know is looked into for so long. */
const SETTLED = 3_600_000

export function knownExports({ jobs }: Pick<World, 'jobs'>, ledger: Ledger, now: Date): Known[] {
  const noted = Object.keys(ledger.work).filter((one) => kindIn(one) === EXPORT)
  const reported = new Map<string, JobReport[]>()
  for (const report of jobs) {
    const work = workOfReport(report)
    if (work !== null) reported.set(work, [...(reported.get(work) ?? []), report])
  }
  const works = new Set([...noted, ...reported.keys()])
  return [...works].flatMap((work) => knownExport(work, reported.get(work) ?? [], ledger, now) ?? [])
}

/** Null: it is no export. Earlier versions called one by its instance alone. */
function workOfReport(report: JobReport): string | null {
  const work = workOfJob(report.id)
  if (work === null || kindIn(work) !== EXPORT) return null
  const store = targetIn(work) === '' ? fromReport(report)?.store : targetIn(work)
  return store === undefined ? null : exportKey(subjectIn(work), store)
}

function knownExport(work: string, reports: readonly JobReport[], ledger: Ledger, now: Date): Known | null {
  const [key, place] = [subjectIn(work), keyIn(work)]
  const noted = exportIn(ledger, key, targetIn(work))
  const live = reports.find(isLive)
  if (live !== undefined) {
    const entry = noted?.name === nameOf(live) ? noted : fromReport(live)
    return entry === null ? null : { key, place, entry, report: live, isLive: true }
  }
  if (noted !== undefined && !isOver(noted))
    return {
      ...{ key, place, entry: noted, isLive: false },
      report: reports.find(({ id }) => id === noted.job) ?? null,
    }
  const news = reports.find(
    (one) => nameOf(one) > (noted?.name ?? '') && now.getTime() - Date.parse(one.since) < SETTLED,
  )
  const entry = news === undefined ? null : fromReport(news)
  return news === undefined || entry === null ? null : { key, place, entry, report: news, isLive: false }
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
