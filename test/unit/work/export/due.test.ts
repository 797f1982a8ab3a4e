/** What exports by policy cost, and that none of them keeps others from being made. */
import { CronExpression } from 'cron-parser'
import { describe, expect, test, vi } from 'vitest'
import { emptyLedger, type Ledger } from '../../../../shared/ledger/ledger.ts'
import { placeOf } from '../../../../shared/ledger/work.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import type { World } from '../../../../shared/plan/world.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { Facts } from '../../../../shared/promise/facts.ts'
import { nextLook, toLookFor } from '../../../../shared/work/export/due.ts'
import type { ExportRow } from '../../../../shared/work/export/manifest.ts'
import { INSTALLATION, parseWorld } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = new Date('2026-11-22T10:20:30Z')
const DAILY = { schedule: '0 3 * * *', keep: { daily: 9 } }
const TO = (to: string, more: object = {}) => ({ ...DAILY, export: { to, schedule: '0 4 * * *', ...more } })

/** Instances, each with what was taken of it; the relay has the stores `nas` and `r2`. */
function worldWith(names: readonly string[], taken = 'p-20261122T0300Z @2026-11-22T03:00Z'): World {
  const world = parseWorld(names.map((name) => `main:default/${name} running\n  ${taken}`).join('\n'))
  const { main } = world.remotes
  if (main?.ok === true) main.inventory.rules = { role: 'source', minRetention: 0, exports: ['nas', 'r2'] }
  return world
}

const keyOf = (name: string): string => `main/default/${name}`
const seen = (world: World, store: string, rows: ExportRow[] | null): World => ({
  ...world,
  exports: new Map(
    (world.remotes.main?.ok === true ? world.remotes.main.inventory.instances : []).map(({ name }) => [
      placeOf(keyOf(name), store),
      { name: null, rows },
    ]),
  ),
})

type Given = { policies: Record<string, object>; world: World; ledger?: Ledger; facts?: Facts | null }

/** All slots have been accounted for. */
const quiet = (): Ledger => {
  const policy = { accounted: NOW.toISOString(), since: '2026-11-01T00:00:00.000Z', open: null, slots: [] }
  return { ...emptyLedger('v'), policies: { p: policy, q: policy } }
}

const contextOf = ({ policies, world, ledger = quiet(), facts = null }: Given) => ({
  coverages: coverInstances(configOf(policies), world.remotes),
  ...{ world, ledger, facts, now: NOW },
})
const lookedFor = (given: Given): string[] =>
  toLookFor(contextOf(given)).map(({ covered, export: { to } }) => `${covered.record.name} ${to}`)
const planFor = (given: Given) => decide({ ...contextOf(given), installation: INSTALLATION })

test('a store that the relay doesn’t have is looked for every ten minutes, not each minute', () => {
  const { wake, sight } = planFor({ policies: { p: TO('none') }, world: worldWith(['web']) })
  expect(sight?.roles).toEqual([expect.stringContaining('nothing is exported to none')])
  expect([...wake].sort()[0]).toBe('2026-11-22T10:30:30.000Z')
})

const many = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${name}${at}`)

describe('a store that can’t be read', () => {
  const names = many('a', 30)
  const policies = {
    p: { ...TO('nas'), select: { instances: ['a*'] } },
    q: { ...TO('r2'), select: { instances: ['b*'] } },
  }

  test('keeps no exports from another one', () => {
    const looked = lookedFor({ policies, world: worldWith([...names, 'b']) })
    expect(looked).toContain('b r2')
    expect(looked).toHaveLength(9)
  })

  test('nor do those that have yet to end there', () => {
    const job = { job: 'j', attempts: 0, at: NOW.toISOString() }
    const entry = { ...job, state: 'started' as const, store: 'nas', snapshot: 's', name: '20261122T040000Z' }
    const work = Object.fromEntries(many('a', 8).map((name) => [`export ${keyOf(name)}>nas`, entry]))
    const looked = lookedFor({
      policies,
      world: worldWith([...names, 'b']),
      ledger: { ...quiet(), work },
    })
    expect(looked).toEqual(['b r2'])
  })

  test('is not looked into each minute', () => {
    const { wake } = planFor({ policies: { p: TO('nas') }, world: seen(worldWith(names), 'nas', null) })
    expect(wake.toSorted()[0]).toBe('2026-11-22T10:30:30.000Z')
  })

  test('nor is one that the relay doesn’t have', () => {
    expect(nextLook(contextOf({ policies: { p: TO('tape') }, world: worldWith(names) }))).toBeNull()
  })
})

test('where nothing of a store could be read last, it is asked for nobody, and others go on', () => {
  const exportUnread = '2026-11-22T10:15:30Z'
  const facts = { at: NOW.toISOString(), subjects: { p: { [keyOf('a0')]: { store: 'nas', exportUnread } } } }
  const world = worldWith([...many('a', 30), 'b'])
  const policies = {
    p: { ...TO('nas'), select: { instances: ['a*'] } },
    q: { ...TO('r2'), select: { instances: ['b*'] } },
  }
  expect(lookedFor({ policies, world, facts })).toEqual(['b r2'])
})

test('what can’t be read of some instances keeps no others of that store from their turn', () => {
  const known = { store: 'nas', exportUnread: '2026-11-22T10:00:30Z' }
  const bad = Object.fromEntries(many('a', 12).map((name) => [keyOf(name), known]))
  const good = { [keyOf('a12')]: { store: 'nas', exportSeen: '2026-11-22T10:00:30Z' } }
  const world = worldWith(many('a', 20))
  const looked = lookedFor({
    policies: { p: TO('nas') },
    world,
    facts: { at: NOW.toISOString(), subjects: { p: { ...bad, ...good } } },
  })
  expect(looked).toEqual(
    expect.arrayContaining(
      many('a', 20)
        .slice(13)
        .map((name) => `${name} nas`),
    ),
  )
})

test('where there is nothing newer to export, whoever took it, the store is looked into once a day', () => {
  const fact = {
    ...{ store: 'nas', exportName: '20261121T040000Z', exported: 'mine@1795230000' },
    ...{ exportedAt: '2026-11-21T04:01:00Z', exportSeen: '2026-11-22T09:00:00Z' },
    ...{ exportSorted: '2026-11-21T04:02:00Z', exportNext: '2026-11-28T04:02:00Z' },
  }
  const facts = { at: NOW.toISOString(), subjects: { p: { [keyOf('web')]: fact } } }
  const world = worldWith(['web'], `mine @${new Date(1795230000 * 1000).toISOString()}`)
  expect(lookedFor({ policies: { p: TO('nas') }, world, facts })).toEqual([])
  const { wake } = planFor({ policies: { p: TO('nas') }, world, facts })
  expect(wake.toSorted()[0]).toBe('2026-11-23T03:00:00.000Z')
})

test('what a look costs is by the schedules, not by the instances', () => {
  const walks = vi.spyOn(CronExpression, 'fieldsToExpression')
  const cost = (count: number): number => {
    const world = seen(worldWith(many('a', count)), 'nas', null)
    const before = walks.mock.calls.length
    planFor({ policies: { p: TO('nas') }, world })
    return walks.mock.calls.length - before
  }
  cost(1)
  expect(cost(60) - cost(2)).toBeLessThan(20)
  walks.mockRestore()
})
