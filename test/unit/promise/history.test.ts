/** For which share of 30 days a promise was kept. */
import { describe, expect, test } from 'vitest'
import type { Policy } from '../../../shared/policy/policy.ts'
import type { Fact, Facts } from '../../../shared/promise/facts.ts'
import { keptShare, withHistory } from '../../../shared/promise/history.ts'
import { configOf } from '../policy/instances.ts'

const WEB = 'main/default/web'
const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.parse('2026-11-01T00:00:00Z')

const policyOf = (more: object = {}): Policy =>
  configOf({ p: { schedule: '@hourly', promise: { snapshot: '1h' }, ...more } }).policies[0] ??
  expect.fail('there is one')
const POLICY = policyOf()

const factsAt = (at: number, fact: Fact): Facts => ({
  at: new Date(at).toISOString(),
  subjects: { p: { [WEB]: fact } },
})
const takenAt = (at: number): Fact => ({ taken: `p-x@${at / 1000}` })

/** Looks at these times, each of which shows a snapshot of then. */
function lookedAt(times: readonly number[], policy = POLICY): Fact {
  let before: Facts | null = null
  for (const at of times) before = withHistory(factsAt(at, takenAt(at)), before, [policy], new Date(at))
  return before?.subjects.p?.[WEB] ?? expect.fail('there is one')
}

test('it is judged since the first look, and the open time counts', () => {
  const fact = lookedAt([START])
  expect(keptShare(POLICY, 'snapshot', fact, new Date(START))).toBeNull()
  expect(keptShare(POLICY, 'snapshot', fact, new Date(START + HOUR))).toBe(1)
  expect(keptShare(POLICY, 'snapshot', fact, new Date(START + 4 * HOUR))).toBe(0.25)
})

test('a newer snapshot ends the time in which it was not kept', () => {
  const fact = lookedAt([START, START + 3 * HOUR])
  expect(fact.gaps).toEqual({ snapshot: [[(START + HOUR) / 1000, (START + 3 * HOUR) / 1000]] })
  expect(keptShare(POLICY, 'snapshot', fact, new Date(START + 4 * HOUR))).toBe(0.5)
})

test('what is longer ago than 30 days counts no more, and is not noted for ever', () => {
  const fact = lookedAt([START, START + 10 * DAY, START + 50 * DAY])
  expect(fact.gaps?.snapshot).toHaveLength(1)
  const share = keptShare(POLICY, 'snapshot', fact, new Date(START + 50 * DAY)) ?? 1
  expect(share).toBeCloseTo(0, 6)
  const later = lookedAt([START, START + 2 * HOUR])
  expect(keptShare(POLICY, 'snapshot', later, new Date(START + 31 * DAY))).toBeCloseTo(0, 2)
})

test('more of them than are noted are said to be longer, never shorter', () => {
  const times = Array.from({ length: 60 }, (_, at) => START + at * 3 * HOUR)
  const fact = lookedAt(times)
  expect(fact.gaps?.snapshot).toHaveLength(30)
  const now = new Date((times.at(-1) ?? 0) + HOUR)
  const real = 60 / (59 * 3 + 1)
  expect(keptShare(POLICY, 'snapshot', fact, now)).toBeLessThanOrEqual(real)
  expect(keptShare(POLICY, 'snapshot', fact, now)).toBeGreaterThan(0)
})

describe('while the policy is paused', () => {
  test('nothing is promised, so nothing is broken', () => {
    const paused = policyOf({ paused: true })
    let facts = withHistory(factsAt(START, takenAt(START)), null, [POLICY], new Date(START))
    for (const at of [START + 2 * HOUR, START + 9 * HOUR])
      facts = withHistory(factsAt(at, takenAt(START)), facts, [paused], new Date(at))
    const back = START + 10 * HOUR
    facts = withHistory(factsAt(back, takenAt(back)), facts, [POLICY], new Date(back))
    // From the last look at which it was paused.
    expect(facts.subjects.p?.[WEB]?.gaps).toEqual({
      snapshot: [[(START + 9 * HOUR) / 1000, back / 1000]],
    })
  })
})
