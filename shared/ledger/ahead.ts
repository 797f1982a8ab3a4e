/**
 * Drops dates in the ledger that lie in the future and can't: a clock was ahead, or a person edited it. They
 * would keep every tick idle until then, or a policy without slots.
 */
import { longOf } from '../work/verbs.ts'
import { LEEWAY, LONGEST_SLEEP } from './beat.ts'
import type { Attempt, Ledger, PolicyLedger } from './ledger.ts'
import type { Found } from './parse-ledger.ts'
import { isCanonical, isObject } from './parts.ts'
import { unknownIn } from './unseen.ts'
import type { Work } from './work.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE
/** The longest backoff between tries of a snapshot. */
const LONGEST_WAIT = 30 * MINUTE

const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString()

/** Until when nothing is due; null: something may be. Reads no more than needed, as every tick calls it. */
export function wakeAtOf(value: unknown, now: Date): string | null {
  if (!isObject(value)) return null
  // Of an earlier version, which looked at less: what it didn't see is told now, not when something is due.
  const { sight } = value
  return isObject(sight) && sight.roles === undefined ? null : plausible(value, now)
}

/** Null where it is over, or can't be. */
function plausible({ wakeAt, written }: { wakeAt?: unknown; written?: unknown }, now: Date): string | null {
  if (!isCanonical(wakeAt) || wakeAt <= now.toISOString() || wakeAt > after(now, LONGEST_SLEEP + LEEWAY))
    return null
  return isCanonical(written) && written > after(now, LEEWAY) ? null : wakeAt
}

/** The ledger without such dates; what was dropped is added to `lost`. */
export function dropFuture({ ledger, lost }: Found, now: Date): Found {
  if (ledger === null) return { ledger, lost }
  const limit = after(now, LEEWAY)
  const dropped: string[] = []
  const policies = Object.entries(ledger.policies).flatMap(([name, policy]) => {
    const own = isAhead(policy, limit) ? withoutFuture(name, policy, limit) : policy
    if (own !== policy) dropped.push(`some slots of policy ${name}: they were in the future`)
    return own === null ? [] : [[name, withSoonTries(own, now)] as const]
  })
  // It is the server's time, whose clock may be wrong by more.
  const incus = Object.entries(ledger.incus ?? {}).filter(([, { upTo }]) => upTo <= after(now, DAY))
  const work = Object.entries(ledger.work).map(([key, entry]) => [key, sooner(key, entry, now)] as const)
  return {
    ledger: {
      ...ledger,
      ...timesOf(ledger, now),
      policies: Object.fromEntries(policies),
      ...(ledger.incus === undefined ? {} : { incus: Object.fromEntries(incus) }),
      work: Object.fromEntries(work),
    },
    lost: [...lost, ...dropped],
  }
}

/** A `wakeAt` that isn't plausible counts as due at once. */
function timesOf(ledger: Ledger, now: Date): Pick<Ledger, 'wakeAt' | 'written' | 'ahead' | 'woken'> {
  const { wakeAt, written, woken } = ledger
  const believed = written === undefined || written <= after(now, LEEWAY) ? written : now.toISOString()
  const awake = wakeAt <= now.toISOString() || plausible(ledger, now) !== null
  return {
    wakeAt: awake ? wakeAt : (believed ?? now.toISOString()),
    ...(believed === undefined ? {} : { written: believed }),
    ...(written === undefined || believed === written ? {} : { ahead: written }),
    ...(woken === undefined || woken <= after(now, LEEWAY) ? {} : { woken: now.toISOString() }),
  }
}

/** `since` isn't checked: only a run that observes Incus moves it. */
const isAhead = ({ accounted, open, slots }: PolicyLedger, limit: string): boolean =>
  accounted > limit || (open?.slot ?? '') > limit || slots.some(({ slot, through = slot }) => through > limit)

/** The records show up to where slots are accounted for; null: they don't. */
function withoutFuture(policy: string, noted: PolicyLedger, limit: string): PolicyLedger | null {
  const slots = noted.slots.filter(({ slot, through = slot }) => through <= limit)
  const open = noted.open !== null && noted.open.slot <= limit ? noted.open : null
  const marks = [open?.slot, ...slots.map(({ slot, through = slot }) => through), noted.since]
  const known = marks.filter((mark): mark is string => mark !== undefined && mark <= limit).sort()
  const accounted = noted.accounted <= limit ? noted.accounted : known.at(-1)
  if (accounted === undefined) return null
  const partial = [...(noted.partial ?? []), ...(open === null ? unknownIn(policy, noted.open) : [])]
  return {
    ...noted,
    accounted,
    ...(partial.length === 0 ? {} : { partial }),
    open,
    slots,
  }
}

function withSoonTries(policy: PolicyLedger, now: Date): PolicyLedger {
  const { open } = policy
  if (open === null) return policy
  const limit = after(now, LONGEST_WAIT + LEEWAY)
  const attempts = Object.entries(open.attempts).map(([key, attempt]): [string, Attempt] =>
    attempt.retryAt !== undefined && attempt.retryAt > limit
      ? [key, { ...attempt, retryAt: now.toISOString() }]
      : [key, attempt],
  )
  return { ...policy, open: { ...open, attempts: Object.fromEntries(attempts) } }
}

function sooner(key: string, entry: Work, now: Date): Work {
  const long = longOf(key)
  // A kind of work of a later version: its retry policy isn't known.
  if (long === undefined) return entry
  const longest = long.retry.longest * MINUTE
  const at = entry.at > after(now, LEEWAY) ? now.toISOString() : entry.at
  if (entry.retryAt === undefined || entry.retryAt <= after(now, longest + LEEWAY))
    return at === entry.at ? entry : { ...entry, at }
  return { ...entry, at, retryAt: now.toISOString() }
}
