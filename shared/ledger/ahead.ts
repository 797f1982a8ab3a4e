/**
 * What lies ahead of now though it can't: a clock was ahead when it was noted, or a hand wrote it. Trusted,
 * it would keep every tick idle until then, or a policy without slots.
 */
import type { Attempt, CopyLedger, Ledger, PolicyLedger, RestoreLedger } from './ledger.ts'
import type { Found } from './parse-ledger.ts'
import { isCanonical, isObject } from './parts.ts'
import { unseenIn } from './unseen.ts'

const MINUTE = 60_000
/** Ticks overtake each other by no more. */
export const LEEWAY = 15 * MINUTE
/** With nothing due, the configuration is looked at again after this long all the same. */
export const LONGEST_SLEEP = 24 * 60 * MINUTE
/** Who looks notes it so often, whatever came of it: else nobody could tell silence from a long wait. */
export const HEARTBEAT = 4 * MINUTE
/** Tries are put off by no more: of a snapshot, of a copy, of a restore. */
const LONGEST_WAIT = { snapshot: 30 * MINUTE, copy: 240 * MINUTE, restore: 30 * MINUTE }

const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString()

/** Until when nothing is due; null: something may be. Judges no more than that, for it is asked each minute. */
export function wakeAtOf(value: unknown, now: Date): string | null {
  if (!isObject(value)) return null
  const { wakeAt, written } = value
  if (!isCanonical(wakeAt) || wakeAt <= now.toISOString() || wakeAt > after(now, LONGEST_SLEEP + LEEWAY))
    return null
  return isCanonical(written) && written > after(now, LEEWAY) ? null : wakeAt
}

/** The ledger without it; what was dropped is added to what was lost. */
export function trusted({ ledger, lost }: Found, now: Date): Found {
  if (ledger === null) return { ledger, lost }
  const limit = after(now, LEEWAY)
  const dropped: string[] = []
  const { restores } = ledger
  const policies = Object.entries(ledger.policies).flatMap(([name, policy]) => {
    const own = isAhead(policy, limit) ? withoutFuture(name, policy, limit) : policy
    if (own !== policy) dropped.push(`the slots of policy ${name}, in part: they lay in the future`)
    return own === null ? [] : [[name, withSoonTries(own, now)] as const]
  })
  const soon = <Entry extends CopyLedger | RestoreLedger>(entries: Record<string, Entry>, longest: number) =>
    Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, sooner(entry, longest, now)]))
  return {
    ledger: {
      ...ledger,
      ...timesOf(ledger, now),
      policies: Object.fromEntries(policies),
      copies: soon(ledger.copies, LONGEST_WAIT.copy),
      ...(restores === undefined ? {} : { restores: soon(restores, LONGEST_WAIT.restore) }),
    },
    lost: [...lost, ...dropped],
  }
}

/** A moment to wake at that isn't believed was due at once. */
function timesOf(ledger: Ledger, now: Date): Pick<Ledger, 'wakeAt' | 'written' | 'woken'> {
  const { wakeAt, written, woken } = ledger
  const believed = written === undefined || written <= after(now, LEEWAY) ? written : now.toISOString()
  const awake = wakeAt <= now.toISOString() || wakeAtOf(ledger, now) !== null
  return {
    wakeAt: awake ? wakeAt : (believed ?? now.toISOString()),
    ...(believed === undefined ? {} : { written: believed }),
    ...(woken === undefined || woken <= after(now, LEEWAY) ? {} : { woken: now.toISOString() }),
  }
}

/** Not `since`, which is only moved by who looks at what is there. */
const isAhead = ({ accounted, open, slots }: PolicyLedger, limit: string): boolean =>
  accounted > limit || (open?.slot ?? '') > limit || slots.some(({ slot, through = slot }) => through > limit)

/** Its records still tell up to where everything was accounted for; null: they don't. */
function withoutFuture(policy: string, noted: PolicyLedger, limit: string): PolicyLedger | null {
  const slots = noted.slots.filter(({ slot, through = slot }) => through <= limit)
  const open = noted.open !== null && noted.open.slot <= limit ? noted.open : null
  const marks = [open?.slot, ...slots.map(({ slot, through = slot }) => through), noted.since]
  const known = marks.filter((mark): mark is string => mark !== undefined && mark <= limit).sort()
  const accounted = noted.accounted <= limit ? noted.accounted : known.at(-1)
  if (accounted === undefined) return null
  const doubtful = [...(noted.doubtful ?? []), ...(open === null ? unseenIn(policy, noted.open) : [])]
  return {
    ...noted,
    accounted,
    ...(doubtful.length === 0 ? {} : { doubtful }),
    open,
    slots,
  }
}

function withSoonTries(policy: PolicyLedger, now: Date): PolicyLedger {
  const { open } = policy
  if (open === null) return policy
  const limit = after(now, LONGEST_WAIT.snapshot + LEEWAY)
  const attempts = Object.entries(open.attempts).map(([key, attempt]): [string, Attempt] =>
    attempt.retryAt !== undefined && attempt.retryAt > limit
      ? [key, { ...attempt, retryAt: now.toISOString() }]
      : [key, attempt],
  )
  return { ...policy, open: { ...open, attempts: Object.fromEntries(attempts) } }
}

function sooner<Entry extends CopyLedger | RestoreLedger>(entry: Entry, longest: number, now: Date): Entry {
  const at = entry.at > after(now, LEEWAY) ? now.toISOString() : entry.at
  if (entry.retryAt === undefined || entry.retryAt <= after(now, longest + LEEWAY))
    return at === entry.at ? entry : { ...entry, at }
  return { ...entry, at, retryAt: now.toISOString() }
}
