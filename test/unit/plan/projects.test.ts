/** What projects and clusters forbid is said before it is tried, with what to set. */

import { describe, expect, test } from 'vitest'
import type { RemoteInventory } from '../../../shared/incus/inventory.ts'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import { decide } from '../../../shared/plan/decide.ts'
import { linesOf } from '../../../shared/plan/lines.ts'
import type { Plan } from '../../../shared/plan/plan.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import type { CopyAction } from '../../../shared/work/copy/action.ts'
import type { Action, BackupRequest } from '../../../shared/work/kinds.ts'
import { configOf } from '../policy/instances.ts'
import { INSTALLATION, parseWorld, SERVER } from './world-text.ts'

const VERIFIED = `daily-20261121T0300Z@${Date.UTC(2026, 10, 21, 3) / 1000}`
const REPLICA = `user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER} user.stapes.verified=${VERIFIED}`

type Given = {
  copy?: object
  main?: Partial<RemoteInventory>
  backup?: Partial<RemoteInventory>
  /** Cluster member of every copy. */
  location?: string
  slots?: boolean
  request?: BackupRequest
}

function planFor(
  text: string,
  { copy = {}, main, backup, location, slots = false, request }: Given = {},
): Plan<Action> {
  const world = parseWorld(text)
  for (const [remote, change] of Object.entries({ main, backup })) {
    const reply = world.remotes[remote]
    if (reply?.ok !== true) continue
    Object.assign(reply.inventory, change)
    if (remote === 'backup' && location !== undefined)
      for (const record of reply.inventory.instances) record.location = location
  }
  const policies = { daily: { schedule: '0 3 * * *', copy: { remote: 'backup', ...copy } } }
  const accounted = slots ? '2026-11-21T03:00:00.000Z' : '2026-11-22T03:00:00.000Z'
  const ledger: Ledger = { ...emptyLedger('v'), policies: { daily: { accounted, open: null, slots: [] } } }
  return decide({
    ...{ installation: INSTALLATION, world, ledger, now: new Date('2026-11-22T03:10:00Z'), request },
    coverages: coverInstances(configOf(policies), world.remotes),
  })
}

const problems = ({ notes }: Plan<Action>): string[] =>
  notes.filter(({ kind }) => kind === 'problem').map(({ about, reason }) => `${about}: ${reason}`)
const copiesIn = ({ actions }: Plan<Action>): CopyAction[] =>
  actions.filter((action): action is CopyAction => action.kind === 'copy')

const SOURCE = `
  main:default/web1 stopped
    daily-20261122T0300Z
`
const KEY = 'main/default/web1>backup/default/web1'
const CLUSTER = { server: { fingerprint: SERVER, version: '6.0.4', clustered: true } }

describe('a project that is restricted', () => {
  const restricted = { projectRules: { default: { restricted: 'true' } } }
  const CURE =
    "project default is restricted and doesn't allow snapshots: incus project set default restricted.snapshots=allow"
  const twoSources = `
    main:default/web1 running
    main:default/web2 running
    backup empty`

  test('and allows no snapshots is told once, and its slot ends as failed without a try', () => {
    const plan = planFor(twoSources, { main: restricted, slots: true })
    expect(plan.actions).toEqual([])
    expect(problems(plan)).toEqual([`main/default: ${CURE}`])
    expect(plan.slots[0]).toMatchObject({
      waiting: [],
      failed: [
        { instance: 'main/default/web1', reason: CURE },
        { instance: 'main/default/web2', reason: CURE },
      ],
    })
  })

  test('but allows them is served as any', () => {
    const rules = { default: { restricted: 'true', 'restricted.snapshots': 'allow' } }
    const plan = planFor(twoSources, { main: { projectRules: rules }, slots: true })
    expect(plan.actions.map(({ kind }) => kind)).toEqual(['snapshot', 'snapshot'])
  })

  test('is no target of a restore, since the state before can’t be kept', () => {
    const request = {
      do: 'restore',
      instance: 'web1',
      snapshot: 'daily-20261122T0300Z',
      reason: 'asked',
    } as BackupRequest
    const world = `${SOURCE}\nbackup:default/web1 stopped ${REPLICA.replaceAll('1121T', '1122T').replace(
      /@\d+/,
      `@${Date.UTC(2026, 10, 22, 3) / 1000}`,
    )}
      daily-20261122T0300Z`
    expect(planFor(world, { request }).refusal).toBeNull()
    expect(planFor(world, { request, main: restricted }).refusal).toMatchObject({
      code: 'forbidden',
      reason: `main/default/web1: the previous state can't be kept, because ${CURE}`,
    })
  })

  test('receives copies all the same, as Incus lets it', () => {
    expect(copiesIn(planFor(`${SOURCE}\nbackup empty`, { backup: restricted }))).toHaveLength(1)
  })
})

describe('a project without room', () => {
  const full = (rules: Record<string, string>): Given => ({ backup: { projectRules: { default: rules } } })
  const other = `${SOURCE}
    backup:default/other running`

  test.each([
    ['limits.instances', 'may hold 1 instances and holds 1'],
    ['limits.containers', 'may hold 1 containers and holds 1'],
  ])('by %s gets no first copy, and what to raise is said', (key, said) => {
    const plan = planFor(other, full({ [key]: '1' }))
    expect(copiesIn(plan)).toEqual([])
    expect(problems(plan)).toEqual([
      `${KEY}: project default ${said}: raise its ${key}, or copy into another with "copy.project"`,
    ])
  })

  test('for other types only, or with room for one, gets it', () => {
    expect(copiesIn(planFor(other, full({ 'limits.virtual-machines': '0' })))).toHaveLength(1)
    expect(copiesIn(planFor(other, full({ 'limits.instances': '2' })))).toHaveLength(1)
  })

  test('for all that come at once gets as many as there is room for', () => {
    const two = `${SOURCE}
      main:default/web2 stopped
        daily-20261122T0300Z
      backup empty`
    expect(copiesIn(planFor(two, full({ 'limits.instances': '1' })))).toHaveLength(1)
  })

  test('is refreshed, which needs none', () => {
    const there = `${SOURCE}
        daily-20261121T0300Z
      backup:default/web1 stopped ${REPLICA}
        daily-20261121T0300Z`
    expect(copiesIn(planFor(there, full({ 'limits.instances': '1' })))).toMatchObject([{ first: false }])
  })
})

describe('a member or group of a cluster', () => {
  const there = `${SOURCE}
      daily-20261121T0300Z
    backup:default/web1 stopped ${REPLICA}
      daily-20261121T0300Z`

  test('gets the first copy, and the plan says so', () => {
    const plan = planFor(`${SOURCE}\nbackup empty`, { copy: { target: '@big' }, backup: CLUSTER })
    expect(copiesIn(plan)).toMatchObject([{ first: true, member: '@big' }])
    expect(linesOf(plan).find(({ sign }) => sign === '>')?.reason).toMatch(/^first copy by pull, onto @big:/)
  })

  test('is refused of a server that is none, before anything is tried', () => {
    const plan = planFor(`${SOURCE}\nbackup empty`, { copy: { target: 'n2' } })
    expect(copiesIn(plan)).toEqual([])
    expect(problems(plan)).toEqual([
      `${KEY}: backup is not a cluster, so the copy can't be placed on n2: remove "copy.target" from the policy`,
    ])
  })

  test('has no say in a refresh, which goes where the copy is', () => {
    const plan = planFor(there, { copy: { target: 'n2' }, backup: CLUSTER, location: 'n3' })
    expect(copiesIn(plan)).toMatchObject([{ first: false, member: 'n3' }])
  })

  test.each([
    ['6.0.4', 'n3'],
    ['6.11', 'n3'],
    ['6.0.5', null],
    ['6.12', null],
    ['7.0.2', null],
  ])('is named in a refresh by version %s of a project without targeting: %s', (version, member) => {
    const server = { ...CLUSTER.server, version }
    const backup = { server, projectRules: { default: { restricted: 'true' } } }
    expect(copiesIn(planFor(there, { backup, location: 'n3' }))).toMatchObject([{ member }])
    expect(copiesIn(planFor(there, { backup: { server }, location: 'n3' }))).toMatchObject([{ member: 'n3' }])
  })
})
