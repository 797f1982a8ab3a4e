import { describe, expect, test } from 'vitest'
import { emptyLedger } from '../../../../shared/ledger/ledger.ts'
import { linesOf } from '../../../../shared/plan/lines.ts'
import type { Note, Plan } from '../../../../shared/plan/plan.ts'
import { record } from '../../../../shared/plan/record.ts'
import type { CopyAction } from '../../../../shared/work/copy/action.ts'
import type { CopyWork } from '../../../../shared/work/copy/entry.ts'
import { prepareCopies } from '../../../../shared/work/copy/reads.ts'
import type { Action } from '../../../../shared/work/kinds.ts'
import { copiesAs, copiesOf } from '../../../long-work.ts'
import {
  copying,
  copyOf,
  DAILY,
  type Given,
  KEY,
  mark,
  planFor,
  replica,
  report,
  seconds,
  started,
  verifyOf,
} from './copy-world.ts'

const LOST = 'daily-20261120T0300Z'
const WORLD = `
  main:default/web1 running
    daily-20261121T0300Z
    daily-20261122T0300Z
  backup:default/web1 stopped ${replica(LOST, 'daily-20261121T0300Z')}
    ${LOST}
    daily-20261121T0300Z
`
const PAIR = `${LOST}@${seconds('2026-11-20T03:00Z')}`

const verified = (rest: Partial<CopyWork> = {}): CopyWork => ({
  state: 'verified',
  attempts: 0,
  at: '2026-11-21T03:05:00.000Z',
  newest: 'daily-20261121T0300Z',
  verified: mark(LOST, 'daily-20261121T0300Z').replace(',', ' '),
  ...rest,
})

/** The ledger's entry of the copy after the plan was performed, and what came of its actions. */
function recordedOf(plan: Plan<Action>, before: CopyWork): { entry: CopyWork; outcomes: string[] } {
  const copies = plan.actions.filter(({ kind }) => ['copy', 'permit', 'verify'].includes(kind))
  const { outcomes } = prepareCopies(copies as CopyAction[], { of: () => null, error: null })
  const ledger = { ...emptyLedger('v'), work: copiesAs({ [KEY]: before }) }
  const result = { plan, outcomes, run: null, config: 'v', now: new Date(plan.at) }
  const entry = copiesOf(record(ledger, result).ledger)[KEY]
  if (entry === undefined) throw new Error('there is no entry')
  return { entry, outcomes: outcomes.map(({ action, state }) => `${action.kind} ${state}`) }
}

const told = ({ notes }: { notes: readonly Note[] }): string => notes.map(({ reason }) => reason).join('\n')

describe('a verified snapshot of a copy is gone from the source', () => {
  test('and it is not known to have expired: no refresh, nothing of the instance expires, and that is told first', () => {
    const plan = planFor(WORLD, {
      ledger: { daily: { accounted: '2026-11-21T03:00:00.000Z', open: null, slots: [] } },
      copy: verified(),
    })
    expect(copyOf(plan)).toBeUndefined()
    expect(plan.actions.filter(({ kind }) => kind === 'expire')).toEqual([])
    expect(plan.sight?.braked).toEqual({
      [`copy ${KEY}`]: expect.stringContaining(
        `main/default/web1: 1 of 2 verified snapshots of its copy on backup are gone from the source, and stapes did not expire them (${LOST})`,
      ),
    })
    expect(told(plan)).toContain('/backup allow main/default/web1')
    expect(copiesOf(plan)[KEY]).toMatchObject({ state: 'failed', attempts: 0 })
  })

  test.each<[string, { copy?: CopyWork | undefined; expired?: string[]; policy?: object }]>([
    ['the relay knows that it expired', { expired: [`default/web1/${PAIR}`] }],
    ['the ledger has that it expired here', { copy: verified({ expired: PAIR }) }],
    ['its policy’s own expiry has passed', { policy: { expiry: '2d' } }],
  ])('but %s: the refresh goes on', (_, { copy = verified(), expired, policy = {} }) => {
    const policies = { daily: { ...DAILY.daily, ...policy } }
    const plan = planFor(WORLD, { copy, policies, expired })
    expect(copyOf(plan)).toMatchObject({ mirrored: [LOST] })
    expect(plan.sight?.braked).toBeUndefined()
  })

  test.each<[string, { copy?: CopyWork | undefined; expired?: string[]; policy?: object; skew?: number }]>([
    ['its policy’s own expiry has not passed', { policy: { expiry: '3d' } }],
    [
      'its policy’s expiry has passed, and the server’s clock is an hour off',
      { policy: { expiry: '2d' }, skew: 3600 },
    ],
    ['another one of its name expired', { expired: [`default/web1/${LOST}@1`] }],
    ['the ledger has another one of its name', { copy: verified({ expired: `${LOST}@1` }) }],
    ['the same of another instance expired', { expired: [`default/web2/${PAIR}`] }],
    ['the ledger is lost', { copy: undefined }],
  ])('and %s: it waits', (_, { copy, expired, policy = {}, skew }) => {
    const policies = { daily: { ...DAILY.daily, ...policy } }
    const plan = planFor(WORLD, { ...(copy === undefined ? {} : { copy }), policies, expired, skew })
    expect(copyOf(plan)).toBeUndefined()
    expect(Object.keys(plan.sight?.braked ?? {})).toEqual([`copy ${KEY}`])
  })

  test('the others go on', () => {
    const plan = planFor(`${WORLD}
      main:default/web2 running
        daily-20261122T0300Z
    `)
    expect(
      plan.actions.flatMap((action) => (action.kind === 'copy' ? [action.source.instance] : [])),
    ).toEqual(['web2'])
  })

  test('and a person allows it: the refresh begins, its plan names what it removes, and the ledger has that it may', () => {
    const plan = planFor(WORLD, {
      copy: verified(),
      request: { do: 'allow', instances: ['web1'], reason: 'allowed by ann' },
      policies: { daily: { ...DAILY.daily, approval: 'second' } },
    })
    expect(copyOf(plan)).toMatchObject({
      mirrored: [LOST],
      reason: expect.stringContaining('allowed by ann'),
    })
    expect(plan.approval).toBe('second')
    expect(plan.sight?.braked).toBeUndefined()
  })

  test('under another date, as one that was replaced: it waits', () => {
    const plan = planFor(WORLD.replace('running', `running\n${LOST} @2026-11-20T05:00Z`), {
      copy: verified(),
    })
    expect(copyOf(plan)).toBeUndefined()
    expect(told(plan)).toContain('are gone from the source')
  })
})

test('a request allows nothing where the brake holds nothing', () => {
  const plan = planFor('main:default/web1 running\n daily-20261122T0300Z\nbackup empty', {
    request: { do: 'allow', instances: ['web1'], reason: 'allowed by ann' },
  })
  expect(plan.actions).toEqual([])
  expect(told(plan)).toContain('it holds nothing back there')
})

describe('what the target wants', () => {
  const gone = [`default/web1/${PAIR}`]
  const wanting = (copy: object) => ({ daily: { ...DAILY.daily, copy: { remote: 'backup', ...copy } } })

  test('waits in a refresh that would remove it, though it expired on its source', () => {
    const plan = planFor(WORLD, {
      copy: verified(),
      expired: gone,
      policies: wanting({ keep: { daily: 3 } }),
    })
    expect(copyOf(plan)).toBeUndefined()
    expect(told(plan)).toContain(`a refresh would delete ${LOST} on backup`)
    expect(told(plan)).toContain('"mirror": true')
    expect(plan.sight?.braked).toBeUndefined()
  })

  test.each<[string, object]>([
    ['its policy says "mirror": true', { keep: { daily: 3 }, mirror: true }],
    ['it wants as much as the source', { keep: { daily: 2 } }],
    ['it wants nothing in particular', {}],
  ])('goes where %s, and the plan names it before', (_, copy) => {
    const plan = planFor(WORLD, { copy: verified(), expired: gone, policies: wanting(copy) })
    expect(copyOf(plan)).toMatchObject({ mirrored: [LOST] })
  })

  test.each([
    ['on the source', WORLD.replace('running', `running user.stapes.hold.${LOST}=audit`)],
    ['on the copy', WORLD.replace('stopped', `stopped user.stapes.hold.${LOST}=audit`)],
  ])('stays while it is held %s, whatever its policy says', (_, world) => {
    const policies = wanting({ mirror: true })
    const plan = planFor(world, { copy: verified(), expired: gone, policies })
    expect(copyOf(plan)).toBeUndefined()
    expect(told(plan)).toContain('it is held')
  })
})

describe('what the relay keeps on the target', () => {
  const rules = { role: 'target' as const, minRetention: 10 * 86_400 }
  const hourly = { daily: { ...DAILY.daily, keep: { daily: 1 } } }

  test('stays on the source as long, so that no refresh has to wait for it', () => {
    const world = `
      main:default/web1 running
        daily-20261120T0300Z
        daily-20261121T0300Z
        daily-20261122T0300Z
      backup:default/web1 stopped ${replica(LOST, 'daily-20261121T0300Z', 'daily-20261122T0300Z')}
        ${LOST}
        daily-20261121T0300Z
        daily-20261122T0300Z
    `
    const open = { slot: '2026-11-23T03:00:00.000Z', attempts: {} }
    const ledger = { daily: { accounted: '2026-11-22T03:00:00.000Z', open, slots: [] } }
    const given = { ledger, policies: hourly, now: new Date('2026-11-23T03:00:30Z') }
    const expired = (plan: ReturnType<typeof planFor>): string[] =>
      plan.actions.flatMap((action) => (action.kind === 'expire' ? [action.snapshot] : []))
    expect(expired(planFor(world, given))).toEqual(['daily-20261121T0300Z', LOST])
    expect(expired(planFor(world, { ...given, rules }))).toEqual([])
    expect(expired(planFor(world, { ...given, rules: { ...rules, minRetention: 2.5 * 86_400 } }))).toEqual([
      LOST,
    ])
  })

  test('lets a refresh wait until then, even if somebody allows it', () => {
    const request = { do: 'allow' as const, instances: ['web1'], reason: 'by ann' }
    for (const given of [{ expired: [`default/web1/${PAIR}`] }, { request }]) {
      const plan = planFor(WORLD, { copy: verified(), rules, ...given })
      expect(copyOf(plan)).toBeUndefined()
      expect(told(plan)).toContain('the refresh waits until 2026-11-30T03:00:00.000Z')
    }
  })

  test('is remembered as allowed where the brake holds it too: the reason names the later moment, and the refresh begins then', () => {
    const held = planFor(WORLD, { copy: verified(), rules })
    expect(Object.values(held.sight?.braked ?? {})).toEqual([
      expect.stringMatching(
        /\/backup allow main\/default\/web1 \(--policy=daily instead: .*waits until 2026-11-30T03:00:00.000Z in any case: what is allowed before is remembered/,
      ),
    ])
    const request = { do: 'allow' as const, instances: ['web1'], reason: 'by ann' }
    const allowed = planFor(WORLD, { copy: verified(), rules, request })
    expect(linesOf(allowed)).toContainEqual({
      about: 'backup/default/web1',
      ...{ sign: '-', counts: 'on a copy' },
      what: LOST,
      reason: 'the refresh removes it, not before 2026-11-30T03:00:00.000Z: the source no longer has it',
    })
    expect(allowed.sight?.braked).toBeUndefined()
    const { entry, outcomes } = recordedOf(allowed, verified())
    expect(outcomes).toEqual(['permit done'])
    expect(entry).toMatchObject({ state: 'failed', expired: PAIR })
    const waiting = planFor(WORLD, { copy: entry, rules })
    expect(waiting.sight?.braked).toBeUndefined()
    expect(waiting.wake).toContain('2026-11-30T03:00:00.000Z')
    const later = planFor(WORLD, { copy: entry, rules, now: new Date('2026-11-30T03:01:00Z') })
    expect(copyOf(later)).toMatchObject({ mirrored: [LOST] })
  })

  test('is allowed for exactly what was shown: what is gone since then is held again', () => {
    const request = { do: 'allow' as const, instances: ['web1'], reason: 'by ann' }
    const { entry } = recordedOf(planFor(WORLD, { copy: verified(), rules, request }), verified())
    const more = 'daily-20261119T0300Z'
    const both = WORLD.replace(mark(LOST), mark(more, LOST)).replace(
      `    ${LOST}\n`,
      `    ${LOST}\n    ${more}\n`,
    )
    const plan = planFor(both, { copy: entry, rules, now: new Date('2026-11-30T03:01:00Z') })
    expect(copyOf(plan)).toBeUndefined()
    expect(Object.values(plan.sight?.braked ?? {})).toEqual([expect.stringContaining(`(${more})`)])
  })

  test('gets its snapshots with an expiry of its own that is no earlier', () => {
    const policies = { daily: { ...DAILY.daily, expiry: '1d' } }
    const open = { slot: '2026-11-22T03:00:00.000Z', attempts: {} }
    const ledger = { daily: { accounted: '2026-11-21T03:00:00.000Z', open, slots: [] } }
    const taken = (world: string, given: Pick<Given, 'rules' | 'copy'>): unknown[] =>
      planFor(`main:default/web1 running\n${LOST}\n${world}`, { policies, ledger, ...given }).actions.flatMap(
        (action) => (action.kind === 'snapshot' ? [action.expiresAt] : []),
      )
    expect(taken('backup empty', { rules })).toEqual(['2026-12-03T03:10:00.000Z'])
    // By what was seen last, while the backup server gives no answer.
    expect(taken('backup unreachable', { copy: verified({ least: 10 * 86_400 }) })).toEqual([
      '2026-12-03T03:10:00.000Z',
    ])
    expect(taken('backup unreachable', { copy: verified() })).toEqual(['2026-11-23T03:10:00.000Z'])
  })
})

describe('the copy’s own retention', () => {
  const days = Array.from({ length: 12 }, (_, at) => `daily-202611${String(22 - at).padStart(2, '0')}T0300Z`)
  const world = `
    main:default/web1 running
      ${days.join('\n')}
    backup:default/web1 stopped ${replica(...days.slice(1))} ${copying('2026-11-21T03:00Z')}
      ${days.join('\n')}
  `
  const policies = (keep: object) => ({
    daily: { ...DAILY.daily, keep: { daily: 30 }, copy: { remote: 'backup', keep, expiry: '1d' } },
  })
  const given = { copy: started, jobs: [report('done')] }

  test('takes one where one came', () => {
    expect(verifyOf(planFor(world, { ...given, policies: policies({ daily: 11 }) }))?.expire).toHaveLength(1)
  })

  test('takes nothing where a changed keep would take nearly all, and gives nothing an expiry', () => {
    const plan = planFor(world, { ...given, policies: policies({ daily: 1 }) })
    const verify = verifyOf(plan)
    expect(verify?.expire).toEqual([])
    expect(verify?.marks).toHaveLength(12)
    expect(verify?.expiries.filter(({ expiresAt }) => expiresAt !== null)).toEqual([])
    expect(Object.values(plan.sight?.braked ?? {})).toEqual([
      expect.stringContaining('nothing of policy daily expires on backup/default/web1'),
    ])
  })

  test('does so once somebody allows it, and never what the relay keeps', () => {
    const copied = world
      .replace(copying('2026-11-21T03:00Z'), '')
      .replace(mark(...days.slice(1)), mark(...days))
    const sight = { covered: {}, braked: { 'expiry daily backup/default/web1': 'held' } }
    const request = { do: 'allow' as const, instances: ['web1'], reason: 'by ann' }
    const allowed = { copy: verified({ verified: '' }), policies: policies({ daily: 1 }), sight, request }
    const gone = (plan: ReturnType<typeof planFor>) =>
      plan.actions.flatMap((action) =>
        action.kind === 'expire' ? [`${action.ref.remote} ${action.snapshot}`] : [],
      )
    expect(gone(planFor(copied, allowed))).toHaveLength(11)
    expect(planFor(copied, allowed).sight?.braked).toBeUndefined()
    const rules = { role: 'target' as const, minRetention: 5 * 86_400 }
    expect(gone(planFor(copied, { ...allowed, rules }))).toHaveLength(7)
  })
})
