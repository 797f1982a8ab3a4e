/** Requests to cancel what runs of an instance. A restore in place is never cancelled: its disk would be half of one. */
import { instanceOf, pathOf } from '../../incus/subject.ts'
import { kindIn, subjectIn, type Work, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { unreadableIn } from '../../plan/find.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import { compilePaths } from '../../policy/glob.ts'
import type { JobReport } from '../../relay/protocol.ts'
import { err, ok } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import { isLive } from '../life.ts'
import type { CancelAction, CancelRequest } from './action.ts'

export const requestCancel: Requestable<CancelRequest> = {
  destructive: false,
  read: ({ instance }, reason) =>
    instance === undefined ? err('cancel needs "instance"') : ok({ do: 'cancel', instance, reason }),
  plan: planRequested,
}

/** What runs or is queued, by its job. */
type Running = { work: string; about: string; report: JobReport }

function planRequested(requested: Requested<CancelRequest>): Answer | Refusal {
  const { request, world, now } = requested
  const running = runningOf(request.instance, world.jobs)
  const subjects = [...new Set(running.map(({ about }) => about))]
  if (subjects.length > 1)
    return {
      code: 'ambiguous',
      reason: `"${request.instance}" may mean ${subjects.join(', ')}: write it as remote/project/instance`,
    }
  const silent = unreadableIn(world)
  // Without an answer of the relay it isn't known what runs.
  if (running.length === 0 && silent.length > 0 && silent.length === Object.keys(world.remotes).length)
    return { code: 'unreadable', reason: `it is not known what runs of "${request.instance}": ${silent[0]}` }
  if (running.length === 0)
    return { code: 'not-found', reason: `nothing runs of "${request.instance}" that could be cancelled` }
  const may = running.filter(({ work }) => !isRestore(work))
  const [restored] = running.filter(({ work }) => isRestore(work))
  if (may.length === 0 && restored !== undefined) return { code: 'forbidden', reason: stays(restored) }
  const kept = restored === undefined ? [] : [noteOf(restored)]
  return {
    actions: may.map((one) => actionOf(one, request.reason)),
    notes: kept,
    work: Object.fromEntries(may.flatMap(({ work }) => cancelledIn(work, requested))),
    wake: [minutesFrom(now, 1)],
  }
}

function runningOf(path: string, jobs: readonly JobReport[]): Running[] {
  const named = compilePaths([path])
  return jobs.filter(isLive).flatMap((report) => {
    const work = workOfJob(report.id)
    const about = work === null ? '' : subjectIn(work)
    return work !== null && named(pathOf(about)) ? [{ work, about, report }] : []
  })
}

const isRestore = (work: string): boolean => kindIn(work) === 'restore'

const stays = ({ about }: Running): string =>
  `${about} is being restored in place, and that can't be cancelled: its disk would be partly old and partly new. Let it end; its previous state is kept, and a restore to that undoes it`

const noteOf = (one: Running): Note => ({ kind: 'problem', about: one.about, reason: stays(one) })

const actionOf = ({ work, about, report }: Running, reason: string): CancelAction => ({
  ...{ kind: 'cancel', ref: instanceOf(about), work, job: report.id, reason },
})

/** In the ledger before it happens: a relay that is killed meanwhile can't tell it any more. */
function cancelledIn(work: string, { found, ledger, now }: Requested): [string, Work][] {
  const entry = own(found.work, work) ?? own(ledger.work, work)
  return entry == null ? [] : [[work, { ...entry, cancelled: now.toISOString() }]]
}
