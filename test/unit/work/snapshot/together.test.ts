/** When an instance and its volumes have a slot's snapshot, as one. */
import { describe, expect, test } from 'vitest'
import type { SnapshotPair } from '../../../../shared/incus/inventory.ts'
import { parseSnapshotName } from '../../../../shared/incus/snapshot-name.ts'
import { emptyLedger, type OpenSlot, type PolicyLedger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import { linesOf } from '../../../../shared/plan/lines.ts'
import { worldOf } from '../../../../shared/plan/world.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import { subjectJobs } from '../../../../shared/work/jobs.ts'
import { INSTALLATION } from '../../plan/world-text.ts'
import { configOf, recordOf, replyOf } from '../../policy/instances.ts'

const NOW = new Date('2026-11-22T03:01:00Z')
const SLOT = 'daily-20261122T0300Z'
const OPEN = { slot: '2026-11-22T03:00:00.000Z', attempts: {} }

const pairs = (names: readonly string[]): SnapshotPair[] =>
  names.map((name) => [name, (parseSnapshotName(name)?.slot.getTime() ?? 0) / 1000 + 30])

type Has = Record<'web' | 'data', readonly string[] | null>

function planOf(
  has: Has,
  open: OpenSlot | null = OPEN,
  policy: object = {},
  more: { partial?: string[]; now?: Date } = {},
) {
  const { partial, now = NOW } = more
  const snapshotsOf = (names: readonly string[] | null) => (names === null ? null : pairs(names))
  const reply = replyOf([
    recordOf('web', { snapshots: snapshotsOf(has.web) }),
    recordOf('default:data', {
      ...{ type: 'volume', status: '', users: ['default/web'] },
      snapshots: snapshotsOf(has.data),
    }),
    recordOf('alone', { snapshots: pairs([SLOT]) }),
  ])
  const remotes = { main: reply }
  const world = worldOf({ remotes, jobs: [] })
  const daily: PolicyLedger = {
    ...{ accounted: '2026-11-22T03:00:00.000Z', open, slots: [] },
    ...(partial === undefined ? {} : { partial }),
  }
  const config = configOf({
    daily: {
      schedule: '0 3 * * *',
      select: { volumes: ['attached'] },
      together: true,
      keep: { last: 1 },
      ...policy,
    },
  })
  const plan = decide({
    coverages: coverInstances(config, remotes),
    ledger: { ...emptyLedger('v'), policies: { daily } },
    ...{ world, now, installation: INSTALLATION },
  })
  return {
    plan,
    taken: plan.actions.flatMap((one) =>
      one.kind === 'snapshot-group'
        ? [
            `${one.name}: ${one.parts.map(({ ref, again }) => `${ref.instance}${again ? ' again' : ''}`).join(' ')}`,
          ]
        : one.kind === 'snapshot'
          ? [`${one.name} of ${one.ref.instance} alone`]
          : [],
    ),
    expired: plan.actions.flatMap((one) =>
      one.kind === 'expire' ? [`${one.ref.instance} ${one.snapshot}`] : [],
    ),
    slot: plan.slots[0] ?? expect.fail('there is a slot'),
  }
}

const BEFORE = ['daily-20261121T0300Z']

describe('the slot of a group', () => {
  test('is served by one name that all have', () => {
    const { taken, slot } = planOf({ web: [...BEFORE, SLOT], data: [...BEFORE, SLOT] })
    expect(taken).toEqual([])
    expect(slot.served).toEqual(expect.arrayContaining(['main/default/web', 'main/default/default:data']))
  })

  test('is not served by what one of it has, nor by another name: all of it is taken anew, under a name that none has', () => {
    expect(planOf({ web: [...BEFORE, SLOT], data: BEFORE }).taken).toEqual([
      'daily-20261122T0301Z: web default:data',
    ])
    const late = 'daily-20261122T0301Z'
    const { taken, slot } = planOf({ web: [...BEFORE, SLOT], data: [...BEFORE, late] })
    expect(taken).toEqual(['daily-20261122T0302Z: web default:data'])
    expect(slot.served).toEqual(['main/default/alone'])
  })

  test('is one action, one job and one step, with a line for each', () => {
    const { plan } = planOf({ web: BEFORE, data: BEFORE })
    const jobs = subjectJobs(plan.actions)
    expect(jobs.map(({ job }) => [job.id, job.steps.map((step) => step.do)])).toEqual([
      ['main/default/web', ['take-group']],
    ])
    expect(linesOf(plan).map(({ about, sign, what }) => `${sign} ${about} ${what}`)).toEqual([
      `+ main/default/web ${SLOT}`,
      `+ main/default/default:data ${SLOT}`,
    ])
  })

  test('waits for each of it, and for its next try', () => {
    const attempt = { count: 1, reason: 'no space', retryAt: '2026-11-22T03:05:00.000Z' }
    const { taken, slot } = planOf(
      { web: BEFORE, data: BEFORE },
      {
        ...OPEN,
        attempts: { 'main/default/default:data': attempt },
      },
    )
    expect(taken).toEqual([])
    expect(slot.waiting).toEqual([
      { instance: 'main/default/web', until: attempt.retryAt },
      { instance: 'main/default/default:data', until: attempt.retryAt },
    ])
    expect(planOf({ web: BEFORE, data: null }).taken).toEqual([])
  })

  test('fails for all, where one of it can not be taken any more', () => {
    const attempt = { count: 9, reason: 'no space' }
    const { taken, slot } = planOf(
      { web: [...BEFORE, SLOT], data: BEFORE },
      {
        ...OPEN,
        attempts: { 'main/default/default:data': attempt },
      },
    )
    expect(taken).toEqual([])
    expect(slot.served).toEqual(['main/default/alone'])
    expect(slot.failed.map(({ instance, reason }) => `${instance}: ${reason}`)).toEqual([
      'main/default/web: it is taken together with main/default/default:data: no space',
      'main/default/default:data: no space',
    ])
  })

  test('is taken again after a try with an unknown outcome, whose parts do not count', () => {
    const unseen = {
      count: 1,
      reason: 'x',
      retryAt: '2026-11-22T03:00:30.000Z',
      unseen: true,
      name: SLOT,
    } as const
    const attempts = { 'main/default/web': unseen, 'main/default/default:data': unseen }
    expect(planOf({ web: BEFORE, data: BEFORE }, { ...OPEN, attempts }).taken).toEqual([
      `${SLOT}: web again default:data again`,
    ])
    const listed = planOf({ web: [...BEFORE, SLOT], data: BEFORE }, { ...OPEN, attempts })
    expect(listed.taken).toEqual(['daily-20261122T0301Z: web default:data'])
    expect(listed.slot.ledger.partial).toContain(`main/default/web/${SLOT}`)
  })
})

describe('retention', () => {
  const OLD = ['daily-20261119T0300Z', 'daily-20261120T0300Z', ...BEFORE]

  test('removes one name from all of it', () => {
    const { expired } = planOf({ web: [...OLD, SLOT], data: [...OLD, SLOT] })
    expect(expired.sort()).toEqual([
      'default:data daily-20261119T0300Z',
      'default:data daily-20261120T0300Z',
      'web daily-20261119T0300Z',
      'web daily-20261120T0300Z',
    ])
  })

  test('keeps what one of it keeps: by its own number, or because nothing of it may go now', () => {
    // The volume has fewer, and keeps the newest before the slot.
    const { expired } = planOf({ web: [...OLD, SLOT], data: ['daily-20261120T0300Z', SLOT] })
    expect(expired).toEqual(['web daily-20261119T0300Z'])
    expect(planOf({ web: [...OLD, SLOT], data: null }).expired).toEqual([])
  })
})
