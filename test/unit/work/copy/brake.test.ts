import { describe, expect, test } from 'vitest'
import type { Note } from '../../../../shared/plan/plan.ts'
import type { CopyWork } from '../../../../shared/work/copy/entry.ts'
import { copiesOf } from '../../../long-work.ts'
import { copyOf, DAILY, KEY, mark, planFor, replica, seconds } from './copy-world.ts'

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

const told = ({ notes }: { notes: readonly Note[] }): string => notes.map(({ reason }) => reason).join('\n')

describe('a verified snapshot of a copy is gone from the source', () => {
  test('and nobody is known to have let it go: no refresh, nothing of the instance expires, and that is told first', () => {
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

  test.each<[string, { copy?: CopyWork | undefined; letGo?: string[]; policy?: object }]>([
    ['the relay let it go', { letGo: [`default/web1/${PAIR}`] }],
    ['the ledger has that it expired here', { copy: verified({ released: PAIR }) }],
    ['its policy’s own expiry has passed', { policy: { expiry: '2d' } }],
  ])('but %s: the refresh goes on', (_, { copy = verified(), letGo, policy = {} }) => {
    const policies = { daily: { ...DAILY.daily, ...policy } }
    const plan = planFor(WORLD, { copy, policies, letGo })
    expect(copyOf(plan)).toMatchObject({ mirrored: [LOST] })
    expect(plan.sight?.braked).toBeUndefined()
  })

  test.each<[string, { copy?: CopyWork | undefined; letGo?: string[]; policy?: object; skew?: number }]>([
    ['its policy’s own expiry has not passed', { policy: { expiry: '3d' } }],
    [
      'its policy’s expiry has passed, and the server’s clock is an hour off',
      { policy: { expiry: '2d' }, skew: 3600 },
    ],
    ['another one of its name was let go', { letGo: [`default/web1/${LOST}@1`] }],
    ['the ledger has another one of its name', { copy: verified({ released: `${LOST}@1` }) }],
    ['the same of another instance was let go', { letGo: [`default/web2/${PAIR}`] }],
    ['the ledger is lost', { copy: undefined }],
  ])('and %s: it waits', (_, { copy, letGo, policy = {}, skew }) => {
    const policies = { daily: { ...DAILY.daily, ...policy } }
    const plan = planFor(WORLD, { ...(copy === undefined ? {} : { copy }), policies, letGo, skew })
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
