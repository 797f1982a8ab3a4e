/** Warns of a copy that is to keep snapshots for longer than its source does. */
import { parseExpiry } from '../incus/expiry.ts'
import { own } from '../own.ts'
import type { Keep } from '../retention/keep.ts'
import { parseWithin } from '../retention/within.ts'
import { spacingOf } from '../schedule/spacing.ts'
import type { Policy } from './policy.ts'

const COUNTED = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/** Days in a period of each rule; `last` counts slots. */
const PERIODS = { last: 0, hourly: 1 / 24, daily: 1, weekly: 7, monthly: 31, yearly: 366 } as const

/** A copy never has more than its source, or only by a refresh that waits. */
export function outlastingWarnings(policy: Policy): string[] {
  const { copy, name } = policy
  if (copy === null || copy.mirror === true) return []
  const least = horizonOf(policy)
  const counted = COUNTED.flatMap((rule) => countWarning(policy, rule))
  const longer = counted.length === 0 && outlasts(keepDays(copy.keep, policy), least)
  const wanted = longer
    ? [
        `policies.${name}.copy.keep wants snapshots for longer than the source has them (${about(least)}): a refresh would remove them, so it waits, and nothing is copied. ${advice(name)}`,
      ]
    : []
  const expiry = copy.expiry === null ? null : expiryDays(copy.expiry)
  const kept =
    expiry !== null && outlasts(expiry, least)
      ? [
          `policies.${name}.copy.expiry: ${copy.expiry} is longer than the source has its snapshots (${about(least)}), and a refresh removes from the copy what has expired on the source. To have them longer, keep them longer on the source; if that is meant, say "mirror": true under policies.${name}.copy`,
        ]
      : []
  return [...counted, ...wanted, ...kept]
}

const countsOf = ({
  last,
  hourly,
  daily,
  weekly,
  monthly,
  yearly,
}: Keep): Record<string, number | undefined> => ({
  last,
  hourly,
  daily,
  weekly,
  monthly,
  yearly,
})

const spansOf = (keep: Keep): (string | undefined)[] => [
  keep.within,
  keep.withinHourly,
  keep.withinDaily,
  keep.withinWeekly,
  keep.withinMonthly,
  keep.withinYearly,
]

/** -1 is all. */
const amount = (count: number): number => (count === -1 ? Number.POSITIVE_INFINITY : count)

function countWarning({ name, keep, copy }: Policy, rule: (typeof COUNTED)[number]): string[] {
  const [here, there] = [own(countsOf(keep), rule), own(countsOf(copy?.keep ?? {}), rule)]
  if (here === undefined || there === undefined || here === 0 || amount(there) <= amount(here)) return []
  return [
    `policies.${name}.copy.keep.${rule}: ${there} is more than the source keeps, which is ${here}: a refresh would remove the others from the copy, so it waits, and nothing is copied. To have ${there === -1 ? 'all of them' : there} there, raise policies.${name}.keep.${rule} as well; to let a refresh remove them, say "mirror": true under policies.${name}.copy`,
  ]
}

const advice = (name: string): string =>
  `Keep as much in policies.${name}.keep (and "expiry"), or say "mirror": true under policies.${name}.copy to let a refresh remove them`

/** A day more is a matter of when retention runs. */
const outlasts = (there: number, here: number): boolean => there > here + 1

/** For how many days the source has a snapshot. */
const horizonOf = (policy: Policy): number =>
  Math.min(
    Object.keys(policy.keep).length === 0 ? Number.POSITIVE_INFINITY : keepDays(policy.keep, policy),
    policy.expiry === null ? Number.POSITIVE_INFINITY : expiryDays(policy.expiry),
  )

/** 0 without rules. */
function keepDays(keep: Keep, policy: Pick<Policy, 'schedule' | 'timezone'>): number {
  const every = Object.keys(keep).length === 0 ? 0 : (spacingOf(policy)?.average ?? 0) / DAY
  const counts = COUNTED.map(
    (rule) => amount(own(countsOf(keep), rule) ?? 0) * Math.max(PERIODS[rule], every),
  )
  const spans = spansOf(keep).map(spanDays)
  return Math.max(0, ...counts.filter((days) => !Number.isNaN(days)), ...spans)
}

const DAY = 86_400_000

function spanDays(text: string | undefined): number {
  const parsed = text === undefined ? null : parseWithin(text)
  if (parsed?.ok !== true) return 0
  const { y, m, d, h } = parsed.value
  return y * 366 + m * 31 + d + h / 24
}

function expiryDays(text: string): number {
  const parsed = parseExpiry(text)
  if (!parsed.ok) return Number.POSITIVE_INFINITY
  const { S = 0, M = 0, H = 0, d = 0, w = 0, m = 0, y = 0 } = parsed.value
  return (S / 3600 + M / 60 + H) / 24 + d + 7 * w + 31 * m + 366 * y
}

const about = (days: number): string =>
  days < 2 ? `about ${Math.round(days * 24)} hours` : `about ${Math.round(days)} days`
