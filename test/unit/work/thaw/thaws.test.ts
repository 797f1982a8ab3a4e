import { describe, expect, test } from 'vitest'
import { emptyLedger, type FreezeLedger, type Ledger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import { linesOf } from '../../../../shared/plan/lines.ts'
import type { Plan } from '../../../../shared/plan/plan.ts'
import { record } from '../../../../shared/plan/record.ts'
import type { World } from '../../../../shared/plan/world.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { CallError, JobReport } from '../../../../shared/relay/protocol.ts'
import type { Action } from '../../../../shared/work/kinds.ts'
import type { SnapshotAction } from '../../../../shared/work/snapshot/action.ts'
import { copiesAs } from '../../../long-work.ts'
import { INSTALLATION, parseWorld, SERVER } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = '2026-11-22T03:10:00.000Z'
const KEY = 'main/default/web1'
const REPLICA = `${KEY}>backup/default/web1`
const TAKEN = '  daily-20261121T0300Z\n'

const noted: FreezeLedger = { work: 'its copy to backup', at: '2026-11-22T03:00:00.000Z' }

function planFor(
  world: World,
  ledger: Partial<Ledger> = { frozen: { [KEY]: noted } },
  copy: object = { remote: 'backup' },
): Plan<Action> {
  const policies = { daily: { accounted: NOW, open: null, slots: [] } }
  return decide({
    installation: INSTALLATION,
    coverages: coverInstances(configOf({ daily: { schedule: '0 3 * * *', copy } }), world.remotes),
    world,
    ledger: { ...emptyLedger('v'), policies, ...ledger },
    now: new Date(NOW),
  })
}

const seen = (status: string, jobs: JobReport[] = []): World =>
  parseWorld(`main:default/web1 ${status}\n${TAKEN}backup empty`, jobs)

const job = (state: JobReport['state'], memo: object = {}): JobReport => ({
  id: `${REPLICA}:daily-20261121T0300Z#0`,
  state,
  since: '2026-11-22T03:01:00Z',
  memo: { through: 0, extended: {}, ...memo },
})

function busy(world: World): World {
  const reply = world.remotes.main
  if (reply?.ok !== true) throw new Error('main was not asked')
  const operation = {
    ...{ id: 'o1', description: 'Backing up instance', project: 'default' },
    ...{ instances: ['web1'], snapshots: [] },
  }
  reply.inventory.operations.push(operation)
  return world
}

const isThawed = ({ actions }: Plan<Action>): boolean => actions.some(({ kind }) => kind === 'thaw')

describe('what may be frozen by our work', () => {
  test('is thawed when it is, alone in its run', () => {
    const plan = planFor(seen('frozen'))
    expect(plan.actions).toMatchObject([{ kind: 'thaw', ref: { instance: 'web1' } }])
    expect(plan.notes).toMatchObject([{ kind: 'wait', about: REPLICA, reason: 'it is thawed first' }])
  })

  test.each<[string, World]>([
    ['runs again', seen('running')],
    ['is stopped', seen('stopped')],
    ['was frozen before its copy’s turn came', seen('frozen', [job('queued')])],
  ])('is forgotten when it %s', (_, world) => {
    const plan = planFor(world)
    expect([isThawed(plan), plan.frozen]).toEqual([false, {}])
  })

  test.each<[string, World]>([
    ['its server can’t be asked', parseWorld('main unreachable\nbackup empty')],
    ['its copy runs', seen('frozen', [job('running')])],
    ['its copy waits for its turn', seen('running', [job('queued')])],
    ['something runs on it', busy(seen('frozen'))],
    ['its member is away', seen('offline')],
    ['it freezes just now', seen('freezing')],
    ['it is not listed', parseWorld('main empty\nbackup empty')],
  ])('is kept in mind while %s', (_, world) => {
    const plan = planFor(world)
    expect([isThawed(plan), plan.frozen]).toEqual([false, { [KEY]: noted }])
  })

  test('is forgotten when it was not listed for a day', () => {
    const gone = { ...noted, at: '2026-11-21T03:00:00.000Z' }
    expect(planFor(parseWorld('main empty\nbackup empty'), { frozen: { [KEY]: gone } }).frozen).toEqual({})
    expect(planFor(seen('frozen'), { frozen: { [KEY]: gone } }).frozen).toEqual({ [KEY]: gone })
  })

  test('is known from the relay’s job where the ledger is lost', () => {
    const plan = planFor(seen('frozen', [job('unknown', { freezes: true })]), {})
    expect(plan.actions).toMatchObject([{ kind: 'thaw' }])
    expect(planFor(seen('frozen', [job('unknown')]), {}).actions).not.toMatchObject([{ kind: 'thaw' }])
  })

  test('but not from one that was judged before: a person froze it since', () => {
    const ended = job('unknown', { freezes: true })
    const judged = { state: 'unknown', attempts: 1, at: NOW, retryAt: NOW, job: ended.id } as const
    expect(isThawed(planFor(seen('frozen', [ended]), { work: copiesAs({ [REPLICA]: judged }) }))).toBe(false)
    const older = { ...judged, job: `${REPLICA}:daily-20261120T0300Z#0` }
    expect(isThawed(planFor(seen('frozen', [ended]), { work: copiesAs({ [REPLICA]: older }) }))).toBe(true)
  })

  test('is nothing that nobody noted: a person froze that', () => {
    expect(isThawed(planFor(seen('frozen'), {}))).toBe(false)
  })
})

test.each<[string, CallError['code'], boolean]>([
  ['a reply that isn’t Incus’s is kept in mind', 'bad-reply', true],
  ['no reply is kept in mind', 'timeout', true],
  ['Incus’s refusal is not', 'incus', false],
])('an instance that is frozen for a snapshot which ends with %s', (_, code, noted) => {
  const snapshot: SnapshotAction = {
    kind: 'snapshot',
    ref: { remote: 'main', project: 'default', instance: 'web1' },
    policy: 'daily',
    slot: NOW,
    name: 'daily-20261122T0310Z',
    stateful: false,
    expiresAt: null,
    again: false,
    standstill: 'it is frozen',
    reason: '',
  }
  const error = { code, message: 'it broke' }
  const { ledger } = record(emptyLedger('v'), {
    plan: planFor(seen('running'), {}),
    outcomes: [{ action: snapshot, state: 'refused', error }],
    ...{ run: null, config: 'v', now: new Date(NOW) },
  })
  expect(Object.keys(ledger.frozen ?? {})).toEqual(noted ? [KEY] : [])
})

describe('the line of a copy says', () => {
  const verified = '2026-11-20T03:00:00Z'
  const copied = `backup:default/web1 stopped user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER} user.stapes.verified=daily-20261120T0300Z@${new Date(verified).getTime() / 1000}`
  const onDir = (): World => {
    const world = parseWorld(
      `main:default/web1 running\n  daily-20261120T0300Z\n${TAKEN}${copied}\n  daily-20261120T0300Z`,
    )
    for (const reply of Object.values(world.remotes)) if (reply.ok) reply.inventory.pools.default = 'dir'
    return world
  }
  const lineOf = (plan: Plan<Action>): string => linesOf(plan).find(({ sign }) => sign === '>')?.reason ?? ''

  test('that its head may be torn, where else it would be frozen', () => {
    expect(lineOf(planFor(onDir()))).toContain(
      'it isn’t frozen: the copy’s current state may be inconsistent',
    )
  })

  test('how long the last one took, where it is frozen', () => {
    const work = copiesAs({
      [REPLICA]: { state: 'verified', attempts: 0, at: verified, took: 3600 } as const,
    })
    const plan = planFor(onDir(), { work }, { remote: 'backup', allow: 'freeze' })
    expect(lineOf(plan)).toContain('it is frozen for the whole copy (dir): the last one took 60 min')
  })

  test('nothing of it on pools that look at a moment', () => {
    const world = onDir()
    for (const reply of Object.values(world.remotes)) if (reply.ok) reply.inventory.pools.default = 'btrfs'
    expect(lineOf(planFor(world))).toBe('refresh by pull: daily-20261121T0300Z not verified on backup')
  })
})
