/** For which share of 30 days a promise was kept. */
import { describe, expect, test } from 'vitest'
import type { Policy } from '../../../shared/policy/policy.ts'
import type { Fact, Facts } from '../../../shared/promise/facts.ts'
import { keptShare, withHistory } from '../../../shared/promise/history.ts'
import { judgePromises } from '../../../shared/promise/judge.ts'
import { untilOf } from '../../../shared/promise/owed.ts'
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

const shareOf = (policy: Policy, fact: Fact, now: Date): number | null =>
  keptShare('snapshot', fact, untilOf(policy, 'snapshot', fact, now), now)

test('it is judged since the first look, and the open time counts', () => {
  const fact = lookedAt([START])
  expect(shareOf(POLICY, fact, new Date(START))).toBeNull()
  expect(shareOf(POLICY, fact, new Date(START + HOUR))).toBe(1)
  expect(shareOf(POLICY, fact, new Date(START + 4 * HOUR))).toBe(0.25)
})

test('a newer snapshot ends the time in which it was not kept', () => {
  const fact = lookedAt([START, START + 3 * HOUR])
  expect(fact.gaps).toEqual({ snapshot: [[(START + HOUR) / 1000, (START + 3 * HOUR) / 1000]] })
  expect(shareOf(POLICY, fact, new Date(START + 4 * HOUR))).toBe(0.5)
})

test('what is longer ago than 30 days counts no more, and is not noted for ever', () => {
  const fact = lookedAt([START, START + 10 * DAY, START + 50 * DAY])
  expect(fact.gaps?.snapshot).toHaveLength(1)
  const share = shareOf(POLICY, fact, new Date(START + 50 * DAY)) ?? 1
  expect(share).toBeCloseTo(0, 6)
  const later = lookedAt([START, START + 2 * HOUR])
  expect(shareOf(POLICY, later, new Date(START + 31 * DAY))).toBeCloseTo(0, 2)
})

test('more of them than are noted are said to be longer, never shorter', () => {
  const times = Array.from({ length: 60 }, (_, at) => START + at * 3 * HOUR)
  const fact = lookedAt(times)
  expect(fact.gaps?.snapshot).toHaveLength(30)
  const now = new Date((times.at(-1) ?? 0) + HOUR)
  const real = 60 / (59 * 3 + 1)
  expect(shareOf(POLICY, fact, now)).toBeLessThanOrEqual(real)
  expect(shareOf(POLICY, fact, now)).toBeGreaterThan(0)
})

describe('while the policy is paused', () => {
  test('nothing is promised, and once it is resumed no more than before', () => {
    const paused = policyOf({ paused: true })
    let facts = withHistory(factsAt(START, takenAt(START)), null, [POLICY], new Date(START))
    for (const at of [START + 2 * HOUR, START + 9 * HOUR])
      facts = withHistory(factsAt(at, takenAt(START)), facts, [paused], new Date(at))
    for (const at of [START + 10 * HOUR, START + 12 * HOUR])
      facts = withHistory(factsAt(at, takenAt(START)), facts, [POLICY], new Date(at))
    const back = START + 13 * HOUR
    facts = withHistory(factsAt(back, takenAt(back)), facts, [POLICY], new Date(back))
    const hours = (from: number, to: number) => [from, to].map((hour) => (START + hour * HOUR) / 1000)
    expect(facts.subjects.p?.[WEB]?.gaps).toEqual({ snapshot: [hours(1, 2), hours(11, 13)] })
  })
})

describe('when a policy changes', () => {
  const byScheduleOf = (schedule: string) =>
    configOf({ p: { schedule } }).policies[0] ?? expect.fail('there is one')
  const DAILY = byScheduleOf('@daily')
  const HOURLY = byScheduleOf('@hourly')
  const changed = (from: Policy, to: Policy, hour: number): Facts => {
    const before = withHistory(factsAt(START, takenAt(START)), null, [from], new Date(START))
    const at = START + hour * HOUR
    return withHistory(factsAt(at, takenAt(START)), before, [to], new Date(at))
  }
  const gapsIn = (facts: Facts) => facts.subjects.p?.[WEB]?.gaps
  const judged = (facts: Facts, policy: Policy, hour: number) => {
    const now = new Date(START + hour * HOUR)
    const [promised] = judgePromises(
      [policy],
      { facts: { ...facts, at: now.toISOString() }, ledger: null },
      now,
    )
    return { state: promised?.state, at: promised?.until ?? promised?.since, share: promised?.keptShare }
  }
  const at = (hour: number) => new Date(START + hour * HOUR).toISOString()

  test('a tighter schedule binds from its next slot', () => {
    const facts = changed(DAILY, HOURLY, 15.5)
    expect(judged(facts, HOURLY, 15.5)).toEqual({ state: 'pending', at: at(17), share: 1 })
    expect(judged(facts, HOURLY, 18)).toEqual({ state: 'broken', at: at(17), share: 17 / 18 })
    // Before the next look knows it.
    const known = withHistory(factsAt(START, takenAt(START)), null, [DAILY], new Date(START))
    expect(judged(known, HOURLY, 15.5)).toMatchObject({ state: 'pending', at: at(17) })
  })

  test('what the former schedule owes stays owed', () => {
    expect(judged(changed(DAILY, HOURLY, 24.75), HOURLY, 24.75)).toMatchObject({
      state: 'pending',
      at: at(25),
    })
  })

  test('what was broken stays so, and a looser schedule ends it', () => {
    expect(judged(changed(DAILY, HOURLY, 30), HOURLY, 31)).toMatchObject({ state: 'broken', at: at(25) })
    const looser = changed(HOURLY, DAILY, 10)
    expect(gapsIn(looser)).toEqual({ snapshot: [[START / 1000 + 7200, START / 1000 + 36_000]] })
    expect(judged(looser, DAILY, 20)).toEqual({ state: 'kept', at: at(25), share: 0.6 })
  })

  test('nothing is owed by it once there is a younger one', () => {
    const facts = changed(DAILY, HOURLY, 15.5)
    const now = START + 16 * HOUR
    const after = withHistory(factsAt(now, takenAt(now)), facts, [HOURLY], new Date(now))
    expect(after.subjects.p?.[WEB]?.owed).toBeUndefined()
    expect(judged(after, HOURLY, 16.5)).toEqual({ state: 'kept', at: at(18), share: 1 })
  })

  test('no more often than ten minutes after the last look is it put off, where none follows', () => {
    const known = withHistory(
      factsAt(START, takenAt(START)),
      null,
      [policyOf({ paused: true })],
      new Date(START),
    )
    const now = new Date(START + 9 * HOUR)
    const [promised] = judgePromises([HOURLY], { facts: known, ledger: null }, now)
    expect(promised?.state).toBe('unknown')
    expect(promised?.since).toBe(at(2))
  })
})
