/** What the relay's configuration lets a remote be, as the Worker plans by it. */
import { describe, expect, test } from 'vitest'
import type { RemoteRules } from '../../../../shared/incus/inventory.ts'
import type { CopyWork } from '../../../../shared/work/copy/entry.ts'
import { copyOf, DAILY, entryIn, mark, planFor, replica } from './copy-world.ts'

const SOURCE: RemoteRules = { role: 'source', minRetention: 0 }
const TARGET: RemoteRules = { role: 'target', minRetention: 86_400 }
const OLD = 'daily-20261119T0300Z'
const ON_COPY = [OLD, 'daily-20261120T0300Z', 'daily-20261121T0300Z']

/** Of these `keep` wants one. */
const ON_MAIN = `main:default/web1 running\n${ON_COPY.join('\n')}`
const WORLD = `
  ${ON_MAIN}
  backup:default/web1 stopped ${replica(...ON_COPY)}
  ${ON_COPY.join('\n')}
`
/** The newest isn't copied yet. */
const BEHIND = WORLD.replace('running', 'running\ndaily-20261122T0300Z')
const NOW = new Date('2026-11-23T03:00:30Z')
const open = { slot: '2026-11-23T03:00:00.000Z', attempts: {} }
const DUE = {
  ledger: { daily: { accounted: '2026-11-22T03:00:00.000Z', open, slots: [] } },
  policies: { daily: { ...DAILY.daily, keep: { daily: 1 }, brake: false } },
  now: NOW,
}

const known = (rest: Partial<CopyWork> = {}): CopyWork => ({
  state: 'verified',
  attempts: 0,
  at: '2026-11-21T03:05:00.000Z',
  newest: 'daily-20261121T0300Z',
  verified: mark(...ON_COPY).replaceAll(',', ' '),
  ...rest,
})

type Planned = ReturnType<typeof planFor>
const gone = ({ actions }: Planned): string[] =>
  actions.flatMap((action) => (action.kind === 'expire' ? [action.snapshot] : [])).sort()
const told = ({ notes }: Planned): string => notes.map(({ reason }) => reason).join('\n')

describe('what is verified on a copy stays on its source', () => {
  test.each<[string, string, RemoteRules | null | undefined, CopyWork]>([
    ['while the copy’s remote is no target', WORLD, SOURCE, known()],
    ['also where it was one before', WORLD, SOURCE, known({ least: 0 })],
    ['while the relay says nothing of it', WORLD, null, known()],
    [
      'while it gives no answer, and nothing is known from before',
      `${ON_MAIN}\nbackup unreachable`,
      undefined,
      known(),
    ],
  ])('%s', (_, world, rules, copy) => {
    const given = { ...DUE, copy, ...(rules === undefined ? {} : { rules }) }
    expect(gone(planFor(world, given))).toEqual([])
    const plan = planFor(world, {
      ...given,
      request: { do: 'expire', reason: 'by ann', instances: ['web1'], snapshots: [OLD] },
    })
    expect(gone(plan)).toEqual([])
    expect(told(plan)).toContain(
      'it is verified on backup, and it is not known how long the relay keeps it there',
    )
  })

  test.each<[string, string, RemoteRules | undefined, CopyWork]>([
    ['it is a target, and none is too young', WORLD, TARGET, known()],
    [
      'it gives no answer, and what it said last is over',
      `${ON_MAIN}\nbackup unreachable`,
      undefined,
      known({ least: 86_400 }),
    ],
    ['it gives no answer, and had no rule', `${ON_MAIN}\nbackup unreachable`, undefined, known({ least: 0 })],
  ])('but goes where %s', (_, world, rules, copy) => {
    const plan = planFor(world, { ...DUE, copy, ...(rules === undefined ? {} : { rules }) })
    expect(gone(plan)).toEqual([OLD, 'daily-20261120T0300Z'])
  })

  test('and goes afterwards without being held by the brake, as what could not go before', () => {
    const policies = { daily: { ...DUE.policies.daily, brake: { share: 0.1, number: 1 } } }
    const before = '2026-11-19T03:01:00.000Z'
    const sight = { covered: {}, stalled: { 'expiry daily main/default/web1': before } }
    const waiting = planFor(WORLD, { ...DUE, policies, copy: known(), rules: SOURCE, sight })
    expect(waiting.sight?.stalled).toEqual(sight.stalled)
    const first = planFor(WORLD, { ...DUE, policies, copy: known(), rules: SOURCE })
    expect(first.sight?.stalled).toEqual({ 'expiry daily main/default/web1': NOW.toISOString() })
  })
})

describe('a copy to a remote that is no target', () => {
  test('isn’t tried, and no try is counted', () => {
    const failed = known({
      state: 'failed',
      attempts: 5,
      reason: 'HTTP 502',
      retryAt: '2026-11-22T07:00:00.000Z',
      least: 86_400,
    })
    const plan = planFor(BEHIND, { copy: failed, rules: SOURCE })
    expect(copyOf(plan)).toBeUndefined()
    expect(told(plan)).toContain('set "role": "target" for backup in relay.jsonc')
    const entry = entryIn(plan)
    expect(entry).toMatchObject({ state: 'failed', attempts: 5, verified: failed.verified })
    expect(entry?.retryAt).toBeUndefined()
    expect(entry?.least).toBeUndefined()
    expect(plan.wake).toContain('2026-11-22T03:11:00.000Z')
    // The same again changes nothing, so that nothing is written.
    expect(entryIn(planFor(BEHIND, { copy: entry as CopyWork, rules: SOURCE }))).toEqual(entry)
  })

  test('begins in the next run after it became one', () => {
    const entry = entryIn(
      planFor(BEHIND, { copy: known({ retryAt: '2026-11-22T07:00:00.000Z' }), rules: SOURCE }),
    )
    expect(
      copyOf(planFor(BEHIND, { copy: entry as CopyWork, rules: { ...TARGET, minRetention: 0 } })),
    ).toBeDefined()
  })

  test('is told first, with what to do, of each policy that is concerned', () => {
    const policies = {
      daily: DAILY.daily,
      other: { schedule: '@hourly' },
      resting: { ...DAILY.daily, paused: true },
    }
    const { notes, sight } = planFor(BEHIND, { policies, rules: SOURCE })
    const reason = expect.stringContaining(
      'nothing is copied to backup, because the relay\'s configuration does not say that it is a backup target: set "role": "target" for backup in relay.jsonc',
    )
    expect(notes.filter(({ about }) => about.startsWith('policy '))).toEqual([
      { kind: 'problem', about: 'policy daily', reason },
    ])
    expect(sight?.roles).toEqual([expect.stringMatching(/^policy daily: nothing is copied to backup/)])
  })

  test('is looked at each minute while nothing is due, so that the warning ends with its cause', () => {
    expect(planFor(WORLD, { copy: known(), rules: SOURCE }).wake).toContain('2026-11-22T03:11:00.000Z')
    expect(planFor(WORLD, { copy: known(), rules: TARGET }).wake).not.toContain('2026-11-22T03:11:00.000Z')
  })
})

test('a source that is only a target is told as well', () => {
  const plan = planFor('main:default/web1 running\nbackup:default/db running', {
    policies: { daily: { ...DAILY.daily, select: { remotes: ['main', 'backup'] }, copy: false } },
    rules: TARGET,
  })
  expect(plan.sight?.roles).toEqual([expect.stringContaining('nothing of backup is backed up')])
})
