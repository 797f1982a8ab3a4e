/** What a look shows of each promise. What it could not see stays as it was known before. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { isIn, newestPair } from '../incus/pairs.ts'
import { aheadOf, compareAge, ownSnapshot } from '../incus/snapshot-name.ts'
import { pathOf, subjectKey } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { workKey } from '../ledger/work.ts'
import { own } from '../own.ts'
import { withPartials } from '../plan/partials.ts'
import type { Plan } from '../plan/plan.ts'
import type { World } from '../plan/world.ts'
import { exportedBy, isBucket } from '../policy/buckets.ts'
import type { Coverage, Covered } from '../policy/cover.ts'
import { COPY, type CopyWork } from '../work/copy/entry.ts'
import { verifiedOn } from '../work/copy/marks.ts'
import { replicasOf, seeTarget } from '../work/copy/replica.ts'
import { exportedOf, sortedOf } from './exported.ts'
import { atPlace, type Fact, type Facts, factOf, isFresh, parsePair, renderPair } from './facts.ts'
import { schedulesIn } from './own-schedules.ts'
import { unprotectedIn } from './unprotected.ts'

type Look = {
  coverages: readonly Coverage[]
  world: World
  ledger: Ledger
  /** Null: nothing is known. */
  before: Facts | null
  /** What this run's looks into stores have shown. */
  sorted?: Plan['sorted']
}

export function witness({ coverages, world, ledger, before, sorted = {} }: Look, now: Date): Facts {
  const seen = withPartials(world, ledger)
  const subjects = coverages.map((coverage) => {
    const { policy, unreadable } = coverage
    const silent = new Set(unreadable.map(({ key }) => key.slice('remote:'.length)))
    const known = own(before?.subjects ?? {}, policy.name) ?? {}
    // Nothing that it covers is gone while its remote gives no answer.
    const unread = Object.entries(known).filter(([key]) => silent.has(pathOf(key)[0]))
    const facts = exportedBy(coverage).map((one): [string, Fact] => [
      one.key,
      {
        ...factFor(one, factOf(before, policy.name, one.key), { world: seen, work: ledger.work }, now),
        ...sortedOf(one, factOf(before, policy.name, one.key), policy.name, sorted),
        ...(policy.copy !== null && one.policy.copy === null ? { uncopied: true as const } : {}),
        ...(policy.export != null && one.policy.export == null ? { unexported: true as const } : {}),
        ...(isBucket(one.record) ? { unsnapped: true as const } : {}),
      },
    ])
    return [policy.name, Object.fromEntries([...unread, ...facts])] as const
  })
  const silent = silentIn(world, before, now)
  return {
    at: now.toISOString(),
    subjects: Object.fromEntries(subjects),
    ...(Object.keys(silent).length === 0 ? {} : { silent }),
    ...unprotectedIn(coverages, world, before),
    ...schedulesIn(coverages, world, before),
  }
}

type Known = { world: World; work: Ledger['work'] }

function factFor(covered: Covered, former: Fact | undefined, known: Known, now: Date): Fact {
  const place = placeOf(covered)
  const key = place === null ? null : subjectKey(place.target)
  const before = former === undefined ? undefined : atPlace(former, key)
  const taken = takenOf(covered, known.world, now)
  const copied = copiedOf(covered, known, now)
  const pairs = {
    taken: taken === 'unknown' ? parsePair(before?.taken) : taken,
    copied: copied === 'unknown' ? parsePair(before?.copied) : copied,
  }
  const gone = taken === 'unknown' ? parsePair(before?.gone) : goneOf(before, taken, covered)
  const lost =
    copied === 'unknown' ? parsePair(before?.lost) : lostOf(before, copied, { covered, known, now })
  const missing = copied === 'unknown' ? before?.missing : missingOf(known.world.lost?.get(key ?? ''), lost)
  const exported = exportedOf(covered, former, known, now)
  const isWhole =
    (pairs.taken !== null || isBucket(covered.record)) &&
    (covered.policy.copy === null || pairs.copied !== null) &&
    (covered.policy.export == null || exported.exported !== undefined)
  const isUnseen = taken === 'unknown' || copied === 'unknown'
  return {
    ...(pairs.taken === null ? {} : { taken: renderPair(pairs.taken) }),
    ...(gone === null ? {} : { gone: renderPair(gone), goneAt: goneAtOf(before, pairs.taken, now) }),
    ...(key === null ? {} : { place: key }),
    ...(pairs.copied === null ? {} : { copied: renderPair(pairs.copied) }),
    ...(lost === null ? {} : { lost: renderPair(lost), lostAt: before?.lostAt ?? now.toISOString() }),
    ...(missing === undefined ? {} : { missing }),
    ...exported,
    ...dueOf(former, exported, pairs.taken, now),
    ...(isWhole ? {} : { since: before?.since ?? now.toISOString() }),
    ...(isUnseen ? { unseen: before?.unseen ?? now.toISOString() } : {}),
  }
}

/** Since when there is something newer to export. */
function dueOf(
  before: Fact | undefined,
  { exported }: Fact,
  taken: SnapshotPair | null,
  now: Date,
): Pick<Fact, 'exportDue'> {
  if (exported === undefined || taken === null || renderPair(taken) === exported) return {}
  const since = before?.exported === exported ? before.exportDue : undefined
  return { exportDue: since ?? now.toISOString() }
}

/** One that is dated in the future may be years old. */
const newestOf = (pairs: readonly SnapshotPair[], now: Date): SnapshotPair | null => {
  const isAhead = aheadOf(now)
  return newestPair(pairs.filter((pair) => !isAhead(pair)))
}

function takenOf(
  { key, record, policy }: Covered,
  { incomplete }: World,
  now: Date,
): SnapshotPair | null | 'unknown' {
  if (record.snapshots === null) return 'unknown'
  const isAhead = aheadOf(now)
  const counts = (pair: SnapshotPair): boolean =>
    !isAhead(pair) &&
    ownSnapshot(pair)?.policy === policy.name &&
    (incomplete.size === 0 || !incomplete.has(`${key}/${pair[0]}`))
  // Mostly the last one listed, and then only dates are compared: each look does this for every instance.
  return record.snapshots.reduceRight<SnapshotPair | null>(
    (newest, pair) =>
      (newest !== null && (pair[1] < newest[1] || compareAge(pair, newest) <= 0)) || !counts(pair)
        ? newest
        : pair,
    null,
  )
}

function copiedOf(covered: Covered, { world, work }: Known, now: Date): SnapshotPair | null | 'unknown' {
  const place = placeOf(covered)
  if (place === null) return null
  const seen = seeTarget(world, place.target)
  if (seen.state === 'absent') return null
  if (seen.state === 'unknown') return 'unknown'
  return newestOf(verifiedOn(seen.record, entryOf(work, place.key)), now)
}

/** A paused policy promises nothing, but what its copy holds is known. */
function placeOf(covered: Covered): { key: string; target: Covered['ref'] } | null {
  const active = { ...covered, policy: { ...covered.policy, paused: false } }
  return replicasOf([active])[0] ?? null
}

const entryOf = (work: Ledger['work'], replica: string): CopyWork | undefined =>
  own(work, workKey(COPY, replica)) as CopyWork | undefined

/** Until there is one as new again. An instance that was made later never had it. */
function goneOf(
  before: Fact | undefined,
  taken: SnapshotPair | null,
  { record }: Covered,
): SnapshotPair | null {
  const last = parsePair(before?.gone) ?? parsePair(before?.taken)
  if (last === null || (taken !== null && taken[1] >= last[1])) return null
  // One that doesn't count, as under a clock that is wrong, is there all the same.
  if ((record.snapshots ?? []).some(([name]) => name === last[0])) return null
  return (record.identity?.since ?? 0) > last[1] ? null : last
}

/** When the last of them was seen to be gone, or the newest. */
const goneAtOf = (before: Fact | undefined, taken: SnapshotPair | null, now: Date): string => {
  const isLast = taken === null && before?.taken !== undefined
  return isLast ? now.toISOString() : (before?.goneAt ?? now.toISOString())
}

/** Until something newer has come, and for a day at least. The newest verified one is never removed by stapes. */
function lostOf(
  before: Fact | undefined,
  copied: SnapshotPair | null,
  { covered, known: { world }, now }: { covered: Covered; known: Known; now: Date },
): SnapshotPair | null {
  const told = parsePair(before?.lost)
  const last = told ?? parsePair(before?.copied)
  if (last === null || covered.policy.copy === null) return null
  if (told !== null && isFresh(before ?? {}, now)) return told
  if (copied !== null && copied[1] >= last[1]) return null
  const place = placeOf(covered)
  const target = place === null ? undefined : world.find(place.target)
  return isIn(target?.snapshots ?? [], last) ? null : last
}

/** Noted of a copy. */
const MOST_MISSING = 50

/** Those that the relay misses, besides the newest one. */
function missingOf(found: readonly string[] = [], lost: SnapshotPair | null): string | undefined {
  const others = found.filter((pair) => lost === null || pair !== renderPair(lost))
  return others.length === 0 ? undefined : others.slice(-MOST_MISSING).join(' ')
}

/** Of the remotes that policies name. */
function silentIn(world: World, before: Facts | null, now: Date): NonNullable<Facts['silent']> {
  return Object.fromEntries(
    Object.entries(world.remotes).flatMap(([remote, reply]) =>
      reply.ok
        ? []
        : [
            [
              remote,
              {
                since: own(before?.silent ?? {}, remote)?.since ?? now.toISOString(),
                reason: reply.error.message,
                code: reply.error.of ?? reply.error.code,
              },
            ] as const,
          ],
    ),
  )
}
