import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import { decide } from '../../../shared/plan/decide.ts'
import { diffLines } from '../../../shared/plan/line.ts'
import { digestText, linesOf } from '../../../shared/plan/lines.ts'
import type { Plan, Refusal } from '../../../shared/plan/plan.ts'
import type { World } from '../../../shared/plan/world.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import type { JobReport } from '../../../shared/relay/protocol.ts'
import { subjectJobs } from '../../../shared/work/jobs.ts'
import type { Action, BackupRequest } from '../../../shared/work/kinds.ts'
import { restoreJob } from '../../../shared/work/restore/steps.ts'
import { copiesAs, restoresOf } from '../../long-work.ts'
import { configOf } from '../policy/instances.ts'
import { INSTALLATION, parseWorld, SERVER } from './world-text.ts'

const NOW = '2026-11-22T10:17:42Z'
const DAILY = { schedule: '0 3 * * *', keep: { daily: 1 } }
const COPIED = {
  daily: { ...DAILY, copy: { remote: 'backup' } },
  hourly: { schedule: '@hourly', keep: { hourly: 1 } },
}
const KEY = 'main/default/web1>backup/default/web1'

type Given = { policies?: Record<string, object>; ledger?: Partial<Ledger>; now?: string }

function planFor(
  request: BackupRequest,
  world: World,
  { policies = { daily: DAILY }, ledger, now = NOW }: Given = {},
): Plan<Action> {
  const coverages = coverInstances(configOf(policies), world.remotes)
  const known = { ...emptyLedger('v'), ...ledger }
  return decide({
    installation: INSTALLATION,
    coverages,
    world,
    ledger: known,
    now: new Date(now),
    request,
    explain: true,
  })
}

const since = (date: string, policy = 'daily'): Partial<Ledger> => ({
  policies: { [policy]: { accounted: date, since: date, open: null, slots: [] } },
})
const SEEN = since('2026-11-20T00:00:00.000Z')

const reasons = ({ notes }: Plan<Action>): string[] => notes.map(({ about, reason }) => `${about}: ${reason}`)

const seconds = (date: string): number => new Date(date).getTime() / 1000
const REPLICA = `user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER} user.stapes.verified=daily-20261121T0300Z@${seconds('2026-11-21T03:00Z')}`

const WEB = `
  main:default/web1 running
    daily-20261120T0300Z
    daily-20261121T0300Z
    daily-20261122T0300Z
`

test.each([
  { do: 'copy', reason: 'requested by ann' },
  { do: 'expire', reason: 'requested by ann', policies: ['hourly'] },
] as const)('$do of all where nobody could look says so, once for all policies', (request) => {
  const plan = planFor(request, parseWorld('main unreachable'), { policies: COPIED })
  expect({ actions: plan.actions, notes: reasons(plan) }).toEqual({
    actions: [],
    notes: expect.arrayContaining(["remote:main: main can't be reached"]),
  })
  expect(new Set(reasons(plan)).size).toBe(plan.notes.length)
})

describe('requested snapshots', () => {
  const request: BackupRequest = { do: 'snapshot', reason: 'requested by ann' }

  test('without a policy are one for each instance, under one that has a copy', () => {
    const plan = planFor(
      request,
      parseWorld('main:default/web1 running\nmain:default/db1 running\nbackup empty'),
      {
        policies: { hourly: COPIED.hourly, daily: COPIED.daily },
      },
    )
    expect(plan.actions).toMatchObject([
      { name: 'manual-20261122T1017Z', policy: 'daily', ref: { instance: 'web1' } },
      { name: 'manual-20261122T1017Z', policy: 'daily', ref: { instance: 'db1' } },
    ])
    expect(plan.slots.map(({ policy }) => policy)).toEqual(['daily'])
  })

  test('are at once, whatever the policy’s jitter', () => {
    const policies = { daily: { ...DAILY, jitter: '10h' } }
    expect(planFor(request, parseWorld('main:default/web1 running'), { policies }).actions).toHaveLength(1)
  })

  test('and taken this minute already say so', () => {
    const plan = planFor(request, parseWorld('main:default/web1 running\n  manual-20261122T1017Z'))
    expect(plan.actions).toEqual([])
    expect(reasons(plan)).toEqual(['main/default/web1: it already has a snapshot of this minute'])
  })

  const refused: { name: string; request: BackupRequest; code: Refusal['code']; reason: RegExp }[] = [
    {
      name: 'an unknown policy',
      request: { ...request, policies: ['dayly'] },
      code: 'not-found',
      reason: /did you mean "daily"/,
    },
    {
      name: 'a mistyped instance',
      request: { ...request, instances: ['wbe1'] },
      code: 'not-found',
      reason: /did you mean "web1"/,
    },
    {
      name: 'one that is left out',
      request: { ...request, instances: ['lab'] },
      code: 'not-found',
      reason: /lab is left out: excluded by/,
    },
  ]
  test.each(refused)('of $name are refused', ({ request: asked, code, reason }) => {
    const world = parseWorld('main:default/web1 running\nmain:default/lab running user.stapes.exclude=true')
    expect(planFor(asked, world).refusal).toMatchObject({ code, reason: expect.stringMatching(reason) })
  })

  test('of what nobody could see are not said to be of nothing', () => {
    const plan = planFor({ ...request, instances: ['web1'] }, parseWorld('main unreachable'))
    expect(plan.refusal?.code).toBe('unreadable')
  })
})

describe('requested copies', () => {
  const request: BackupRequest = { do: 'copy', reason: 'asked for' }
  const failed = { attempts: 3, reason: 'no space', retryAt: '2026-11-22T12:00:00.000Z', at: NOW }

  test('start before their next try is due, and nothing else happens', () => {
    const ledger = { ...SEEN, work: copiesAs({ [KEY]: { state: 'failed' as const, ...failed } }) }
    const plan = planFor(request, parseWorld(`${WEB}\nbackup empty`), {
      policies: { daily: COPIED.daily },
      ledger,
    })
    expect(plan.actions).toMatchObject([{ kind: 'copy', key: KEY, first: true }])
  })

  test('say why not: verified already, running, no copy', () => {
    const done = planFor(
      request,
      parseWorld(
        `main:default/web1 running\n  daily-20261121T0300Z\nbackup:default/web1 stopped ${REPLICA}\n  daily-20261121T0300Z`,
      ),
      { policies: { daily: COPIED.daily } },
    )
    expect(reasons(done)).toEqual([`${KEY}: the copy is verified up to the newest snapshot`])
    const job: JobReport = { id: `${KEY}:x#0`, state: 'running', since: NOW, progress: '1 GB (2 MB/s)' }
    const running = planFor(request, parseWorld(`${WEB}\nbackup empty`, [job]), {
      policies: { daily: COPIED.daily },
    })
    expect(running.actions).toEqual([])
    expect(reasons(running)[0]).toContain('1 GB (2 MB/s)')
    expect(reasons(planFor(request, parseWorld(WEB)))).toEqual([
      'main/default/web1: policy daily has no copy',
    ])
  })
})

describe('requested removals', () => {
  const request: BackupRequest = { do: 'expire', reason: 'asked for' }
  const removed = ({ actions }: Plan<Action>) =>
    actions.map((action) => (action.kind === 'expire' ? action.snapshot : action.kind))

  test('are what retention no longer keeps, though no slot is open', () => {
    expect(removed(planFor(request, parseWorld(WEB), { ledger: SEEN }))).toEqual([
      'daily-20261121T0300Z',
      'daily-20261120T0300Z',
    ])
  })

  test('stay undone while the copies can’t be asked what they need', () => {
    const policies = { daily: COPIED.daily }
    const plan = planFor(request, parseWorld(`${WEB}\nbackup unreachable`), { policies, ledger: SEEN })
    expect(removed(plan)).toEqual([])
    expect(reasons(plan).join('\n')).toContain('nothing expires now')
  })

  test('of named ones never take what is held, newest, needed by a copy, or not ours', () => {
    const world = parseWorld(`
      main:default/web1 running user.stapes.hold.daily-20261119T0300Z=auditor
        daily-20261118T0300Z
        daily-20261119T0300Z
        daily-20261121T0300Z
        before-upgrade @2026-11-20T12:00Z
        before-restore-20261120T0100Z
        daily-20261122T0300Z
      backup:default/web1 stopped ${REPLICA}
        daily-20261121T0300Z
    `)
    const policies = { daily: COPIED.daily }
    const plan = planFor({ ...request, snapshots: ['*'] }, world, { policies, ledger: SEEN })
    expect(removed(plan)).toEqual(['daily-20261118T0300Z', 'before-restore-20261120T0100Z'])
    expect(plan.notes.map(({ snapshot, reason }) => `${snapshot}: ${reason}`)).toEqual([
      'daily-20261119T0300Z: it is held: release it first',
      'daily-20261121T0300Z: newest snapshot common with backup',
      'before-upgrade: none of the requested policies took it',
      'daily-20261122T0300Z: it is the newest snapshot of the instance',
    ])
  })

  test('need a second person where a policy of the instance says so', () => {
    const policies = { daily: { ...DAILY, approval: 'second' } }
    expect(planFor(request, parseWorld(WEB), { policies, ledger: SEEN }).approval).toBe('second')
    expect(planFor(request, parseWorld(WEB), { ledger: SEEN }).approval).toBe('self')
  })
})

describe('a hold', () => {
  const snapshot = 'daily-20261122T0300Z'
  const hold: BackupRequest = {
    do: 'hold',
    instance: 'web1',
    snapshot,
    note: 'for the auditor',
    reason: 'asked for',
  }
  const release: BackupRequest = { do: 'release', instance: 'web1', snapshot, reason: 'asked for' }
  const HELD = `main:default/web1 running user.stapes.hold.${snapshot}=auditor\n  ${snapshot}`

  test('is set, and lifts Incus’s own expiry in the same job', () => {
    const { actions } = planFor(hold, parseWorld(WEB))
    expect(actions).toMatchObject([{ kind: 'mark', snapshot, note: 'for the auditor', expiresAt: null }])
    expect(subjectJobs(actions).flatMap(({ job }) => job.steps)).toMatchObject([
      { do: 'hold', snapshot, note: 'for the auditor' },
      { do: 'set-expiry', snapshot, expiresAt: null },
    ])
  })

  test('is released, with its policy’s expiry again, at least a day from now', () => {
    const policies = { daily: { ...DAILY, expiry: '7d' } }
    expect(planFor(release, parseWorld(HELD), { policies }).actions).toMatchObject([
      { note: null, expiresAt: '2026-11-29T03:00:00.000Z' },
    ])
    expect(
      planFor(release, parseWorld(HELD), { policies, now: '2027-01-01T00:00:00Z' }).actions,
    ).toMatchObject([{ expiresAt: '2027-01-02T00:00:00.000Z' }])
  })

  test('that stands, or doesn’t, needs nothing', () => {
    expect(reasons(planFor(hold, parseWorld(HELD)))).toEqual([
      'main/default/web1: it is already held: auditor',
    ])
    expect(reasons(planFor(release, parseWorld(WEB)))).toEqual(['main/default/web1: it is not held'])
  })

  test('of a profile can’t be released', () => {
    const world = parseWorld(HELD)
    world.find({ remote: 'main', project: 'default', instance: 'web1' })?.own.splice(0)
    expect(planFor(release, world).refusal).toMatchObject({
      code: 'not-ours',
      reason: expect.stringContaining('a profile'),
    })
  })

  test('on a snapshot that is not there names the nearest', () => {
    const plan = planFor({ ...hold, snapshot: 'daily-20261122T0301Z' }, parseWorld(WEB))
    expect(plan.refusal).toMatchObject({ code: 'not-found', reason: expect.stringContaining(snapshot) })
  })
})

describe('an instance is named', () => {
  const request = (instance: string): BackupRequest => ({
    do: 'release',
    instance,
    snapshot: 'x',
    reason: '',
  })
  const world = parseWorld(`
    main:default/web1 running
    main:shop/web1 running
    main:default/db1 running
    backup:default/db1 stopped ${REPLICA}
    main:default/dark running
      ?
  `)
  test.each([
    ['web1', 'ambiguous', 'main/default/web1, main/shop/web1'],
    ['backup/default/db1', 'not-ours', 'the copy of main/default/web1'],
    ['dbl1', 'not-found', 'did you mean "db1"'],
    ['dark', 'unreadable', 'its pool gave no answer'],
  ])('%s: %s', (instance, code, reason) => {
    expect(planFor(request(instance), world).refusal).toMatchObject({
      code,
      reason: expect.stringContaining(reason),
    })
  })

  test('by its name alone, where the other of that name is its copy', () => {
    expect(planFor(request('db1'), world).refusal?.reason).toContain('main/default/db1 has no snapshot')
  })
})

describe('a restore', () => {
  const request: BackupRequest = {
    do: 'restore',
    instance: 'web1',
    snapshot: 'daily-20261121T0300Z',
    reason: 'requested by ann',
  }
  const driver = (world: World, pools: Record<string, string>, thick: string[] = []): World => {
    const main = world.remotes.main
    if (main?.ok === true) Object.assign(main.inventory, { pools, thick })
    return world
  }

  test('takes the state before first, and says what is lost and how to come back', () => {
    const plan = planFor(request, parseWorld(WEB), { ledger: SEEN })
    expect(plan.refusal).toBeNull()
    expect(plan.actions).toMatchObject([
      {
        kind: 'restore',
        running: true,
        safety: {
          name: 'before-restore-20261122T1017Z',
          expiresAt: '2026-12-06T10:17:00.000Z',
          taken: false,
        },
        job: 'restore main/default/web1:before-restore-20261122T1017Z#0',
      },
    ])
    const lines = linesOf(plan)
      .map(({ reason }) => reason)
      .join('\n')
    expect(lines).toContain('/backup restore')
    expect(lines).toContain('stopped, restored and started again')
  })

  test('puts the snapshot’s own expiry off first, lest Incus remove it meanwhile', () => {
    const policies = { daily: { ...DAILY, expiry: '1d' } }
    const plan = planFor(request, parseWorld(WEB), { ledger: SEEN, policies })
    const [action] = plan.actions
    expect(action).toMatchObject({ kind: 'restore', expiresAt: '2026-11-23T10:17:42.000Z' })
    const work = action?.kind === 'restore' ? restoreJob(action) : null
    expect(work?.job.steps).toMatchObject([{ do: 'restore', expiresAt: '2026-11-23T10:17:42.000Z' }])
    expect(restoresOf(plan)['main/default/web1']).toMatchObject({ expiresAt: '2026-11-23T10:17:42.000Z' })
  })

  test('leaves a snapshot without an expiry, or one that is held, as it is', () => {
    const held = parseWorld(WEB.replace('running', 'running user.stapes.hold.daily-20261121T0300Z=x'))
    const policies = { daily: { ...DAILY, expiry: '1d' } }
    const actions = [
      ...planFor(request, parseWorld(WEB), { ledger: SEEN }).actions,
      ...planFor(request, held, { ledger: SEEN, policies }).actions,
    ]
    expect(actions).toMatchObject([{ expiresAt: null }, { expiresAt: null }])
  })

  describe('of a first snapshot, which has the name of a minute before its policy was watched', () => {
    const watched = since('2026-11-22T03:01:00.000Z')
    const named = { ...request, snapshot: 'daily-20261122T0300Z' } as BackupRequest
    const taken = (at: string) => parseWorld(`main:default/web1 running\n daily-20261122T0300Z @${at}`)

    test('is planned where that was taken since', () => {
      expect(planFor(named, taken('2026-11-22T03:01:02Z'), { ledger: watched }).refusal).toBeNull()
    })

    test('is refused where it was there before, also by a clock that is ahead', () => {
      const before = taken('2026-11-22T03:00:20Z')
      expect(planFor(named, before, { ledger: watched }).refusal?.code).toBe('unverified')
      const ahead = taken('2026-11-22T03:03:20Z')
      const { main } = ahead.remotes
      if (main?.ok !== true) throw new Error('main has answered')
      main.inventory.server.skew = 180
      expect(planFor(named, ahead, { ledger: watched }).refusal?.code).toBe('unverified')
    })
  })

  const refused: {
    name: string
    world: World
    ledger?: Partial<Ledger>
    request?: Partial<BackupRequest>
    code: Refusal['code']
    reason: string
  }[] = [
    {
      name: 'of what nobody saw made',
      world: parseWorld(WEB),
      ledger: since('2026-11-21T12:00:00.000Z'),
      code: 'unverified',
      reason: 'it is not known whether',
    },
    {
      name: 'of what was made by hand',
      world: parseWorld(`${WEB}    by-hand @2026-11-20T12:00Z`),
      request: { snapshot: 'by-hand' } as Partial<BackupRequest>,
      code: 'unverified',
      reason: 'incus copy',
    },
    {
      name: 'of what may be partial',
      world: parseWorld(WEB),
      ledger: {
        policies: {
          daily: {
            accounted: NOW,
            since: '2026-11-01T00:00:00.000Z',
            open: null,
            slots: [],
            partial: ['main/default/web1/daily-20261121T0300Z'],
          },
        },
      },
      code: 'unverified',
      reason: 'may be partial',
    },
    {
      name: 'on zfs',
      world: driver(parseWorld(WEB), { default: 'zfs' }),
      code: 'driver',
      reason: 'daily-20261122T0300Z',
    },
    {
      name: 'on lvm without a thin pool',
      world: driver(parseWorld(WEB), { default: 'lvm' }, ['default']),
      code: 'driver',
      reason: 'lvm.use_thinpool=false',
    },
    {
      name: 'on a driver that was never tried',
      world: driver(parseWorld(WEB), { default: 'lvmcluster' }),
      code: 'driver',
      reason:
        'the newer snapshots of main/default/web1. Instead, make a new instance of it beside this one, by which nothing is lost: /backup clone main/default/web1 ',
    },
    {
      name: 'on a pool whose driver nobody knows',
      world: driver(parseWorld(WEB), {}),
      code: 'driver',
      reason: 'is not known',
    },
    {
      name: 'while a copy of it runs',
      world: parseWorld(WEB, [{ id: `${KEY}:x#0`, state: 'running', since: NOW, progress: '1 GB' }]),
      code: 'busy',
      reason: '1 GB',
    },
    {
      name: 'of a safety snapshot that nobody vouches for',
      world: parseWorld(`${WEB}    before-restore-20261121T0500Z`),
      request: { snapshot: 'before-restore-20261121T0500Z' } as Partial<BackupRequest>,
      code: 'unverified',
      reason: 'it is not known whether',
    },
  ]
  test.each(refused)('$name is refused', ({ world, ledger = SEEN, request: other = {}, code, reason }) => {
    const plan = planFor({ ...request, ...other } as BackupRequest, world, { ledger })
    expect(plan.refusal).toMatchObject({ code, reason: expect.stringContaining(reason) })
    expect(plan.actions).toEqual([])
  })

  test.each(['zfs', 'linstor', 'truenas'])(
    'on %s names every snapshot that would go, and the way by which none does',
    (name) => {
      const world = driver(parseWorld(`${WEB}    weekly-20261122T0400Z\n    by-hand @2026-11-22T05:00Z`), {
        default: name,
      })
      const { refusal, actions } = planFor(request, world, { ledger: SEEN })
      expect(actions).toEqual([])
      expect(refusal?.reason).toContain(
        'removes the newer ones: daily-20261122T0300Z, weekly-20261122T0400Z, by-hand, the one taken before the restore. Instead, make a new instance of it beside this one, by which nothing is lost: /backup clone main/default/web1 daily-20261121T0300Z --as=web1-restored',
      )
      // The newest one is no exception: the one taken before it is restored is newer.
      const alone = driver(parseWorld(WEB), { default: name })
      const newest = { ...request, snapshot: 'daily-20261122T0300Z' } as BackupRequest
      expect(planFor(newest, alone, { ledger: SEEN }).refusal).toMatchObject({
        code: 'driver',
        reason: expect.stringContaining('removes the newer ones: the one taken before the restore.'),
      })
    },
  )

  describe('with memory', () => {
    const stateful: BackupRequest = { ...request, stateful: true }
    const vm = (more: object, holds?: boolean): World => {
      const world = parseWorld(WEB)
      const main = world.remotes.main
      if (main?.ok === true) Object.assign(main.inventory.instances[0] ?? {}, more)
      const memories =
        holds === undefined ? undefined : new Map([['main/default/web1/daily-20261121T0300Z', holds]])
      return memories === undefined ? world : { ...world, memories }
    }
    const VM = { type: 'virtual-machine', memory: true }

    test('goes on from there, and runs whether it did before or not', () => {
      const plan = planFor(stateful, vm({ ...VM, status: 'Stopped' }, true), { ledger: SEEN })
      expect(plan.actions).toMatchObject([{ kind: 'restore', stateful: true, running: true }])
      expect(restoresOf(plan)['main/default/web1']).toMatchObject({ stateful: true, running: true })
      expect(linesOf(plan).at(-1)?.reason).toContain('it continues with the memory saved in')
      const [action] = plan.actions
      const steps = action?.kind === 'restore' ? restoreJob(action).job.steps : []
      expect(steps).toMatchObject([{ do: 'restore', snapshot: 'daily-20261121T0300Z', stateful: true }])
    })

    test.each<[string, World, Refusal['code'], string]>([
      ['of a container', vm({ memory: true }, true), 'stateless', 'is a container'],
      [
        'of a VM that keeps none',
        vm({ type: 'virtual-machine' }, true),
        'stateless',
        'migration.stateful=true',
      ],
      [
        'of a snapshot without any',
        vm(VM, false),
        'stateless',
        'taken without its memory: restore it without',
      ],
      ['of one that could not be read', vm(VM), 'unreadable', 'could not be read'],
    ])('%s is refused', (_, world, code, reason) => {
      const plan = planFor(stateful, world, { ledger: SEEN })
      expect(plan.refusal).toMatchObject({ code, reason: expect.stringContaining(reason) })
      expect(plan.actions).toEqual([])
    })
  })

  test.each(['btrfs', 'dir', 'lvm', 'ceph'])('on %s is planned', (name) => {
    expect(planFor(request, driver(parseWorld(WEB), { default: name }), { ledger: SEEN }).refusal).toBeNull()
  })

  test('of what is verified on a copy needs nobody to have seen it made', () => {
    const world = parseWorld(`${WEB}\nbackup:default/web1 stopped ${REPLICA}\n  daily-20261121T0300Z`)
    expect(planFor(request, world, { policies: { daily: COPIED.daily } }).refusal).toBeNull()
  })

  test('needs a second person where a policy says so', () => {
    const policies = { daily: { ...DAILY, approval: 'second' } }
    expect(planFor(request, parseWorld(WEB), { policies, ledger: SEEN }).approval).toBe('second')
  })

  test('is confirmed by the same digest two minutes later, and by another once it no longer runs', () => {
    const plan = (now: string, world = WEB) => planFor(request, parseWorld(world), { ledger: SEEN, now })
    const [before, after] = [plan(NOW), plan('2026-11-22T10:19:01Z')]
    expect(digestText(after)).toBe(digestText(before))
    expect(diffLines(linesOf(before), linesOf(after))).toEqual({ gone: [], come: [] })
    const stopped = plan(NOW, WEB.replace('running', 'stopped'))
    expect(digestText(stopped)).not.toBe(digestText(before))
    expect(diffLines(linesOf(before), linesOf(stopped))).toMatchObject({
      gone: [{ sign: '<' }],
      come: [{ sign: '<', reason: expect.stringContaining('it stays stopped') }],
    })
  })
})
