/**
 * First snapshots: instances without any of the policy don't wait for the next slot. If they can't be read
 * yet, or the policy is paused, the first snapshot is owed until then.
 */
import type { PolicyLedger } from '../../ledger/ledger.ts'
import type { Policy } from '../../policy/policy.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { firstMoment } from './late.ts'

/** What was observed of a policy's instances. */
export type ObservedInstances = {
  /** Slots of observed snapshots. */
  observed: readonly Date[]
  /** What could not be read: `remote:<name>`, or keys of instances. */
  unreadable: readonly string[]
  /** Keys of instances that have no snapshot of the policy at all. */
  withoutSnapshots: readonly string[]
}

const REMOTE = 'remote:'
/** Minutes until unreadable ones are observed again. */
const LOOK = 15

/** All that a policy may cover. */
export const everywhere = ({ select }: Pick<Policy, 'select'>): string[] =>
  select.remotes.map((remote) => `${REMOTE}${remote}`)

/** Each instance is owed one try: once it can be read, nothing is owed any more. */
export function withFirst(
  { paused }: Pick<Policy, 'paused'>,
  ledger: PolicyLedger,
  see: () => ObservedInstances,
  now: Date,
): PolicyLedger {
  const { owing, ...rest } = ledger
  if (owing === undefined || paused) return ledger
  const { withoutSnapshots, unreadable } = see()
  const left = owing.flatMap((entry) => stillUnreadable(entry, unreadable))
  const next = left.length === 0 ? rest : { ...rest, owing: left }
  // The open slot serves it as well.
  if (next.open !== null || !withoutSnapshots.some((key) => isOwed(key, owing))) return next
  return { ...next, open: { slot: momentFor(ledger, now), first: true, attempts: {} } }
}

/** When to observe again, while first snapshots are owed. */
export const lookForOwed = ({ owing, open }: PolicyLedger, paused: boolean, now: Date): string[] =>
  owing === undefined || open !== null || paused ? [] : [minutesFrom(now, LOOK)]

const placeOf = (key: string): string => `${REMOTE}${key.slice(0, key.indexOf('/'))}`

const isOwed = (key: string, owing: readonly string[]): boolean =>
  owing.includes(key) || owing.includes(placeOf(key))

/** Once a remote answers, only its unreadable instances are left. */
function stillUnreadable(entry: string, unreadable: readonly string[]): string[] {
  if (unreadable.includes(entry)) return [entry]
  if (entry.startsWith(REMOTE))
    return unreadable.filter((key) => !key.startsWith(REMOTE) && placeOf(key) === entry)
  return unreadable.includes(placeOf(entry)) ? [entry] : []
}

/** No slot is recorded twice. */
function momentFor({ slots }: PolicyLedger, now: Date): string {
  const recorded = new Set(slots.map(({ slot }) => slot))
  for (let minute = 0; ; minute += 1) {
    const moment = minutesFrom(firstMoment(now), minute)
    if (!recorded.has(moment)) return moment
  }
}
