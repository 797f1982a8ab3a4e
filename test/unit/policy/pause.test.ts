import { describe, expect, test } from 'vitest'
import type { PauseChange } from '../../../shared/command/command.ts'
import { changePauses, effectiveConfig, keptPauses, nextResume } from '../../../shared/policy/pause.ts'
import type { Pause } from '../../../shared/policy/policy.ts'
import { configOf } from './instances.ts'

const NOW = new Date('2026-11-22T10:00:00Z')
const config = configOf({ daily: {}, hourly: { paused: true } })
const until = (date: string | null): Pause => ({ by: 'ann', at: NOW.toISOString(), until: date })
const pausedAt = (pause: Pause, now: Date): boolean | undefined =>
  effectiveConfig({ config, pauses: { daily: pause } }, now).policies[0]?.paused

describe('a pause', () => {
  test('holds until its moment, and no longer', () => {
    expect(pausedAt(until('2026-11-22T12:00:00.000Z'), new Date('2026-11-22T11:59:59Z'))).toBe(true)
    expect(pausedAt(until('2026-11-22T12:00:00.000Z'), new Date('2026-11-22T12:00:00Z'))).toBe(false)
    expect(pausedAt(until(null), new Date('2036-11-22T12:00:00Z'))).toBe(true)
  })

  test('that ends first is when to look again', () => {
    const pauses = {
      daily: until('2026-11-22T12:00:00.000Z'),
      hourly: until(null),
      old: until('2026-11-22T09:00:00.000Z'),
    }
    expect(nextResume({ config, pauses }, NOW)).toBe('2026-11-22T12:00:00.000Z')
    expect(nextResume({ config }, NOW)).toBeNull()
  })

  test('survives another configuration as long as that has the policy', () => {
    const pauses = { daily: until(null), weekly: until(null) }
    expect(Object.keys(keptPauses(config, pauses, null, NOW))).toEqual(['daily'])
  })

  test('of the configuration ends with the next one that doesn’t say so, unless somebody has paused it as well', () => {
    const before = { config: configOf({ daily: { paused: true } }), appliedAt: '2026-11-20T00:00:00.000Z' }
    const ended = { by: 'the configuration', at: before.appliedAt, until: NOW.toISOString() }
    const kept = (pauses: Record<string, Pause>, policies: object) =>
      keptPauses(configOf({ daily: policies }), pauses, before, NOW).daily
    expect(kept({}, {})).toEqual(ended)
    expect(kept({ daily: until('2026-11-22T09:00:00.000Z') }, {})).toEqual(ended)
    expect(kept({ daily: until(null) }, {})).toEqual(until(null))
    expect(kept({}, { paused: true })).toBeUndefined()
  })
})

describe('a change of pauses', () => {
  const pause = (policy: string): PauseChange => ({ do: 'pause', policy, ...until(null) })
  const resume = (policy: string): PauseChange => ({ do: 'resume', policy })

  test('pauses, and resumes: when that was is kept, for whoever accounts for its slots', () => {
    const paused = changePauses({ config }, pause('daily'), NOW)
    expect(paused).toEqual({ ok: true, value: { daily: until(null) } })
    const pauses = paused.ok ? paused.value : {}
    expect(changePauses({ config, pauses }, resume('daily'), NOW)).toEqual({
      ok: true,
      value: { daily: until(NOW.toISOString()) },
    })
  })

  test.each<[string, PauseChange, string]>([
    ['of an unknown policy', pause('dayly'), 'did you mean "daily"'],
    ['that pauses what the document pauses', pause('hourly'), 'by the configuration already'],
    ['that resumes what the document pauses', resume('hourly'), 'apply one without "paused"'],
    ['that resumes what is not paused', resume('daily'), 'daily is not paused'],
  ])('%s is refused', (_name, change, reason) => {
    expect(changePauses({ config }, change, NOW)).toMatchObject({
      ok: false,
      error: expect.stringContaining(reason),
    })
  })
})
