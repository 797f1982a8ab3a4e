/** One instance, remote or policy that can't be planned with changes nothing for the others. */
import { expect, test } from 'vitest'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { emptyLedger } from '../../../shared/ledger/ledger.ts'
import { planAround } from '../../../shared/plan/around.ts'
import { decide } from '../../../shared/plan/decide.ts'
import { renderLines } from '../../../shared/plan/line.ts'
import { linesOf } from '../../../shared/plan/lines.ts'
import { worldOf } from '../../../shared/plan/world.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import type { Config } from '../../../shared/policy/policy.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'
import { configOf, recordOf, replyOf } from '../policy/instances.ts'
import { INSTALLATION } from './world-text.ts'

const NOW = new Date('2026-11-22T03:00:20Z')
const seconds = (date: string): number => Date.parse(date) / 1000

const OLD: SnapshotPair[] = ['18', '19', '20', '21'].map((day) => [
  `daily-202611${day}T0300Z`,
  seconds(`2026-11-${day}T03:00:05Z`),
])

const DAILY = { schedule: '0 3 * * *', keep: { daily: 2 }, select: { remotes: ['main', 'far'] } }
const CONFIG = configOf({
  daily: DAILY,
  other: { ...DAILY, select: { remotes: ['far'], instances: ['db*'] } },
})

function planFor(remotes: Record<string, RemoteReply>, config: Config = CONFIG) {
  return planAround({ world: worldOf({ remotes, jobs: [] }), config }, (input) =>
    decide({
      ...{ world: input.world, coverages: coverInstances(input.config, input.world.remotes) },
      ...{ installation: INSTALLATION, ledger: emptyLedger('v'), now: NOW },
    }),
  )
}

const linesAbout = (around: ReturnType<typeof planFor>, about: RegExp) =>
  linesOf(around.planned).filter((line) => about.test(line.about))

const far = replyOf([recordOf('db1', { snapshots: OLD })])
const healthy = (names: string[]) => names.map((name) => recordOf(name, { snapshots: OLD }))
/** As no check lets through. */
const poison = recordOf('web3', { snapshots: [null as unknown as SnapshotPair, ...OLD] })

test('an instance that can’t be planned with is unknown, with the reason, and nothing of it is removed', () => {
  const names = ['web1', 'web2', 'web4', 'web5']
  const without = planFor({ main: replyOf(healthy(names)), far })
  const around = planFor({ main: replyOf([...healthy(names), poison]), far })
  expect(linesAbout(around, /web[1245]|db1/)).toEqual(linesAbout(without, /web[1245]|db1/))
  expect(linesAbout(without, /web1/).map(({ sign }) => sign)).toContain('-')
  const told = linesAbout(around, /web3/)
  expect(told.map(({ sign }) => sign)).not.toContain('-')
  expect(told.map(({ reason }) => reason).join('\n')).toMatch(/nothing is planned for it.*report it/)
})

test('a remote that can’t be planned with is unknown, with the reason, and the other is planned', () => {
  const main = replyOf(healthy(['web1']))
  if (!main.ok) throw new Error('no inventory')
  const broken = {
    ok: true,
    inventory: { ...main.inventory, projects: null as unknown as string[] },
  } as const
  const around = planFor({ main: broken, far })
  expect(linesAbout(around, /db1/)).toEqual(linesAbout(planFor({ main, far }), /db1/))
  expect(around.world.remotes.main).toMatchObject({ ok: false })
  expect(linesAbout(around, /main/).map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/nothing is planned for it/),
  ])
})

test('a policy that can’t be planned is left out, with the reason, and the others are planned', () => {
  const broken = CONFIG.policies.map((policy) =>
    policy.name === 'other' ? { ...policy, select: null as unknown as typeof policy.select } : policy,
  )
  const around = planFor({ main: replyOf(healthy(['web1'])), far }, { ...CONFIG, policies: broken })
  expect(around.leftOut).toEqual(['other'])
  expect(around.notes).toMatchObject([{ kind: 'problem', about: 'policy other' }])
  expect(linesAbout(around, /web1/).map(({ sign }) => sign)).toEqual(expect.arrayContaining(['+', '-']))
})

test('where all is well, it is planned once', () => {
  let times = 0
  planAround({ world: worldOf({ remotes: { far }, jobs: [] }), config: CONFIG }, () => {
    times += 1
  })
  expect(times).toBe(1)
})

test('where nothing can be planned at all, that is an error', () => {
  const input = { world: worldOf({ remotes: { far }, jobs: [] }), config: CONFIG }
  expect(() =>
    planAround(input, () => {
      throw new Error('a bug')
    }),
  ).toThrow('a bug')
})

test('a plan of half a million lines is still written', () => {
  const line = {
    about: 'main/default/web1',
    sign: '=',
    what: 'daily-20261122T0300Z',
    reason: 'last 1 of 1',
  } as const
  const text = renderLines(Array.from({ length: 500_000 }, () => line))
  expect(text.split('\n')).toHaveLength(500_002)
})
