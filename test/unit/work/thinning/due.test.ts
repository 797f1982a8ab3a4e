/** How often all that a store has of an instance is looked at. */
import { expect, test } from 'vitest'
import { emptyLedger } from '../../../../shared/ledger/ledger.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import { seldomAgain, toSurvey } from '../../../../shared/work/thinning/due.ts'
import { parseWorld } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = new Date('2026-11-22T10:20:30Z')
const HOUR = 3_600_000
const ago = (hours: number): string => new Date(NOW.getTime() - hours * HOUR).toISOString()
const DAILY = { schedule: '0 3 * * *', keep: { daily: 9 } }

const POLICIES = {
  kept: {
    ...DAILY,
    select: { instances: ['kept'] },
    export: { to: 'nas', schedule: '0 4 * * *', keep: { last: 2 } },
  },
  all: { ...DAILY, select: { instances: ['all*'] }, export: { to: 'nas', schedule: '0 4 * * *' } },
}

/** Of those whose newest export was made six hours ago; by how many hours ago all was looked at, and what was seen then. */
function lookedAt(looks: Record<string, { hours: number; strays: string[] } | null>): string[] {
  const names = Object.keys(looks)
  const world = parseWorld(
    names.map((name) => `main:default/${name} running\n  x-20261122T0300Z @2026-11-22T03:00Z`).join('\n'),
  )
  const { main } = world.remotes
  if (main?.ok === true) main.inventory.rules = { role: 'source', minRetention: 0, exports: ['nas'] }
  const factsOf = (policy: string) =>
    Object.fromEntries(
      Object.entries(looks).flatMap(([name, look]) => {
        if (!name.startsWith(policy)) return []
        const at = new Date(NOW.getTime() - (look?.hours ?? 0) * HOUR)
        const fact = {
          ...{ store: 'nas', exportName: 'e', exported: 'x-20261122T0300Z@1795316400', exportedAt: ago(6) },
          ...(look === null
            ? {}
            : { exportSorted: at.toISOString(), exportNext: seldomAgain(look.strays, at) }),
        }
        return [[`main/default/${name}`, fact]]
      }),
    )
  const facts = { at: NOW.toISOString(), subjects: { kept: factsOf('kept'), all: factsOf('all') } }
  const coverages = coverInstances(configOf(POLICIES), world.remotes)
  return toSurvey({ coverages, world, ledger: emptyLedger('v'), facts, now: NOW }).map(
    ({ covered }) => covered.record.name,
  )
}

test('a policy that keeps all of them has it once a week, or a day after one that has shown strays', () => {
  const looks = {
    ...{ all1: { hours: 7, strays: [] }, all2: { hours: 7, strays: ['x'] } },
    ...{ all3: { hours: 25, strays: [] }, all4: { hours: 25, strays: ['x'] } },
    ...{ all5: { hours: 169, strays: [] }, all6: null },
  }
  expect(lookedAt(looks).sort()).toEqual(['all4', 'all5', 'all6'])
})

test('what may let something go is looked at first, after each new export', () => {
  const looks = { all1: null, all2: null, all3: null, all4: null, kept: { hours: 7, strays: [] } }
  expect(lookedAt(looks)).toEqual(['kept', 'all1', 'all2', 'all3'])
})
