/** What people want of an instance and won't have: by its policy, their holds, or because of its volumes. */
import { expiresAt } from '../incus/expiry.ts'
import { own } from '../own.ts'
import type { Keep } from '../retention/keep.ts'
import { isZero, parseWithin } from '../retention/within.ts'
import { configCommand, shellWord } from '../shell.ts'
import type { Covered } from './cover.ts'
import { HOLD } from './marks.ts'
import type { Policy } from './policy.ts'
import { unbackedVolumes } from './volumes.ts'

type Problem = { about: string; reason: string }

const DAY = 86_400_000

/** Days from one to the next, at the least. */
const PERIODS: readonly (readonly [rule: keyof Keep, days: number])[] = [
  ['hourly', 1 / 24],
  ['daily', 1],
  ['weekly', 7],
  ['monthly', 28],
  ['yearly', 365],
]

/** The least age in days at which that rule still wants the oldest of its snapshots; the newest one has none. */
function wantedDays(keep: Keep, rule: keyof Keep): number {
  const value = own(keep, rule)
  const period = PERIODS.find(([one]) => one === rule)?.[1]
  if (typeof value === 'number') return period === undefined ? 0 : (value - 1) * period
  const span = value === undefined ? null : parseWithin(value)
  if (span?.ok !== true) return 0
  const { y, m, d, h } = span.value
  return y * 365 + m * 28 + d + h / 24
}

/** Null: Incus removes nothing that `keep` wants. */
export function againstKeep({ keep, expiry }: Pick<Policy, 'keep' | 'expiry'>): string | null {
  if (expiry === null) return null
  const from = new Date(0)
  const days = (expiresAt(expiry, from).getTime() - from.getTime()) / DAY
  const rule = (Object.keys(keep) as (keyof Keep)[]).find((one) => wantedDays(keep, one) > days)
  return rule === undefined
    ? null
    : `"expiry": "${expiry}" has Incus remove its snapshots before "keep" does ("${rule}": ${JSON.stringify(own(keep, rule))}): make it longer, or leave it out`
}

/** Without an end, their snapshots fill the pool sooner or later. */
export const isEndless = ({ keep, expiry }: Pick<Policy, 'keep' | 'expiry'>): boolean =>
  expiry === null && Object.values(keep).every(isNoRule)

function isNoRule(rule: number | string): boolean {
  if (typeof rule === 'number') return rule === 0
  const span = parseWithin(rule)
  return span.ok && isZero(span.value)
}

/** `uses`: the volumes that any policy covers, by user (see `coveredUses`). */
export function contradictionsIn(
  policy: Policy,
  covered: readonly Covered[],
  uses: ReadonlySet<string>,
): Problem[] {
  const whole = againstKeep(policy)
  const overridden = covered.flatMap(({ key, policy: own }): Problem[] => {
    const reason = againstKeep(own)
    return reason === null || reason === whole ? [] : [{ about: key, reason }]
  })
  return [
    ...(whole === null ? [] : [{ about: `policy ${policy.name}`, reason: whole }]),
    ...overridden,
    ...covered.flatMap((one) => [emptyHold(one) ?? [], unbackedVolumes(one, uses)].flat()),
  ]
}

/** Somebody believes in a snapshot that isn't there. */
function emptyHold({ ref, key, record, held }: Covered): Problem | null {
  const listed = record.snapshots
  if (listed === null) return null
  const [name] = [...held].filter((one) => !listed.some(([snapshot]) => snapshot === one)).sort()
  return name === undefined
    ? null
    : {
        about: key,
        reason: `it holds ${name}, which it doesn't have (any more): ${configCommand(ref, 'unset', shellWord(`${HOLD}${name}`))}`,
      }
}
