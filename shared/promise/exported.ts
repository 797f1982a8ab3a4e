/** What looks into a store, and reading again what it has, show of an instance's exports. */
import type { Ledger } from '../ledger/ledger.ts'
import { placeOf } from '../ledger/work.ts'
import { own } from '../own.ts'
import type { Plan } from '../plan/plan.ts'
import type { World } from '../plan/world.ts'
import { isBucket } from '../policy/buckets.ts'
import type { Covered } from '../policy/cover.ts'
import { checkIn } from '../work/check/entry.ts'
import { type ExportRow, pairIn } from '../work/export/manifest.ts'
import { type Fact, inStore, parsePair, renderPair } from './facts.ts'

type Exported = Pick<
  Fact,
  'store' | 'exportSeen' | 'exportUnread' | 'checkedAt' | 'exportBad' | keyof Newest | keyof Gone
>
type Newest = Pick<Fact, 'exportName' | 'exported' | 'exportedAt'>
type Gone = Pick<Fact, 'exportGone' | 'exportGoneAt'>

type Known = { world: Pick<World, 'exports' | 'surveys'>; work: Ledger['work'] }

export function exportedOf(
  covered: Covered,
  former: Fact | undefined,
  { world, work }: Known,
  now: Date,
): Exported {
  const to = covered.policy.export?.to
  if (to === undefined) return {}
  const before = inStore(former ?? {}, to)
  const read = readOf(covered.key, before, { to, work })
  const looked = world.exports?.get(placeOf(covered.key, to))
  const [row] = (looked?.rows ?? []).filter((one) => isOf(covered, one) && one.name !== read.exportBad)
  const base = { store: to, ...read }
  // Of others than the one that was looked for, nothing was seen.
  const isSeen = looked !== undefined && looked.rows !== null && looked.name === null
  if (row !== undefined && (isSeen || row.madeAt >= (before.exportedAt ?? '')))
    return {
      ...sameOne(base, row.name === before.exportName),
      ...newestOf(row, now),
      exportSeen: now.toISOString(),
    }
  const exportSeen = isSeen ? now.toISOString() : before.exportSeen
  const place = placeOf(covered.key, to)
  const isUnread = looked?.rows === null || world.surveys?.get(place) === null
  const exportUnread = isUnread ? now.toISOString() : isSeen ? undefined : before.exportUnread
  const seen = {
    ...base,
    ...(exportSeen === undefined ? {} : { exportSeen }),
    ...(exportUnread === undefined ? {} : { exportUnread }),
  }
  const isGone = (isSeen && row === undefined) || before.exportName === read.exportBad
  return before.exported !== undefined && !isGone
    ? { ...seen, ...asBefore(before) }
    : { ...seen, ...goneOf(before, now) }
}

type SortedFact = Pick<Fact, 'exportSorted' | 'exportNext' | 'exportTries' | 'exportGoing' | 'exportStrays'>

/** What the last look at all of its exports has shown. */
export function sortedOf(
  covered: Covered,
  former: Fact | undefined,
  policy: string,
  sorted: NonNullable<Plan['sorted']>,
): SortedFact {
  const to = covered.policy.export?.to
  if (to === undefined) return {}
  const seen = own(sorted, `${policy} ${placeOf(covered.key, to)}`)
  if (seen !== undefined)
    return {
      exportSorted: seen.at,
      ...(seen.next === null ? {} : { exportNext: seen.next }),
      ...(seen.tries === 0 ? {} : { exportTries: seen.tries }),
      ...(seen.going === '' ? {} : { exportGoing: seen.going }),
      ...(seen.strays === '' ? {} : { exportStrays: seen.strays }),
    }
  const { exportSorted, exportNext, exportTries, exportGoing, exportStrays } = inStore(former ?? {}, to)
  return {
    ...(exportSorted === undefined ? {} : { exportSorted }),
    ...(exportNext === undefined ? {} : { exportNext }),
    ...(exportTries === undefined ? {} : { exportTries }),
    ...(exportGoing === undefined ? {} : { exportGoing }),
    ...(exportStrays === undefined ? {} : { exportStrays }),
  }
}

/** Of another one it isn't known when it was read again. */
function sameOne({ checkedAt, ...base }: Exported, isSame: boolean): Exported {
  return isSame && checkedAt !== undefined ? { ...base, checkedAt } : base
}

const newestOf = (row: ExportRow, now: Date): Newest => ({
  ...{ exportName: row.name, exported: renderPair(pairIn(row)) },
  // By the relay's clock, which may be ahead.
  exportedAt: new Date(Math.min(Date.parse(row.madeAt) || 0, now.getTime())).toISOString(),
})

const asBefore = ({ exportName = '', exported = '', exportedAt = '' }: Fact): Newest => ({
  ...{ exportName, exported, exportedAt },
})

function goneOf({ exported, exportGone, exportGoneAt }: Fact, now: Date): Gone {
  const gone = exported ?? exportGone
  return gone === undefined ? {} : { exportGone: gone, exportGoneAt: exportGoneAt ?? now.toISOString() }
}

/** An instance of that name that was there before isn't this one; nor a bucket that nobody knows as exported. */
const isOf = ({ record }: Covered, row: ExportRow): boolean => {
  const pair = parsePair(renderPair(pairIn(row)))
  const since = record.identity?.since ?? (isBucket(record) ? Number.POSITIVE_INFINITY : 0)
  return pair !== null && since <= pair[1]
}

/** What reading the newest one again has shown. */
function readOf(
  key: string,
  { checkedAt, exportBad, exportName, exportedAt = '' }: Fact,
  { to, work }: { to: string; work: Ledger['work'] },
): Pick<Fact, 'checkedAt' | 'exportBad'> {
  const entry = checkIn({ work }, key, to)
  const before = {
    ...(checkedAt === undefined ? {} : { checkedAt }),
    ...(exportBad === undefined ? {} : { exportBad }),
  }
  if (entry === undefined || entry.at <= exportedAt) return before
  const name = entry.name ?? exportName
  if (entry.corrupt === true && name !== undefined) return { ...before, exportBad: name }
  const isRead = entry.state === 'done' && name === exportName && entry.at > (checkedAt ?? '')
  return isRead ? { ...before, checkedAt: entry.at } : before
}
