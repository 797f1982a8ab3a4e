import { describe, expect, test } from 'vitest'
import { statusOf } from '../../../functions/api/status.ts'
import type { StoredConfig } from '../../../functions/state/config.ts'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import { configOf } from '../policy/instances.ts'

const stored: StoredConfig = {
  version: 'v2',
  appliedAt: '2026-11-22T03:00:00.000Z',
  document: {},
  config: configOf({ hourly: {}, resting: { paused: true } }),
}
const FACTS = {
  at: '2026-11-22T05:00:00.000Z',
  subjects: { hourly: { 'main/default/web': { taken: 'hourly-20261122T0500Z@1795323600' } } },
}
const ledger = (wakeAt: string, config = 'v2'): Ledger => ({ ...emptyLedger(config), wakeAt })
/** That one is paused stands beside whatever else is said. */
const NOTHING = 'no tick has run yet, so nothing is known'
const RESTING = 'policy resting is paused'
const statusAt = (known: StoredConfig | null, noted: Ledger | null, now: Date) =>
  statusOf(
    { stored: known, problems: [] },
    { ledger: noted, lost: [], facts: noted === null ? null : FACTS },
    now,
  )
const at = (date: string): Date => new Date(date)

describe('the status', () => {
  test('says when each policy is due next, and that a paused one is not', () => {
    const { policies } = statusAt(stored, ledger('2026-11-22T05:00:00.000Z'), at('2026-11-22T04:10:00Z'))
    expect(policies.hourly?.nextSlot).toBe('2026-11-22T05:00:00.000Z')
    expect(policies.resting?.nextSlot).toBeNull()
  })

  test('warns when something is due and no tick comes', () => {
    const { warnings } = statusAt(stored, ledger('2026-11-22T05:00:00.000Z'), at('2026-11-22T05:07:00Z'))
    expect(warnings).toEqual([
      expect.stringContaining('no tick has come for 7 min: is the cron trigger on'),
      RESTING,
    ])
  })

  test('takes work that goes on for an hour for no silence, as long as ticks look at it', () => {
    const waiting = { ...ledger('2026-11-22T05:01:00.000Z'), written: '2026-11-22T05:56:00.000Z' }
    expect(statusAt(stored, waiting, at('2026-11-22T06:00:00Z')).warnings).toEqual([RESTING])
  })

  test('is not silenced by a copy that was noted as running, whatever became of it', () => {
    const work = { 'copy a': { state: 'running' as const, attempts: 0, at: '2026-11-22T05:01:00.000Z' } }
    const left = { ...ledger('2026-11-22T05:01:00.000Z'), written: '2026-11-22T05:00:00.000Z', work }
    expect(statusAt(stored, left, at('2026-11-22T06:00:00Z')).warnings).toEqual([
      'work has been due since 2026-11-22T05:01:00.000Z, and no tick has come for 59 min: is the cron trigger on, does POST /api/tick work, and does KV take writes?',
      RESTING,
    ])
  })

  test('warns when a configuration was applied and nothing ever looked', () => {
    expect(statusAt(stored, null, at('2026-11-22T03:30:00Z'))).toMatchObject({
      ...{ health: 'bad', warnings: [expect.stringContaining('no tick has come'), NOTHING, RESTING] },
    })
    expect(
      statusAt(stored, ledger('2026-11-22T03:00:00.000Z', 'v1'), at('2026-11-22T03:01:00Z')).warnings,
    ).toEqual(['no tick has run with the applied configuration yet', RESTING])
  })

  test('tells what the roles of remotes keep from working after the brake, and before all else', () => {
    const sight = { covered: {}, roles: ['policy q: no role'], braked: { k: 'braked' }, problems: ['found'] }
    const noted = { ...ledger('2026-11-22T05:00:00.000Z', 'v1'), sight }
    expect(statusAt(stored, noted, at('2026-11-22T05:01:00Z')).warnings).toEqual([
      'braked',
      'policy q: no role',
      'found',
      'no tick has run with the applied configuration yet',
      RESTING,
    ])
  })

  test('has nothing to warn of in between', () => {
    const { warnings, health } = statusAt(
      stored,
      ledger('2026-11-22T05:00:00.000Z'),
      at('2026-11-22T05:01:00Z'),
    )
    expect({ warnings, health }).toEqual({ warnings: [RESTING], health: 'warning' })
  })

  test('is bad where nothing was applied', () => {
    expect(statusAt(null, null, at('2026-11-22T05:01:00Z'))).toMatchObject({
      ...{ health: 'bad', warnings: [expect.stringContaining('no configuration was applied')] },
    })
  })
})
