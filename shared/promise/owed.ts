/**
 * Until when a promise is kept though the newest one is too old: a newer one was there until then, or the policy's
 * terms have changed. These bind from then on, not for the time before. So a schedule that
 * is tightened, or a policy that is resumed, breaks nothing before its next slot; what was broken stays so.
 */
import type { SnapshotPair } from '../incus/inventory.ts'
import { own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { atPlace, type Fact, type Facts, inStore, newestIn, type Terms, vanishedAt } from './facts.ts'
import { FAR, keptUntil, owedUntil, PROMISES, type PromiseKind } from './terms.ts'

export const isPromised = (
  terms: Policy | Terms,
  kind: PromiseKind,
  { uncopied, unexported, unsnapped }: Fact,
): boolean =>
  !terms.paused &&
  hasKind(terms, kind) &&
  !(unsnapped === true && kind !== 'export') &&
  !(kind === 'copy' && uncopied === true) &&
  !(kind === 'export' && unexported === true)

function hasKind(terms: Policy | Terms, kind: PromiseKind): boolean {
  if (kind === 'snapshot') return true
  return kind === 'copy' ? hasCopy(terms) : terms.export != null
}

const hasCopy = (terms: Policy | Terms): boolean => ('copies' in terms ? terms.copies : terms.copy !== null)

/** Until when that fact alone keeps what is promised. */
export function untilOf(terms: Judged, kind: PromiseKind, fact: Fact, now: Date): Date {
  return vanishedAt(kind, fact) ?? later(byTerms(terms, kind, fact, now), own(fact.owed ?? {}, kind))
}

type Judged = Parameters<typeof keptUntil>[0]

/** Whether the newest one is too old by the terms, and only their change makes it count. */
export const isOnlyOwed = (terms: Judged, kind: PromiseKind, fact: Fact, now: Date): boolean =>
  own(fact.owed ?? {}, kind) !== undefined && byTerms(terms, kind, fact, now) < now

function byTerms(terms: Judged, kind: PromiseKind, fact: Fact, now: Date): Date {
  const pair = newestIn(fact, kind)
  if (pair === null) return owedUntil(terms, kind, new Date(fact.since ?? now))
  return kind === 'export' ? exportedUntil(terms, pair, fact, now) : keptUntil(terms, kind, pair)
}

/** By a schedule, a slot owes nothing where there is no newer snapshot than the one that was exported. */
function exportedUntil(
  terms: Judged,
  pair: SnapshotPair,
  { exported, taken, exportedAt = '', exportDue = '', unsnapped }: Fact,
  now: Date,
): Date {
  // Of what changes at any time, each slot owes one.
  if (unsnapped === true)
    return keptUntil(terms, 'export', pair, exportedAt === '' ? undefined : new Date(exportedAt))
  const since = exportDue === '' && taken !== exported ? now.toISOString() : exportDue
  const owes = [exportedAt, since].toSorted().at(-1) ?? ''
  const until = keptUntil(terms, 'export', pair, owes === '' ? undefined : new Date(owes))
  const isBySchedule = (own(terms.promise ?? {}, 'export') ?? null) === null
  return isBySchedule && exported === taken ? FAR : until
}

/** The policy's terms at the last look, if they were others. Undefined: they were the same, or aren't known. */
export function formerOf(facts: Facts | null, policy: Policy): Terms | undefined {
  const terms = own(facts?.terms ?? {}, policy.name)
  const isSame = terms === undefined || JSON.stringify(inOrder(terms)) === JSON.stringify(inOrder(policy))
  return isSame ? undefined : terms
}

/** `former`: its terms until `now`, if they were others. */
export function withOwed(fact: Fact, policy: Policy, former: Terms | undefined, now: Date): Fact {
  if (former === undefined) return fact
  const owed = PROMISES.filter((kind) => isPromised(policy, kind, fact)).map((kind) => {
    const before = isPromised(former, kind, fact) ? untilOf(former, kind, fact, now) : FAR
    const until = Math.min(before.getTime(), owedUntil(policy, kind, now).getTime())
    return [kind, new Date(until).toISOString()]
  })
  return { ...fact, owed: Object.fromEntries(owed) }
}

/** `before`, where the newest one of `seen` is an older one: the one that is gone kept the promise until now at most. */
export function withFallen(before: Fact, seen: Fact, policy: Policy, now: Date): Fact {
  const known = inStore(atPlace(before, seen.place ?? null), seen.store ?? null)
  const fallen = PROMISES.flatMap((kind): [PromiseKind, string][] => {
    const [newest, former] = [newestIn(seen, kind), newestIn(known, kind)]
    if (newest === null || former === null || newest[1] >= former[1]) return []
    const until = untilOf(policy, kind, known, now)
    const held = until < now ? until : now
    return [[kind, later(held, own(known.owed ?? {}, kind)).toISOString()]]
  })
  return fallen.length === 0 ? before : { ...before, owed: { ...before.owed, ...Object.fromEntries(fallen) } }
}

/** Without what is owed by the terms anyway. */
export function withoutNeedless({ owed = {}, ...fact }: Fact, policy: Policy, now: Date): Fact {
  const left = PROMISES.flatMap((kind) => {
    const until = own(owed, kind)
    return until === undefined || Date.parse(until) <= byTerms(policy, kind, fact, now).getTime()
      ? []
      : [[kind, until]]
  })
  return left.length === 0 ? fact : { ...fact, owed: Object.fromEntries(left) }
}

export const termsIn = (policies: readonly Policy[]): NonNullable<Facts['terms']> =>
  Object.fromEntries(policies.map((policy) => [policy.name, termsOf(policy)]))

const termsOf = (policy: Policy): Terms => {
  const { schedule, timezone, jitter, promise, paused } = policy
  const exporting = policy.export ?? null
  return {
    ...{ schedule: [...schedule], timezone, jitter },
    ...(promise === undefined ? {} : { promise: { ...promise } }),
    ...{ paused, copies: hasCopy(policy) },
    ...(exporting === null ? {} : { export: { schedule: [...exporting.schedule] } }),
  }
}

const inOrder = (terms: Policy | Terms): unknown[] => {
  const { schedule, timezone, jitter, promise, paused } = terms
  return [
    ...[schedule, timezone, jitter, paused, hasCopy(terms), terms.export?.schedule ?? null],
    ...PROMISES.map((kind) => own(promise ?? {}, kind) ?? null),
  ]
}

const later = (one: Date, other: string | undefined): Date =>
  other !== undefined && Date.parse(other) > one.getTime() ? new Date(other) : one
