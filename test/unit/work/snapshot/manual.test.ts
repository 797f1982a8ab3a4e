/** Snapshots on request: whose they are, what keeps and ends them, and what a policy of that name does. */
import { describe, expect, test } from 'vitest'
import { oneInstance } from '../../../../shared/command/list-one.ts'
import type { Answered, Stock } from '../../../../shared/command/stock.ts'
import { emptyLedger, type Ledger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import { ownExpiry } from '../../../../shared/plan/own-expiry.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import { parseConfig } from '../../../../shared/policy/parse.ts'
import type { Config } from '../../../../shared/policy/policy.ts'
import { parseStored } from '../../../../shared/policy/stored.ts'
import type { BackupRequest } from '../../../../shared/work/kinds.ts'
import { INSTALLATION, parseWorld, SERVER } from '../../plan/world-text.ts'
import { configOf, recordOf } from '../../policy/instances.ts'

const NOW = new Date('2026-11-22T10:17:42Z')
const DAILY = { schedule: '0 3 * * *', keep: { last: 1 } }
const NOTED = {
  accounted: '2026-11-22T03:00:00.000Z',
  since: '2026-11-01T00:00:00.000Z',
  open: null,
  slots: [],
}

const seconds = (date: string): number => Date.parse(date) / 1000

type Given = { config?: Config; ledger?: Partial<Ledger>; now?: Date }

function planFor(world: string, request: BackupRequest | undefined, given: Given = {}) {
  const { config = configOf({ daily: DAILY }), ledger = { policies: { daily: NOTED } }, now = NOW } = given
  const seen = parseWorld(world)
  return decide({
    ...{ installation: INSTALLATION, world: seen, now, explain: true },
    coverages: coverInstances(config, seen.remotes),
    ledger: { ...emptyLedger('v'), ...ledger },
    ...(request === undefined ? {} : { request }),
  })
}

const take: BackupRequest = { do: 'snapshot', reason: 'requested by ann' }
const expire = (...snapshots: string[]): BackupRequest => ({
  do: 'expire',
  snapshots,
  reason: 'requested by ann',
})
const gone = (plan: ReturnType<typeof planFor>): string[] =>
  plan.actions.flatMap((action) => (action.kind === 'expire' ? [action.snapshot] : []))

describe('retention', () => {
  const WORLD = `
    main:default/web1 running
      manual-20261121T0900Z
      daily-20261121T0300Z
      daily-20261122T0300Z
      manual-20261122T0900Z
  `
  test('counts none of them, and removes none of them', () => {
    const open = { slot: '2026-11-23T03:00:00.000Z', attempts: {} }
    const plan = planFor(`${WORLD}\n      daily-20261123T0300Z`, undefined, {
      now: new Date('2026-11-23T03:01:00Z'),
      ledger: { policies: { daily: { ...NOTED, open } } },
    })
    expect(gone(plan)).toEqual(['daily-20261121T0300Z'])
  })

  test('removes them where they are named, but neither the newest nor the newest of a policy', () => {
    const plan = planFor(WORLD, expire('*'))
    expect(gone(plan)).toEqual(['manual-20261121T0900Z', 'daily-20261121T0300Z'])
    expect(plan.notes.map(({ snapshot, reason }) => `${snapshot}: ${reason}`)).toEqual([
      'daily-20261122T0300Z: it is the newest that a policy took',
      'manual-20261122T0900Z: it is the newest snapshot of the instance',
    ])
  })
})

describe('the request', () => {
  test('takes one snapshot of an instance that several policies cover, until the latest of their ends', () => {
    const policies = {
      hourly: { schedule: '@hourly', manual: { expiry: '7d' } },
      daily: { ...DAILY, expiry: '1y', manual: { expiry: '1d' }, copy: { remote: 'backup' } },
    }
    const request: BackupRequest = { ...take, policies: ['hourly', 'daily'] }
    const plan = planFor('main:default/web1 running\nbackup empty', request, { config: configOf(policies) })
    expect(plan.actions).toMatchObject([
      { name: 'manual-20261122T1017Z', policy: 'daily', expiresAt: '2026-11-29T10:17:42.000Z' },
    ])
  })

  test('doesn’t serve the slot that is open', () => {
    const open = { slot: '2026-11-22T03:00:00.000Z', attempts: {} }
    const ledger = { policies: { daily: { ...NOTED, accounted: '2026-11-22T03:00:00.000Z', open } } }
    const world = `main:default/web1 running\n daily-20261121T0300Z\n manual-20261122T1016Z`
    expect(planFor(world, undefined, { ledger }).actions).toMatchObject([
      { kind: 'snapshot', name: expect.stringMatching(/^daily-20261122T1\d{3}Z$/) },
    ])
  })

  test('whose outcome is unknown leaves nothing that counts as complete', () => {
    const noted = { daily: { ...NOTED, partial: ['main/default/web1/manual-20261122T1017Z'] } }
    const world = 'main:default/web1 running\n daily-20261122T0300Z\n manual-20261122T1017Z'
    const again = planFor(world, take, { ledger: { policies: noted } })
    expect(again.actions).toMatchObject([{ name: 'manual-20261122T1018Z' }])
    // It has another minute's name, and is of no slot, so it isn't late.
    expect(again.slots).toMatchObject([{ remark: null }])
    const next = planFor(world, undefined, { ledger: { policies: noted } })
    expect(gone(next)).toEqual(['manual-20261122T1017Z'])
  })
})

describe('a release', () => {
  const expiryOf = (name: string, created: string, policies: Record<string, object>): string | null => {
    const world = parseWorld(`main:default/web1 running\n ${name}`)
    const found = {
      ...{ key: 'main/default/web1', ref: { remote: 'main', project: 'default', instance: 'web1' } },
      ...{ record: recordOf('web1'), snapshots: [[name, seconds(created)] as [string, number]] },
    }
    const coverages = coverInstances(configOf(policies), world.remotes)
    return ownExpiry(found, name, { coverages, now: NOW })
  }

  test('gives one on request its own end again: the latest that a policy of the instance says', () => {
    const policies = {
      daily: { ...DAILY, expiry: '1y' },
      hourly: { schedule: '@hourly', manual: { expiry: '60d' } },
    }
    expect(expiryOf('manual-20261120T1000Z', '2026-11-20T10:00:00Z', policies)).toBe(
      '2027-01-19T10:00:00.000Z',
    )
    const forever = { ...policies, weekly: { schedule: '@weekly', manual: { expiry: 'never' } } }
    expect(expiryOf('manual-20261120T1000Z', '2026-11-20T10:00:00Z', forever)).toBeNull()
  })

  test('gives one whose end has passed another day', () => {
    expect(expiryOf('manual-20260101T1000Z', '2026-01-01T10:00:00Z', { daily: DAILY })).toBe(
      '2026-11-23T10:17:42.000Z',
    )
  })
})

test('the list says what they are', () => {
  const record = recordOf('web1', { snapshots: [['manual-20261122T0900Z', seconds('2026-11-22T09:00:00Z')]] })
  const stock: Stock = {
    ...{ key: 'main/default/web1', record, policies: ['daily'], complete: record.snapshots },
    ...{ partials: [], newest: null, copies: [], replica: null },
  }
  const message = oneInstance(stock, { now: NOW, config: configOf({ daily: DAILY }) } as Answered)
  expect(JSON.stringify(message.details)).toContain('taken on request')
})

test('a copy is not taken for rolled back where one on request has ended on the source', () => {
  const verified = ['daily-20261122T0300Z', 'manual-20261122T0900Z']
    .map((name) => `${name}@${seconds(name.includes('T03') ? '2026-11-22T03:00Z' : '2026-11-22T09:00Z')}`)
    .join(',')
  const world = (listed: string) => `
    main:default/web1 running
      daily-20261122T0300Z
      daily-20261122T1000Z
    backup:default/web1 stopped user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER} user.stapes.verified=${verified}
      daily-20261122T0300Z
      ${listed}
  `
  const config = configOf({ daily: { ...DAILY, copy: { remote: 'backup' } } })
  // The source's own expiry was a moment earlier.
  const ended = configOf({ daily: { ...DAILY, manual: { expiry: '1H' }, copy: { remote: 'backup' } } })
  const plan = planFor(world('manual-20261122T0900Z'), undefined, { config: ended })
  expect(plan.actions.map(({ kind }) => kind)).toContain('copy')
  // Else somebody removed it: nothing is lost without being told.
  const held = planFor(world('manual-20261122T0900Z'), undefined, { config })
  expect(held.actions.map(({ kind }) => kind)).not.toContain('copy')
  expect(JSON.stringify(held.notes)).toContain('manual-20261122T0900Z')
})

describe('a policy called manual', () => {
  const document = { defaults: { remotes: ['main'] }, policies: { manual: DAILY, daily: DAILY } }

  test('is not applied, and the message says why and what to do', () => {
    const parsed = parseConfig(document)
    expect(parsed.ok ? [] : parsed.error.map(({ message }) => message)).toEqual([
      expect.stringMatching(/other than manual.*snapshots taken on request. Rename the policy/),
    ])
  })

  test('that was applied before works as it did, and nothing is taken on request that it would count', () => {
    const { policies } = configOf({ daily: DAILY })
    const config = { policies: policies.map((policy) => ({ ...policy, name: 'manual' })) }
    const given = { version: 'v', appliedAt: '2026-11-01T00:00:00.000Z', document, config }
    const { stored, problems } = parseStored(given)
    expect(problems).toEqual([expect.stringMatching(/rejects the applied configuration .*manual/)])
    const old = stored?.config ?? { policies: [] }
    const open = { slot: '2026-11-22T03:00:00.000Z', attempts: {} }
    const ledger = { policies: { manual: { ...NOTED, open } } }
    const world = 'main:default/web1 running\n manual-20261120T0300Z\n manual-20261121T0300Z'
    const due = planFor(world, undefined, { config: old, ledger, now: new Date('2026-11-22T03:00:30Z') })
    expect(due.actions).toMatchObject([
      { kind: 'snapshot', name: 'manual-20261122T0300Z', policy: 'manual' },
      { kind: 'expire', snapshot: 'manual-20261120T0300Z' },
    ])
    expect(planFor(world, take, { config: old, ledger }).refusal).toMatchObject({
      reason: expect.stringMatching(/a policy is called manual.*Rename it/),
    })
  })
})
