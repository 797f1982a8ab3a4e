/**
 * Which of an instance's exports a policy's `keep` wants, and which may go: only those that this policy of this installation had
 * made of this very instance. Of anything else it says why it stays.
 */
import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import { instanceOf } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import { type Installation, isOwnedBy } from '../../plan/installation.ts'
import { storeRetention } from '../../plan/world.ts'
import { applyKeep } from '../../retention/apply.ts'
import type { Keep } from '../../retention/keep.ts'
import { exportsOf, type Wanted, type Wanting } from '../export/due.ts'
import { type ExportRow, type ExportSurvey, pairIn } from '../export/manifest.ts'

export type Sorting = {
  /** The policy's name. */
  policy: string
  keep: Keep
  timezone: string
  record: Pick<InstanceRecord, 'identity'>
  /** Snapshots of the instance that are held. */
  held: ReadonlySet<string>
  /** Name of one that isn't what was stored. */
  bad: string | undefined
  installation: Installation
  /** Seconds for which its store keeps each at least; null: that isn't known. */
  minRetention: number | null
  now: Date
}

type Reasoned = { name: string; reason: string }

export type SortedExports = {
  kept: Reasoned[]
  going: (Reasoned & { snapshot: string })[]
  /** No rule keeps them, and their store does until then (ISO 8601). */
  later: (Reasoned & { until: string })[]
  /** Those that the rules count, as `[name, seconds]` of their slots. */
  counted: SnapshotPair[]
}

export function sortExports(rows: readonly ExportRow[], sorting: Sorting): SortedExports {
  const strange = new Map(
    rows.flatMap((row) => {
      const why = strangeReason(row, sorting)
      return why === null ? [] : [[row.name, why] as const]
    }),
  )
  const mine = rows.filter(({ name }) => !strange.has(name))
  const { keep, timezone, now, held } = sorting
  const candidates = mine.map((row) => ({
    name: row.name,
    slot: slotIn(row.name),
    held: row.held === true || held.has(row.snapshot.name),
  }))
  const byName = new Map(mine.map((row) => [row.name, row]))
  const retention = applyKeep(keep, { timezone, now, candidates })
  const result: SortedExports = {
    kept: [
      ...retention.keep.map(({ name, reasons }) => ({
        name,
        reason: heldText(byName.get(name)) ?? reasons.join(', '),
      })),
      ...[...strange].map(([name, reason]) => ({ name, reason })),
    ],
    going: [],
    later: [],
    counted: candidates.map(({ name, slot }): SnapshotPair => [name, Math.floor(slot.getTime() / 1000)]),
  }
  // The oldest first.
  for (const { name, reason } of retention.expire.toReversed()) {
    const row = byName.get(name)
    if (row === undefined) continue
    const until = keptUntil(row, sorting)
    if (until === null) result.going.push({ name, reason, snapshot: row.snapshot.name })
    else result.later.push({ name, reason: `${reason}, and its store keeps it until ${until}`, until })
  }
  return result
}

/** Null: it may go now. */
function keptUntil({ madeAt, until = '' }: ExportRow, { minRetention, now }: Sorting): string | null {
  const least = Date.parse(madeAt) + (minRetention ?? 0) * 1000
  const latest = Math.max(least, Date.parse(until) || 0)
  return latest > now.getTime() ? new Date(latest).toISOString() : null
}

/** Of what people have said of one; null: nothing that keeps it, or lets it go. */
const heldText = (row: ExportRow | undefined): string | null =>
  row?.why === undefined ? null : `held: ${row.why}`

const saidText = (row: ExportRow): string | null =>
  heldText(row) ??
  (row.going === undefined
    ? null
    : `somebody has it removed on ${row.going}: until then undo-export takes that back`)

const ON_REQUEST = 'made on request, so no policy removes it'

/** Null: the policy's rules decide about it. */
function strangeReason(row: ExportRow, { policy, record, bad, installation }: Sorting): string | null {
  if (row.why === undefined && row.going !== undefined) return saidText(row)
  if (row.policy === undefined) return saidText(row) ?? ON_REQUEST
  if (row.policy !== policy) return `made for policy ${row.policy}, so this one does not remove it`
  if (!isOwnedBy(row.owner, installation)) return 'another installation of stapes had it made'
  const [, taken] = pairIn(row)
  if (Number.isNaN(taken) || (record.identity?.since ?? 0) > taken)
    return 'it is of an earlier instance of that name'
  if (row.name === bad) return 'it is not what was stored, so no rule counts it'
  return Number.isNaN(slotIn(row.name).getTime()) || Number.isNaN(Date.parse(row.madeAt))
    ? 'its date can’t be read'
    : null
}

/** `20261122T030000Z`. */
const slotIn = (name: string): Date =>
  new Date(name.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))

export const sortedFor = (
  { covered, policy, export: wish, fact }: Wanted,
  { rows }: Pick<ExportSurvey, 'rows'>,
  { world, installation, now }: Pick<PlanContext, 'world' | 'installation' | 'now'>,
): SortedExports =>
  sortExports(rows, {
    ...{ policy, keep: wish.keep ?? {}, timezone: covered.policy.timezone, record: covered.record },
    ...{ held: covered.held, bad: fact.exportBad, installation, now },
    minRetention: storeRetention(world, wish.to),
  })

type Keeping = Pick<Wanting, 'coverages' | 'facts' | 'now'> & Pick<PlanContext, 'world' | 'installation'>

/** Of all that a store has of an instance, why each stays, or that it goes; by name. */
export function reasonsOf(
  key: string,
  { store, rows }: { store: string; rows: readonly ExportRow[] },
  keeping: Keeping,
): Map<string, string> {
  const here = exportsOf(keeping).filter(({ covered, export: { to } }) => covered.key === key && to === store)
  const reasons = new Map<string, string>()
  const isGone = keeping.world.find(instanceOf(key)) === undefined
  for (const row of rows) {
    const { name, policy } = row
    reasons.set(
      name,
      saidText(row) ??
        (isGone
          ? 'its instance is gone, or not listed, so it stays'
          : policy === undefined
            ? ON_REQUEST
            : `policy ${policy} does not export it there now, so it stays`),
    )
  }
  for (const one of here) {
    const { kept, going, later } = sortedFor(one, { rows: [...rows] }, keeping)
    const mine = new Set(rows.flatMap(({ name, policy }) => (policy === one.policy ? [name] : [])))
    for (const { name, reason } of [...kept, ...later]) if (mine.has(name)) reasons.set(name, reason)
    for (const { name, reason } of going)
      if (mine.has(name)) reasons.set(name, `${reason}: it goes after the next export, or before`)
  }
  return reasons
}
