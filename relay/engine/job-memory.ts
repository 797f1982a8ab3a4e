/** Detached jobs and their outcomes: live ones, and ended ones for a day, in bounded memory. */
import type { Clock } from '../../shared/clock.ts'
import type { Job, JobReport } from '../../shared/relay/protocol.ts'

export type JobMemory = {
  knows(id: string): boolean
  isLive(id: string): boolean
  /** False when it is full of live jobs, by number or by their memos; else the oldest ended ones are dropped. */
  makeRoom(): boolean
  /** Starts a new record, and drops ended ones of its family. */
  begin(job: Pick<Job, 'id' | 'memo' | 'family'>): void
  /** A change of state also sets `since`. */
  change(id: string, change: Partial<Omit<JobReport, 'id' | 'since'>>): void
  reports(): JobReport[]
}

const DAY = 86_400_000
const REMEMBERED = 10_000
/** Characters of all memos. */
const MEMOS = 64_000_000

export function createJobMemory(clock: Clock, size = REMEMBERED): JobMemory {
  /** In the order of their last change of state, so that the oldest come first. */
  const records = new Map<string, { report: JobReport; at: number; weight: number; family?: string }>()
  let weighing = 0
  /** By family. */
  const newest = new Map<string, string>()

  const put = (report: Omit<JobReport, 'since'>, family = records.get(report.id)?.family): void => {
    const at = clock.now()
    const weight = records.get(report.id)?.weight ?? weightOf(report)
    if (!records.has(report.id)) weighing += weight
    records.delete(report.id)
    const record = { at, weight, report: { ...report, since: new Date(at).toISOString() } }
    records.set(report.id, family === undefined ? record : { ...record, family })
  }
  const drop = (id: string): void => {
    const { family, weight = 0 } = records.get(id) ?? {}
    if (records.delete(id)) weighing -= weight
    if (family !== undefined && newest.get(family) === id) newest.delete(family)
  }
  const replace = (family: string, id: string): void => {
    const before = newest.get(family) ?? ''
    if (!isLive(records.get(before)?.report)) drop(before)
    newest.set(family, id)
  }
  const dropOld = (): void => {
    for (const [id, { report, at }] of records) {
      if (clock.now() - at < DAY) return
      if (!isLive(report)) drop(id)
    }
  }
  return {
    knows: (id) => records.has(id),
    isLive: (id) => isLive(records.get(id)?.report),
    makeRoom() {
      dropOld()
      for (const [id, { report }] of records) {
        if (records.size < size && weighing < MEMOS) return true
        if (!isLive(report)) drop(id)
      }
      return records.size < size && weighing < MEMOS
    },
    begin({ id, memo, family }) {
      if (family !== undefined) replace(family, id)
      put({ id, state: 'queued', ...(memo === undefined ? {} : { memo }) }, family)
    },
    change(id, change) {
      const record = records.get(id)
      if (record === undefined) return
      if (change.state === undefined) record.report = { ...record.report, ...change }
      else put({ ...record.report, ...change })
    },
    reports() {
      dropOld()
      return [...records.values()].map(({ report }) => report)
    },
  }
}

const weightOf = ({ memo }: Pick<JobReport, 'memo'>): number =>
  memo === undefined ? 0 : JSON.stringify(memo).length

const isLive = (report: JobReport | undefined): boolean =>
  report?.state === 'queued' || report?.state === 'running'
