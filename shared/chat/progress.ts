/** The progress of long work that somebody requested, from its start to its end. */
import type { AuditOutcome } from '../access/audit.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { subjectIn, type Work } from '../ledger/work.ts'
import { own } from '../own.ts'
import type { JobReport } from '../relay/protocol.ts'
import type { Item } from '../work/kind.ts'
import { ENDS, reportOn } from '../work/life.ts'
import { bytesOfProgress, sizeOf, spanOf } from './age.ts'
import type { Message } from './message.ts'
import { abandonedMessage, endedMessage, runningMessage } from './progress-message.ts'
import type { Watch } from './watch.ts'

type Observation = { jobs: readonly JobReport[]; ledger: Ledger; now: Date }

export type Follow = {
  /** The same for two messages that differ only by the time that has passed. */
  said: string
  message: Message
  /** Part of it wasn't observed as started yet: the next tick should observe soon. */
  notStarted: boolean
} & ({ ended: true; outcome: AuditOutcome } | { ended: false; outcome: null })

/** The message is updated for no longer than this. */
const GIVE_UP_AFTER = 24 * 3_600_000
/** Work that wasn't seen by then was never started: an invocation lives for less. */
const BEGINNING = 3 * 60_000
const NEVER = 'it was not seen to begin: request it again if you still want it'

export function followUp(watch: Watch, { jobs, ledger, now }: Observation): Follow {
  const elapsed = now.getTime() - new Date(watch.startedAt).getTime()
  const items = watch.work
    .map((key) => itemOf(key, since(watch, own(ledger.work, key)), jobs))
    .map((item): Item => (item.seen || elapsed < BEGINNING ? item : { ...item, end: 'bad', reason: NEVER }))
  const common = { said: saidBy(items), notStarted: items.some(({ seen }) => !seen) }
  if (items.every(({ end }) => end !== null)) {
    const message = endedMessage(watch, items, elapsed)
    const cost = costOf(watch, jobs, ledger, elapsed)
    return { ended: true, outcome: outcomeOf(items, now, cost), message, ...common }
  }
  if (elapsed >= GIVE_UP_AFTER) {
    const text = 'no end was seen within 24 hours'
    const outcome: AuditOutcome = { state: 'unknown', text, at: now.toISOString() }
    return { ended: true, outcome, message: abandonedMessage(watch, items), ...common }
  }
  return { ended: false, outcome: null, message: runningMessage(watch, items, elapsed), ...common }
}

/** An entry from before the watch began is about earlier work, unless it is still in progress. */
function since({ startedAt }: Watch, entry: Work | undefined): Work | null {
  const fresh = entry !== undefined && (entry.at >= startedAt || entry.state === 'running')
  return fresh ? entry : null
}

function itemOf(key: string, entry: Work | null, jobs: readonly JobReport[]): Item {
  const report = reportOn(key, entry, jobs)
  return {
    key,
    subject: subjectIn(key),
    seen: entry !== null,
    end: entry === null ? null : ENDS[entry.state],
    attempts: entry?.attempts ?? 0,
    reason: entry?.reason ?? null,
    retryAt: entry?.retryAt ?? null,
    progress: report?.state === 'running' ? (report.progress ?? null) : null,
    entry,
  }
}

/** The state that the first message shows. */
export const saidFirst = ({ work }: Pick<Watch, 'work'>): string => work.map(() => RUNS).join(', ')

const RUNS = 'runs'

const saidBy = (items: readonly Item[]): string =>
  items
    .map(({ end, attempts, progress }) => [end ?? RUNS, attempts || '', progress ?? ''].join(' ').trim())
    .join(', ')
    .slice(0, 500)

/** How long it took, and how much it was as far as that is known: an export's own size, or what Incus told last of a transfer. */
function costOf({ work }: Watch, jobs: readonly JobReport[], ledger: Ledger, elapsed: number): string {
  const bytes = work.map((key) => {
    const entry = own(ledger.work, key)
    const { bytes: size } = { bytes: undefined, ...entry } as { bytes?: unknown }
    return typeof size === 'number' ? size : bytesOfProgress(reportOn(key, entry, jobs)?.progress ?? '')
  })
  const all = bytes.reduce((sum, one) => sum + one, 0)
  return `in ${spanOf(elapsed)}${all === 0 ? '' : `, ${sizeOf(all)}`}`
}

function outcomeOf(items: readonly Item[], now: Date, cost: string): AuditOutcome {
  const bad = items.find(({ end }) => end === 'bad')
  const unseen = items.find(({ end }) => end === 'unknown')
  const good = items.filter(({ end }) => end === 'good').length
  const at = now.toISOString()
  const worst = bad ?? unseen
  if (worst === undefined) return { state: 'done', text: `${good} of ${items.length} ${cost}`, at }
  const text = `${good} of ${items.length} ${cost}; ${worst.subject}: ${worst.reason ?? 'no reason was given'}`
  return { state: bad === undefined ? 'unknown' : 'failed', text: text.slice(0, 300), at }
}
