import { describe, expect, test } from 'vitest'
import { status } from '../../../../shared/command/commands/status.ts'
import { detailsLength } from '../../../chat/message-text.ts'
import { configOf } from '../../policy/instances.ts'
import { answer, ledgerOf, NOW, nightly, policyLedger, said, seenOf } from './seen.ts'

const run = {
  at: '2026-11-22T03:00:12.000Z',
  trigger: 'cron',
  counts: { taken: 3, expired: 2, copiesStarted: 1, verified: 0 },
  problems: [],
}
const failedCopy = {
  state: 'failed' as const,
  attempts: 2,
  reason: 'backup: no space left on device',
  retryAt: '2026-11-22T12:45:00.000Z',
  newest: 'nightly-20261121T0300Z',
  at: '2026-11-22T12:15:00.000Z',
}

const RESTORE_FAILED = {
  'restore main/default/web2': {
    ...{
      state: 'failed' as const,
      snapshot: 'nightly-20261121T0300Z',
      safety: 'before-restore-20261122T1000Z',
    },
    ...{
      running: true,
      holds: {},
      job: 'j',
      attempts: 5,
      reason: 'the pool is gone',
      at: '2026-11-22T11:00:00.000Z',
    },
  },
}

const NEWEST = 'nightly-20261122T0300Z@1795316405'
/** As a look shows covered instances. */
const covering = (...names: string[]) => ({
  at: '2026-11-22T12:29:00.000Z',
  subjects: {
    nightly: Object.fromEntries(
      names.map((name) => [`main/default/${name}`, { taken: NEWEST, copied: NEWEST }]),
    ),
  },
})

describe('status', () => {
  test('says that all is well, and what is next', () => {
    expect(said(status, seenOf({ ledger: ledgerOf({ runs: [run] }) }))).toMatchInlineSnapshot(`
      "good, to the caller: All is well: 2 promises are kept. The next slot is at <2026-11-23 03:00>
        \`nightly\`: next <2026-11-23 03:00>
        Run <~2026-11-22 03:00>: 3 snapshots taken, 2 expired, 1 copy started, 0 verified"
    `)
  })

  test('says how long instances stood still the last time, and of none that may not be seen', () => {
    const paused = { 'main/default/web1': 0.4, 'main/default/hidden': 9 }
    const slots = [
      { slot: '2026-11-22T04:00:00.000Z', outcome: 'served' as const, served: 1 },
      { slot: '2026-11-22T03:00:00.000Z', outcome: 'served' as const, served: 2, paused },
    ]
    const seen = seenOf({
      ledger: ledgerOf({ policies: { nightly: policyLedger(slots) } }),
      maySee: (key) => key !== 'main/default/hidden',
    })
    const text = '`nightly`: `main/default/web1` stood still for 0.4 s for the slot <2026-11-22 03:00>'
    for (const values of [{}, { instance: 'web1' }]) expect(said(status, seen, values)).toContain(text)
    expect(said(status, seen)).not.toContain('hidden')
  })

  test('says so when nothing is configured', () => {
    expect(said(status, seenOf({ config: null, applied: null, ledger: null }))).toMatchInlineSnapshot(
      `"warning, to the caller: Nothing is configured yet, so nothing is backed up. Write a stapes.jsonc and apply it: \`npm run apply\`"`,
    )
  })

  test('calls it no good that there are no policies', () => {
    expect(said(status, seenOf({ config: { policies: [] } }))).toMatchInlineSnapshot(
      `"bad, to the caller: Not all is well: there are no policies, so nothing is backed up"`,
    )
  })

  test('never says that all is well before a tick has looked', () => {
    const applied = { version: 'v1', appliedAt: '2026-11-22T12:29:00.000Z' }
    expect(said(status, seenOf({ ledger: null, applied }))).toMatchInlineSnapshot(`
      "bad, to the caller: Not all is well: no tick has run yet, so nothing is known
        \`nightly\`: next <2026-11-23 03:00>"
    `)
  })

  test('tells first what the relay’s configuration keeps from working, though nothing has failed yet', () => {
    const sight = { covered: {}, roles: ['policy nightly: nothing is copied to backup, because …'] }
    expect(said(status, seenOf({ ledger: ledgerOf({ sight, work: {} }) }))).toMatchInlineSnapshot(`
      "bad, to the caller: Not all is well: policy nightly: nothing is copied to backup, because …
        \`nightly\`: next <2026-11-23 03:00>"
    `)
    const braked = { 'copy a>b': 'main/default/web1: 1 of 2 verified snapshots …' }
    const both = seenOf({ ledger: ledgerOf({ sight: { ...sight, braked }, work: {} }) })
    expect(said(status, both)).toMatchInlineSnapshot(`
      "bad, to the caller: Not all is well: 2 problems
        Main/default/web1: 1 of 2 verified snapshots …
        Policy nightly: nothing is copied to backup, because …
        \`nightly\`: next <2026-11-23 03:00>"
    `)
  })

  test('tells first that no tick comes', () => {
    const ledger = ledgerOf({ wakeAt: '2026-11-22T11:00:00.000Z', written: '2026-11-22T11:00:00.000Z' })
    expect(said(status, seenOf({ ledger }))).toMatchInlineSnapshot(`
      "bad, to the caller: Not all is well: work has been due since <2026-11-22 11:00>, and no tick has come for 90 min: is the cron trigger on, does POST /api/tick work, and does KV take writes?
        \`nightly\`: next <2026-11-23 03:00>"
    `)
  })

  test('tells what the last look found, and what is gone from sight, to those who may see it', () => {
    const sight = {
      covered: { 'main/default': 'web1' },
      gone: { 'main/default/web9': '2026-11-21T03:00:00.000Z' },
      problems: ['policy nightly: there is no instance "wbe2" on main in project default'],
    }
    const ledger = ledgerOf({ sight })
    expect(said(status, seenOf({ ledger }))).toMatchInlineSnapshot(`
      "bad, to the caller: Not all is well: 1 problem and 1 thing needs a look
        Policy nightly: there is no instance "wbe2" on main in project default
        1 covered instance has been missing since <2026-11-21 03:00>: main/default/web9 (deleted, renamed, or no longer visible to the relay's certificate)
        \`nightly\`: next <2026-11-23 03:00>"
    `)
    const others = said(status, seenOf({ ledger, maySee: (key) => key === 'main/default/web1' }))
    expect(others).not.toContain('web9')
    expect(others).toContain('wbe2')
  })

  test('waits calmly for the first tick under another configuration', () => {
    const applied = { version: 'v2', appliedAt: '2026-11-22T12:29:00.000Z' }
    expect(said(status, seenOf({ applied }))).toMatch(
      /^warning, .*no tick has run with the applied configuration/,
    )
  })

  test('names a copy that failed, a slot that was missed and a restore that was given up', () => {
    const ledger = ledgerOf({
      work: {
        'copy main/default/db1>backup/default/db1': failedCopy,
        'copy main/default/web1>backup/default/web1': {
          state: 'running',
          attempts: 0,
          at: '2026-11-22T12:00:00.000Z',
        },
        ...RESTORE_FAILED,
      },
      policies: {
        nightly: policyLedger([
          {
            slot: '2026-11-22T03:00:00.000Z',
            outcome: 'missed',
            reason: 'no tick came in time; the last slot accounted for is 2026-11-21T03:00:00.000Z',
          },
          { slot: '2026-11-20T03:00:00.000Z', outcome: 'failed', reason: 'too old to count' },
        ]),
      },
      runs: [{ ...run, problems: ['main/default/db1: no space left on device'] }],
    })
    expect(said(status, seenOf({ ledger, facts: covering('web1', 'db1') }))).toMatchInlineSnapshot(`
      "bad, to the caller: Not all is well: 2 problems and 1 thing needs a look
        The copy of main/default/db1>backup/default/db1 failed (2 tries): backup: no space left on device; next try at <2026-11-22 12:45>
        The restore of main/default/web2 failed (5 tries): the pool is gone
        1 slot was not served completely by nightly within the last day, the newest of <2026-11-22 03:00>: no tick came in time; the last slot accounted for is <2026-11-21 03:00>
        The copy of \`main/default/web1\` to \`backup/default/web1\` is in progress since <2026-11-22 12:00>
        \`nightly\`: next <2026-11-23 03:00>
        Run <~2026-11-22 03:00>: 3 snapshots taken, 2 expired, 1 copy started, 0 verified; 1 problem, such as main/default/db1: no space left on device"
    `)
  })

  test('says who paused a policy, and until when', () => {
    const seen = seenOf({
      config: configOf({ nightly: { ...nightly, paused: true }, hourly: {} }),
      pauses: { nightly: { by: 'ada', at: '2026-11-22T10:00:00.000Z', until: '2026-11-22T18:00:00.000Z' } },
    })
    expect(said(status, seen)).toMatchInlineSnapshot(`
      "bad, to the caller: Not all is well: 1 problem and 2 things need a look
        No active policy covers any instance, so nothing is backed up
        Policy nightly is paused
        No look has shown yet what policy hourly covers
        \`nightly\`: paused by ada until <2026-11-22 18:00>
        \`hourly\`: next <2026-11-22 13:00>"
    `)
  })

  test('tells of one instance what the ledger holds against it', () => {
    const ledger = ledgerOf({
      work: { 'copy main/default/db1>backup/default/db1': failedCopy },
      policies: {
        nightly: {
          ...policyLedger(),
          open: {
            slot: '2026-11-22T03:00:00.000Z',
            attempts: {
              'main/default/db1': {
                count: 1,
                reason: 'the pool is busy',
                retryAt: '2026-11-22T12:31:00.000Z',
              },
            },
          },
        },
      },
    })
    expect(
      said(status, seenOf({ ledger, facts: covering('db1') }), { instance: 'db1' }),
    ).toMatchInlineSnapshot(`
      "bad, to the caller: \`db1\`: 1 problem and 1 thing needs a look. \`/backup list db1\` shows its snapshots
        The copy of main/default/db1>backup/default/db1 failed (2 tries): backup: no space left on device; next try at <2026-11-22 12:45>
        Main/default/db1 has no snapshot of the slot <2026-11-22 03:00> of nightly yet (1 try): the pool is busy; next try at <2026-11-22 12:31>
        \`nightly\`: the snapshot \`nightly-20261122T0300Z\` keeps the promise until <2026-11-23 04:00>
        \`nightly\`: the verified copy \`nightly-20261122T0300Z\` on \`backup/default/db1\` keeps the promise until <2026-11-23 05:00>"
    `)
    expect(said(status, seenOf({ ledger }), { instance: 'other/db1' })).toMatch(
      /^bad, .*nothing is promised of other\/db1/,
    )
  })

  test('tells of one instance that is well what keeps its promises, and for how long', () => {
    const ledger = ledgerOf({ work: { 'copy main/default/db1>backup/default/db1': failedCopy } })
    expect(said(status, seenOf({ ledger }), { instance: 'web1' })).toMatchInlineSnapshot(`
      "good, to the caller: \`web1\`: all is well, 2 promises are kept. \`/backup list web1\` shows its snapshots
        \`nightly\`: the snapshot \`nightly-20261122T0300Z\` keeps the promise until <2026-11-23 04:00>
        \`nightly\`: the verified copy \`nightly-20261122T0300Z\` on \`backup/default/web1\` keeps the promise until <2026-11-23 05:00>"
    `)
  })

  test('calls one instance no good of which all is old, though the ledger has no problem', () => {
    const old = `nightly-20261115T0300Z@${Date.parse('2026-11-15T03:00:05Z') / 1000}`
    const facts = {
      at: '2026-11-22T12:29:00.000Z',
      subjects: { nightly: { 'main/default/web1': { taken: old, copied: old } } },
    }
    expect(said(status, seenOf({ facts }), { instance: 'web1' })).toMatch(/^bad, .*2 promises are not kept/)
  })

  test('names no instance that the asker may not see', () => {
    const ledger = ledgerOf({
      work: { 'copy main/default/secret>backup/default/secret': failedCopy },
      policies: {
        nightly: policyLedger([
          {
            slot: '2026-11-22T03:00:00.000Z',
            outcome: 'failed',
            reason: 'no space',
            failures: [{ instance: 'main/default/secret', reason: 'no space' }],
          },
          {
            slot: '2026-11-22T02:00:00.000Z',
            outcome: 'failed',
            reason: 'all matching instances are left out: main/default/secret paused',
          },
        ]),
      },
      runs: [{ ...run, problems: ['main/default/secret snapshot: no space'] }],
    })
    const maySee = (key: string): boolean => key === 'main/default/web1'
    expect(said(status, seenOf({ ledger }))).toContain('secret')
    expect(said(status, seenOf({ ledger, maySee }))).not.toContain('secret')
    expect(said(status, seenOf({ ledger, maySee }), { instance: 'secret' })).toMatch(
      /^bad, to the caller: `secret`: nothing is promised of secret: .* otherwise\. `\/backup list secret` shows its snapshots$/,
    )
  })

  test('stays short when 200 copies have failed', () => {
    const work = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [
        `copy main/default/web${index}>backup/default/web${index}`,
        { ...failedCopy, reason: 'x'.repeat(2000) },
      ]),
    )
    const facts = covering(...Array.from({ length: 200 }, (_, index) => `web${index}`))
    const message = answer(status, seenOf({ ledger: ledgerOf({ work }), facts, now: NOW }))
    expect(detailsLength(message)).toBeLessThan(2500)
    expect(said(status, seenOf({ ledger: ledgerOf({ work }), facts }))).toMatch(
      /… and 1\d\d more: .*`\/backup list`/,
    )
  })
})
