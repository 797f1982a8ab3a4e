/**
 * Plans all replicas of a run: the outcome of their last transfers, which start now, and what their sources
 * must keep.
 */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { staysAt, staysUntil } from '../../incus/min-retention.ts'
import { commonPairs } from '../../incus/pairs.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { expiryKey } from '../../plan/brake.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding, type Found, gather } from '../../plan/finding.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { isPending, standingOf } from '../life.ts'
import { beginAll } from './begin.ts'
import { type Compared, compareSides } from './compare.ts'
import { COPY, type CopyWork, copyIn } from './entry.ts'
import { judge } from './judge.ts'
import { type CopyContext, entryOf, isAllowed, isWanted, type Judged, noteOf } from './judged.ts'
import { parseVerified, renderVerified } from './marks.ts'
import { putOffExpiry } from './put-off.ts'
import { leastOn, type Replica, replicasOf, restingOf, strayCopies } from './replica.ts'
import { heldOnTarget } from './target-retention.ts'
import { verification } from './verification.ts'

export function planDueCopies(context: PlanContext, { incomplete, busy, taking }: Found): Finding {
  const { coverages, now } = context
  const covered = coverages.flatMap((coverage) => coverage.covered)
  const world = { ...context.world, incomplete }
  const isTaking = taking.size > 0 && coverages.some(({ policy }) => policy.copy !== null)
  return combine([
    planCopies(covered, { ...context, world, busy }),
    {
      wake: [
        ...(isTaking ? [minutesFrom(now, 1)] : []),
        ...coverages.flatMap((one) => wakeForUnseen(one, now)),
        // So that what is told of a role ends soon after somebody corrects it.
        ...(coverages.some(({ roles }) => roles.some((one) => one.of === 'remote'))
          ? [minutesFrom(now, 1)]
          : []),
      ],
    },
  ])
}

/** If a source can't be read, its copies are checked again soon and not only at the next slot. */
function wakeForUnseen({ policy, covered, unreadable }: Coverage, now: Date): string[] {
  const unseen = unreadable.length > 0 || covered.some(({ record }) => record.snapshots === null)
  return unseen && policy.copy !== null && !policy.paused ? [minutesFrom(now, 1)] : []
}

/** `covered`: the sources, by each policy that covers them. */
export function planCopies(covered: readonly Covered[], given: Omit<CopyContext, 'coveringOf'>): Found {
  const byKey = groupBy(covered, ({ key }) => key)
  const context: CopyContext = { ...given, coveringOf: (key) => byKey.get(key) ?? [] }
  const all = replicasOf(covered)
  const judged = all
    .filter(({ source }) => source.record.snapshots !== null)
    .map((replica) => judgeOne(replica, context))
  const resting = restingOf(covered)
    .filter(({ source }) => source.record.snapshots !== null)
    .map((replica) => compareSides(replica, context))
  const bySource = groupBy<Compared>([...judged, ...resting], ({ replica }) => replica.source.key)
  const found = gather([
    { blocked: new Map(strayCopies(all, context.world).map(({ source, reason }) => [source, reason])) },
    ...all.filter(({ source }) => source.record.snapshots === null).map((one) => waitForSource(one, context)),
    ...resting.map(keepCommon),
    ...[...judged, ...resting].map((one) => keepYoung(one, context)),
    ...judged.map((one) => {
      const { finding, expire } = heldOnTarget(one, context)
      return isAllowed(one.replica, context) ? { ...finding, actions: expire } : finding
    }),
    ...judged.map((one) => settle(one, othersOf(one, bySource), context)),
    ...beginAll(judged, context),
  ])
  const putOffs = [...judged, ...resting].map(({ replica, common, ours }) =>
    putOff(replica, ours ?? common, context.coveringOf(replica.source.key), found, context),
  )
  return gather([found, ...putOffs])
}

function judgeOne(replica: Replica, context: CopyContext): Judged {
  const { world, now, installation, ledger } = context
  const looked = compareSides(replica, context)
  const known = copyIn(ledger, replica.key)
  return { ...looked, judgement: judge({ replica, seen: looked.seen, world, known, now, installation }) }
}

/** Snapshots of the source that the refreshes of its other copies need, also of those that are paused. */
const othersOf = ({ replica }: Judged, bySource: ReadonlyMap<string, Compared[]>): string[] =>
  (bySource.get(replica.source.key) ?? []).flatMap(({ replica: other, common, ours }) =>
    other === replica ? [] : [common, ours].flatMap((pair) => (pair === null ? [] : [pair[0]])),
  )

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const group = groups.get(keyOf(one))
    if (group === undefined) groups.set(keyOf(one), [one])
    else group.push(one)
  }
  return groups
}

/** The outcome of its last transfer. */
function settle(judged: Judged, others: readonly string[], context: CopyContext): Finding {
  const { replica, seen, judgement } = judged
  const { source, key } = replica
  if (judgement.phase === 'idle') return keepCommon(judged)
  if (judgement.phase === 'broken' && isWanted(judged, context)) return {}
  if (judgement.phase === 'completed') {
    const { entry } = judgement
    const { action, finding } = verification(replica, seen, judgement, context, others)
    return combine([
      finding,
      { actions: [action], wake: [minutesFrom(context.now, 1)] },
      entryOf(replica, { ...entry, verified: renderVerified(action.marks) }),
      // If the marks can't be written, the next refresh needs what they say now.
      keepCommon(judged),
      needs(source.key, entry.newest, `newest snapshot common with ${replica.target.remote}`),
    ])
  }
  const { phase, entry, reason } = judgement
  const isRunning = phase === 'running'
  const about = { key: workKey(COPY, key), about: key, known: copyIn(context.ledger, key) }
  const said = isRunning ? reason : `copy ${entry.state}: ${reason}`
  return combine([
    standingOf(about, { phase, entry, reason: said }, context.now),
    { blocked: new Map([[source.key, isRunning ? 'a copy of it is running' : reason]]) },
  ])
}

const needs = (source: string, snapshot: string | undefined, reason: string): Finding =>
  snapshot === undefined ? {} : { needed: new Map([[source, new Map([[snapshot, reason]])]]) }

/** The next refresh needs the newest common snapshot. */
function keepCommon({ replica, seen, common, ours }: Compared): Finding {
  const { source, target } = replica
  const reason = `newest snapshot common with ${target.remote}`
  const own = needs(source.key, ours?.[0], `newest snapshot of stapes common with ${target.remote}`)
  if (seen.state !== 'unknown') return combine([own, needs(source.key, common?.[0], reason)])
  if (common !== null) return combine([own, needs(source.key, common[0], `${reason}, as last seen`)])
  const blocked = `the newest snapshot common with the copy is not known: ${seen.reason}`
  return combine([own, { blocked: new Map([[source.key, blocked]]) }])
}

/**
 * The relay keeps their copies for a time, so a refresh could not remove them: the source keeps them as long. While
 * it isn't known for how long, it keeps all of them.
 */
function keepYoung({ replica, seen, verified }: Compared, context: CopyContext): Finding {
  const { world, ledger, now } = context
  const { source, target, key } = replica
  const known = copyIn(ledger, key)
  const least = leastOn(replica, world, known)
  const there = seen.state === 'unknown' ? parseVerified(known?.verified) : verified
  const common = commonPairs(source.record.snapshots ?? [], there)
  const young = least === null ? common : common.filter((pair) => staysAt(pair, least, now))
  if (young.length === 0) return {}
  const reasons = young.map((pair) => {
    const until = least === null ? null : staysUntil(pair, least)
    const why =
      until === null
        ? `it is verified on ${target.remote}, and it is not known how long the relay keeps it there`
        : `the relay keeps its copy on ${target.remote} until ${until.toISOString()}`
    return [pair[0], why] as const
  })
  const needed = new Map([[source.key, new Map(reasons)]])
  return least === null ? { needed, stalled: stalledBy(replica, context) } : { needed }
}

/** What could not go meanwhile goes all at once later: that is a rotation, and nothing for the brake. */
function stalledBy({ source }: Replica, { coveringOf, ledger, now }: CopyContext): Found['stalled'] {
  const since = ledger.sight?.stalled
  const keys = coveringOf(source.key).map(({ policy }) => expiryKey(policy.name, source.key))
  return Object.fromEntries(keys.map((key) => [key, own(since, key) ?? now.toISOString()]))
}

/** Recorded only if the copy has a ledger entry. */
function putOff(
  replica: Replica,
  common: SnapshotPair | null,
  covering: readonly Covered[],
  { work }: Found,
  { ledger, busy, now }: CopyContext,
): Finding {
  const { key, source } = replica
  if (common === null || busy.has(source.key)) return {}
  const known = (own(work, workKey(COPY, key)) as CopyWork | undefined) ?? copyIn(ledger, key)
  const found = putOffExpiry(replica, common, known, covering, now)
  if (found === null) return {}
  const { action, putOff } = found
  return { actions: [action], ...(known === undefined ? {} : entryOf(replica, { ...known, putOff })) }
}

/** While a source can't be read nothing is done, and that is reported, also in the entry of a running copy. */
function waitForSource(replica: Replica, { ledger }: Pick<CopyContext, 'ledger'>): Finding {
  const { record } = replica.source
  const reason = `nothing is copied while its source can't be listed: ${record.problem ?? 'no reason was given'}`
  const known = copyIn(ledger, replica.key)
  const noted = noteOf(replica, 'problem', reason)
  return known !== undefined && isPending(known)
    ? combine([noted, entryOf(replica, { ...known, reason })])
    : noted
}
