import { describe, expect, test } from 'vitest'
import { missed } from '../../../../shared/command/commands/missed.ts'
import { policies } from '../../../../shared/command/commands/policies.ts'
import { detailsLength } from '../../../chat/message-text.ts'
import { configOf } from '../../policy/instances.ts'
import { answer, ledgerOf, nightly, policyLedger, said, seenOf } from './seen.ts'

const failure = (instance: string) => ({ instance, reason: 'the pool is full' })

describe('missed', () => {
  test('says that nothing was', () => {
    expect(said(missed, seenOf())).toMatchInlineSnapshot(
      `"good, to the caller: No slot was missed, failed or skipped in the last 7 days"`,
    )
  })

  test('lists the slots of all policies, the newest first, with their reasons', () => {
    const ledger = ledgerOf({
      policies: {
        hourly: policyLedger([
          {
            slot: '2026-11-20T01:00:00.000Z',
            through: '2026-11-20T09:00:00.000Z',
            count: 9,
            outcome: 'missed',
            reason: 'no tick came in time; the last slot accounted for is 2026-11-20T00:00:00.000Z',
          },
          { slot: '2026-11-01T01:00:00.000Z', outcome: 'missed', reason: 'too old' },
        ]),
        nightly: policyLedger([
          {
            slot: '2026-11-22T03:00:00.000Z',
            outcome: 'failed',
            reason: 'the pool is full',
            served: 2,
            failures: ['a', 'b', 'c', 'd', 'e'].map((name) => failure(`main/default/${name}`)),
          },
          { slot: '2026-11-19T03:00:00.000Z', outcome: 'skipped', reason: 'the policy is paused' },
        ]),
      },
    })
    expect(said(missed, seenOf({ ledger }))).toMatchInlineSnapshot(`
      "bad, to the caller: Slots: 9 missed, 1 failed and 1 skipped in the last 7 days
        \`nightly\` <2026-11-22 03:00> failed: \`main/default/a\` the pool is full; \`main/default/b\` the pool is full; \`main/default/c\` the pool is full; and 2 other instances
        \`hourly\` 9 slots from <2026-11-20 01:00> through <2026-11-20 09:00> missed: no tick came in time; the last slot accounted for is <2026-11-20 00:00>
        \`nightly\` <2026-11-19 03:00> skipped: the policy is paused"
    `)
    expect(said(missed, seenOf({ ledger }), { since: '1d' })).not.toContain('hourly')
  })

  test('says where the ledger does not reach back so far', () => {
    const ledger = ledgerOf({
      policies: { nightly: { ...policyLedger(), since: '2026-11-22T06:30:00.000Z' } },
    })
    expect(said(missed, seenOf({ ledger }))).toMatchInlineSnapshot(`
      "info, to the caller: No slot that the ledger knows of was missed, failed or skipped in the last 7 days
        \`nightly\`: the ledger reaches back only 6 h"
    `)
  })

  test('knows nothing before a tick has looked', () => {
    expect(said(missed, seenOf({ ledger: null }))).toMatch(/^warning, .*No tick has run yet/)
  })

  test('tells of the failures that may be seen only', () => {
    const slot = { slot: '2026-11-22T03:00:00.000Z', outcome: 'failed' as const, reason: 'secret is full' }
    const failures = [failure('main/default/secret'), failure('main/default/web1'), failure('remote:main')]
    const ledger = ledgerOf({ policies: { nightly: policyLedger([{ ...slot, failures }]) } })
    const maySee = (key: string): boolean => key.endsWith('/web1')
    const text = said(missed, seenOf({ ledger, maySee }))
    expect(text).not.toContain('secret')
    expect(text).toContain('`main/default/web1`')
    expect(text).toContain('`remote:main`')
  })

  test('stays short', () => {
    const slots = Array.from({ length: 100 }, (_, index) => ({
      slot: new Date(Date.UTC(2026, 10, 22) - index * 3_600_000).toISOString(),
      outcome: 'failed' as const,
      reason: 'y'.repeat(900),
    }))
    const message = answer(
      missed,
      seenOf({ ledger: ledgerOf({ policies: { hourly: policyLedger(slots) } }) }),
    )
    expect(detailsLength(message)).toBeLessThan(2500)
  })
})

describe('policies', () => {
  test('tells of each what it wants, and when it is next', () => {
    const seen = seenOf({
      config: configOf({
        nightly,
        hourly: { keep: { last: 3, hourly: -1, within: '2d' } },
        resting: { paused: true },
        dozing: { paused: true },
      }),
      pauses: {
        dozing: { by: 'ada', at: '2026-11-22T10:00:00.000Z', until: null },
        nightly: { by: 'bob', at: '2026-11-20T10:00:00.000Z', until: '2026-11-21T10:00:00.000Z' },
      },
    })
    expect(said(policies, seen)).toMatchInlineSnapshot(`
      "warning, to the caller: 4 policies, 2 of them paused
        \`nightly\`: \`0 3 * * *\` UTC, keeps 7 daily and 4 weekly, copied to \`backup\`, next <2026-11-23 03:00>
        \`hourly\`: \`0 * * * *\` UTC, keeps the last 3, all hourly and all within 2d, no copy, next <2026-11-22 13:00>
        \`resting\`: \`0 * * * *\` UTC, removes nothing, no copy, paused in stapes.jsonc
        \`dozing\`: \`0 * * * *\` UTC, removes nothing, no copy, paused by ada until somebody resumes it"
    `)
  })

  test('calls it no good that there are none', () => {
    expect(said(policies, seenOf({ config: { policies: [] } }))).toMatchInlineSnapshot(
      `"warning, to the caller: There are no policies, so nothing is backed up"`,
    )
    expect(said(policies, seenOf({ config: null }))).toContain('Nothing is configured yet')
  })
})
