/**
 * First snapshots: who has none of the policy when its accounts begin doesn't wait for the next slot. Where
 * that can't be seen yet, or the policy is paused, it is owed until it can.
 */
import type { PolicyLedger } from '../../ledger/ledger.ts'
import type { Policy } from '../../policy/policy.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { firstMoment } from './late.ts'

/** What was seen of a policy's instances. */
export type Sight = {
  /** Slots that a snapshot was seen of. */
  observed: readonly Date[]
  /** What could not be looked at: `remote:<name>`, or keys of instances. */
  unseen: readonly string[]
  /** Keys of instances that have no snapshot of the policy at all. */
  bare: readonly string[]
}

const REMOTE = 'remote:'
/** Minutes after which it is looked again for what could not be seen. */
const LOOK = 15

/** All that a policy may cover. */
export const everywhere = ({ select }: Pick<Policy, 'select'>): string[] =>
  select.remotes.map((remote) => `${REMOTE}${remote}`)

/** Each of them is owed one try: what can be looked at, whatever comes of it, is owed nothing any more. */
export function withFirst(
  { paused }: Pick<Policy, 'paused'>,
  ledger: PolicyLedger,
  see: () => Sight,
  now: Date,
): PolicyLedger {
  const { owing, ...rest } = ledger
  if (owing === undefined || paused) return ledger
  const { bare, unseen } = see()
  const left = owing.flatMap((entry) => stillUnseen(entry, unseen))
  const next = left.length === 0 ? rest : { ...rest, owing: left }
  // The slot that is open takes it as well.
  if (next.open !== null || !bare.some((key) => isOwed(key, owing))) return next
  return { ...next, open: { slot: momentFor(ledger, now), first: true, attempts: {} } }
}

/** When to look for what is owed and can't be seen. */
export const lookForOwed = ({ owing, open }: PolicyLedger, paused: boolean, now: Date): string[] =>
  owing === undefined || open !== null || paused ? [] : [minutesFrom(now, LOOK)]

const placeOf = (key: string): string => `${REMOTE}${key.slice(0, key.indexOf('/'))}`

const isOwed = (key: string, owing: readonly string[]): boolean =>
  owing.includes(key) || owing.includes(placeOf(key))

/** Of a remote that gives an answer, its instances that can't be looked at are left. */
function stillUnseen(entry: string, unseen: readonly string[]): string[] {
  if (unseen.includes(entry)) return [entry]
  if (entry.startsWith(REMOTE))
    return unseen.filter((key) => !key.startsWith(REMOTE) && placeOf(key) === entry)
  return unseen.includes(placeOf(entry)) ? [entry] : []
}

/** No slot is recorded twice. */
function momentFor({ slots }: PolicyLedger, now: Date): string {
  const recorded = new Set(slots.map(({ slot }) => slot))
  for (let minute = 0; ; minute += 1) {
    const moment = minutesFrom(firstMoment(now), minute)
    if (!recorded.has(moment)) return moment
  }
}
