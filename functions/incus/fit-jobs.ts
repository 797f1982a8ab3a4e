/**
 * Jobs in calls that the relay takes. It refuses a call as a whole, so one that is too long, or one job that it
 * doesn't take, would keep all the others from being done.
 */
import { type BatchRequest, type CallError, type Job, LONGEST_NAME } from '../../shared/relay/protocol.ts'

/** Jobs and characters of a call; the relay takes more than twice as many. */
const CALL = { jobs: 4_000, size: 3_000_000 }
const MOST_STEPS = 20_000

type Call = { jobs: string[]; size: number }

/** `bodies`: one for each call. */
type Fit = { bodies: string[]; unfit: [id: string, error: CallError][] }

export function fitJobs(
  jobs: readonly Job[],
  { record, run }: Pick<BatchRequest, 'record' | 'run'> = {},
  most = CALL,
): Fit {
  const calls: Call[] = jobs.length === 0 ? [{ jobs: [], size: 0 }] : []
  const unfit: Fit['unfit'] = []
  const home = new Map<string, Call>()
  for (const job of jobs) {
    const text = JSON.stringify(job)
    const wrong = wrongWith(job, text.length, most.size)
    if (wrong !== null) {
      unfit.push([job.id, { code: 'bad-request', message: wrong }])
      continue
    }
    // What waits for another job goes with it.
    const call = home.get(job.after ?? '') ?? roomIn(calls, text.length, most)
    call.jobs.push(text)
    call.size += text.length
    home.set(job.id, call)
  }
  const logged = JSON.stringify({ record, run }).slice(1, -1)
  const rest = logged === '' ? '' : `,${logged}`
  return { bodies: calls.map((call) => `{"jobs":[${call.jobs.join(',')}]${rest}}`), unfit }
}

/** The last call, or another one where that is full. */
function roomIn(calls: Call[], size: number, most: typeof CALL): Call {
  const last = calls.at(-1)
  if (last !== undefined && last.jobs.length < most.jobs && last.size + size <= most.size) return last
  const next: Call = { jobs: [], size: 0 }
  calls.push(next)
  return next
}

function wrongWith(
  { id, lock = id, after = id, family = id, steps }: Job,
  size: number,
  most: number,
): string | null {
  const isName = (text: string): boolean => text !== '' && text.length <= LONGEST_NAME
  if (![id, lock, after, family].every(isName))
    return 'the names of its remote, project and instance are longer than the relay takes'
  return steps.length > MOST_STEPS || size > most
    ? 'it has more snapshots than one job can hold: delete those that nobody needs'
    : null
}
