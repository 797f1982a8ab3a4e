/** How long work goes on that somebody asked for: copies and restores, from their start to their end. */
import type { AuditOutcome } from '../access/audit.ts'
import type { CopyLedger, Ledger, RestoreLedger } from '../ledger/ledger.ts'
import { reportOn } from '../plan/replica.ts'
import type { JobReport } from '../relay/protocol.ts'
import type { Message } from './message.ts'
import { abandonedMessage, endedMessage, runningMessage } from './progress-message.ts'
import type { Base, Item, Watch } from './watch.ts'

export type Looked = { jobs: readonly JobReport[]; ledger: Ledger; now: Date }

export type Follow = {
  /** The same for two messages that differ only by the time that has passed. */
  said: string
  message: Message
  /** Part of it was not seen to begin: worth another look soon. */
  unseen: boolean
} & ({ ended: true; outcome: AuditOutcome } | { ended: false; outcome: null })

/** Nobody waits longer for an end. */
const PATIENCE = 24 * 3_600_000
/** Nor for a beginning: whoever was to begin it lives for less. */
const BEGINNING = 3 * 60_000
const NEVER = 'it was not seen to begin: ask again if it is still wanted'

export function followUp(watch: Watch, { jobs, ledger, now }: Looked): Follow {
  const elapsed = now.getTime() - new Date(watch.startedAt).getTime()
  const items = [
    ...watch.copies.map((key) => copyItem(key, since(watch, ledger.copies[key]), jobs)),
    ...watch.restores.map((key) => restoreItem(key, since(watch, ledger.restores?.[key]), jobs)),
  ].map((item): Item => (item.seen || elapsed < BEGINNING ? item : { ...item, end: 'bad', reason: NEVER }))
  const common = { said: saidBy(items), unseen: items.some(({ seen }) => !seen) }
  if (items.every(({ end }) => end !== null)) {
    const message = endedMessage(watch, items, elapsed)
    return { ended: true, outcome: outcomeOf(items, now), message, ...common }
  }
  if (elapsed >= PATIENCE) {
    const text = 'no end was seen within 24 hours'
    const outcome: AuditOutcome = { state: 'unknown', text, at: now.toISOString() }
    return { ended: true, outcome, message: abandonedMessage(watch, items), ...common }
  }
  return { ended: false, outcome: null, message: runningMessage(watch, items, elapsed), ...common }
}

/** What was noted before the watch began is about earlier work, unless that still runs. */
function since<Entry extends { state: string; at: string }>(
  { startedAt }: Watch,
  entry: Entry | undefined,
): Entry | undefined {
  const fresh = entry !== undefined && (entry.at >= startedAt || entry.state === 'running')
  return fresh ? entry : undefined
}

const COPY_ENDS = {
  started: null,
  running: null,
  verified: 'good',
  failed: 'bad',
  unknown: 'unknown',
} as const
const RESTORE_ENDS = { started: null, running: null, done: 'good', failed: 'bad' } as const

function copyItem(key: string, entry: CopyLedger | undefined, jobs: readonly JobReport[]): Item {
  const [instance = key, target = ''] = key.split('>')
  const report = reportOn(key, entry, jobs)
  return {
    ...{ kind: 'copy', instance, target, newest: entry?.newest ?? null },
    end: entry === undefined ? null : COPY_ENDS[entry.state],
    ...soFar(entry, report),
  }
}

function restoreItem(key: string, entry: RestoreLedger | undefined, jobs: readonly JobReport[]): Item {
  const report = jobs.find(({ id }) => id === entry?.job)
  return {
    ...{ kind: 'restore', instance: key, snapshot: entry?.snapshot ?? null, safety: entry?.safety ?? null },
    end: entry === undefined ? null : RESTORE_ENDS[entry.state],
    ...soFar(entry, report ?? null),
  }
}

const soFar = (
  entry: CopyLedger | RestoreLedger | undefined,
  report: JobReport | null,
): Pick<Base, 'seen' | 'attempts' | 'reason' | 'retryAt' | 'progress'> => ({
  seen: entry !== undefined,
  attempts: entry?.attempts ?? 0,
  reason: entry?.reason ?? null,
  retryAt: entry?.retryAt ?? null,
  progress: report?.state === 'running' ? (report.progress ?? null) : null,
})

/** What the message that tells of the start says: the next one has more to tell. */
export const saidFirst = ({ copies, restores }: Pick<Watch, 'copies' | 'restores'>): string =>
  [...copies, ...restores].map(() => RUNS).join(', ')

const RUNS = 'runs'

const saidBy = (items: readonly Item[]): string =>
  items
    .map(({ end, attempts, progress }) => [end ?? RUNS, attempts || '', progress ?? ''].join(' ').trim())
    .join(', ')
    .slice(0, 500)

function outcomeOf(items: readonly Item[], now: Date): AuditOutcome {
  const bad = items.find(({ end }) => end === 'bad')
  const unseen = items.find(({ end }) => end === 'unknown')
  const good = items.filter(({ end }) => end === 'good').length
  const at = now.toISOString()
  const worst = bad ?? unseen
  if (worst === undefined) return { state: 'done', text: `${good} of ${items.length}`, at }
  const text = `${good} of ${items.length}; ${worst.instance}: ${worst.reason ?? 'no reason was given'}`
  return { state: bad === undefined ? 'unknown' : 'failed', text: text.slice(0, 300), at }
}
