/** What the text goldens are made of: one history, and the policies by the names of their files. */
import type { Candidate, Keep } from '../../../shared/retention/keep.ts'

const every = (from: string, hours: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => new Date(Date.parse(from) + at * hours * 3_600_000).toISOString())

const slots = [
  '2024-12-31T23:30:00.000Z',
  ...every('2025-01-01T03:00:00Z', 24 * 61, 10),
  ...every('2026-09-28T02:00:00Z', 24 * 7, 4),
  ...every('2026-10-24T22:30:00Z', 1, 5),
  ...every('2026-11-12T02:00:00Z', 24, 8),
  ...every('2026-11-20T00:00:00Z', 6, 8),
  ...every('2026-11-22T00:00:00Z', 1, 4),
  '2026-11-23T00:00:00.000Z',
]

export const history: Candidate[] = [...new Set(slots)].map((iso) => ({
  name: iso.replace(':00.000', ''),
  slot: new Date(iso),
  held: iso.startsWith('2025-05') || iso === '2026-11-21T06:00:00.000Z',
}))

export const goldens: Record<string, { keep: Keep; timezone: string }> = {
  empty: { keep: {}, timezone: 'UTC' },
  'last-3': { keep: { last: 3 }, timezone: 'UTC' },
  'hourly-23-berlin': { keep: { hourly: 23 }, timezone: 'Europe/Berlin' },
  'daily-7-weekly-4': { keep: { daily: 7, weekly: 4 }, timezone: 'UTC' },
  'daily-7-weekly-4-monthly-12-yearly-5-new-york': {
    keep: { daily: 7, weekly: 4, monthly: 12, yearly: 5 },
    timezone: 'America/New_York',
  },
  'daily-all': { keep: { daily: -1 }, timezone: 'Europe/Berlin' },
  'yearly-10': { keep: { yearly: 10 }, timezone: 'UTC' },
  'within-2d-monthly-3': { keep: { within: '2d', monthly: 3 }, timezone: 'Europe/Berlin' },
  'within-daily-1m-within-monthly-2y': {
    keep: { withinDaily: '1m', withinMonthly: '2y' },
    timezone: 'Europe/Berlin',
  },
}
