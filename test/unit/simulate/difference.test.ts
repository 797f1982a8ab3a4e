import { expect, test } from 'vitest'
import { renderLines } from '../../../shared/plan/line.ts'
import { differenceOf } from '../../../shared/simulate/difference.ts'
import type { Forecast, SubjectForecast } from '../../../shared/simulate/forecast.ts'
import type { Removal } from '../../../shared/simulate/removals.ts'
import { text } from '../plan/world-text.ts'

const WEB = 'main/default/web'
const removal = (day: number, at: number, more: Partial<Removal> = {}): Removal => ({
  ...{ of: WEB, snapshot: `daily-202611${day}T0300Z`, at: `2026-11-${at}T03:00:00.000Z` },
  ...{ when: 'next', by: 'retention', reason: 'no rule keeps it', ...more },
})

function forecastOf(subject: Partial<SubjectForecast>): Forecast {
  const until = '2026-11-29T00:00:00.000Z'
  const rest = {
    subject: WEB,
    policies: ['daily'],
    until,
    removals: [],
    braked: [],
    paced: false,
    counts: [],
  }
  const subjects = [{ ...rest, ...subject }]
  return { at: '2026-11-22T00:00:00.000Z', until, cut: null, subjects, unseen: [] }
}

const countsOf = (snapshots: number) => [
  { at: '2026-11-29T00:00:00.000Z', in: [{ of: WEB, snapshots, oldest: null }] },
]

test('what goes, goes sooner, or stays is named, and what goes as before is not', () => {
  const before = forecastOf({
    removals: [removal(10, 22), removal(11, 25), removal(12, 24)],
    counts: countsOf(14),
  })
  const after = forecastOf({
    removals: [removal(10, 22), removal(11, 22), removal(13, 22)],
    braked: [{ at: '2026-11-22T03:00:00.000Z', reason: '9 of 10 would go at once', snapshots: [] }],
    counts: countsOf(2),
  })
  expect(renderLines(differenceOf(before, after))).toBe(
    text(`
      main/default/web
        ! 2026-11-22 03:00 UTC: 9 of 10 would go at once
        - daily-20261111T0300Z  with the next slot, 2026-11-22 03:00 UTC: no rule keeps it; by what is applied it goes on 2026-11-25 03:00 UTC
        - daily-20261113T0300Z  with the next slot, 2026-11-22 03:00 UTC: no rule keeps it; by what is applied it stays
        = daily-20261112T0300Z  it stays; by what is applied it goes on 2026-11-24 03:00 UTC: no rule keeps it
        = snapshots: 2 instead of 14 on 2026-11-29
    `),
  )
})

test('of what only one of them simulated so far, nothing is said', () => {
  const before = forecastOf({ until: '2026-11-23T00:00:00.000Z' })
  expect(differenceOf(before, forecastOf({ removals: [removal(11, 24)] }))).toEqual([])
  expect(differenceOf(forecastOf({}), forecastOf({}))).toEqual([])
})
