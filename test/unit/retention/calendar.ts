/** Retention told again in the plainest way: labels that Intl's wall clock writes, and sets of them. */
import type { Candidate } from '../../../shared/retention/keep.ts'
import { wallOf } from '../schedule/wall-clock.ts'

export type Period = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'

/** What the calendar calls the hour, day, ISO week … of an instant in a zone. */
function labelOf(period: Period, timezone: string, instant: number): string {
  const wall = wallOf(timezone, instant)
  const iso = new Date(wall).toISOString()
  if (period === 'hourly') return `${iso.slice(0, 13)} UTC${(wall - instant) / 60_000}`
  if (period === 'daily') return iso.slice(0, 10)
  if (period === 'weekly') return isoWeek(new Date(iso))
  return period === 'monthly' ? iso.slice(0, 7) : iso.slice(0, 4)
}

/** By the definition: a week belongs to the year of its Thursday, and the week of 4 January is the first. */
function isoWeek(date: Date): string {
  const thursday = new Date(date)
  thursday.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7))
  const year = thursday.getUTCFullYear()
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1
  return `${year}-W${week}`
}

/** Names that one count rule keeps, and of those the one that it keeps as the oldest. */
export function keptBy(period: Period, limit: number, timezone: string, counted: Candidate[]) {
  const newestFirst = [...counted].sort((a, b) => b.slot.getTime() - a.slot.getTime())
  const newestOf = new Map<string, string>()
  for (const { name, slot } of newestFirst) {
    const label = labelOf(period, timezone, slot.getTime())
    if (!newestOf.has(label)) newestOf.set(label, name)
  }
  const names = [...newestOf.values()].slice(0, limit)
  const last = newestFirst.at(-1)?.name
  const oldest = last !== undefined && names.length < limit && !names.includes(last) ? last : null
  return { names: oldest === null ? names : [...names, oldest], oldest }
}
