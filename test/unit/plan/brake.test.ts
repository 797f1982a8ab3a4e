import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import { atMost } from '../../../shared/plan/brake.ts'
import { decide } from '../../../shared/plan/decide.ts'
import { digestText } from '../../../shared/plan/lines.ts'
import type { Plan } from '../../../shared/plan/plan.ts'
import { record } from '../../../shared/plan/record.ts'
import { worldOf } from '../../../shared/plan/world.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import type { Action, BackupRequest } from '../../../shared/work/kinds.ts'
import { configOf } from '../policy/instances.ts'
import { INSTALLATION, parseWorld } from './world-text.ts'

const NOW = new Date('2026-11-22T12:00:30Z')
const HOURLY = { hourly: { schedule: '@hourly', keep: { hourly: 24 } } }

/** Snapshots of the last hours, down to the one of the open slot. */
const hours = (count: number, instance = 'web1'): string =>
  `main:default/${instance} running\n${Array.from({ length: count }, (_, at) => {
    const slot = new Date(Date.parse('2026-11-22T12:00:00Z') - at * 3_600_000).toISOString()
    return `  hourly-${slot.slice(0, 16).replace(/[-:]/g, '')}Z`
  }).join('\n')}`

type Given = {
  sight?: Ledger['sight']
  ahead?: string
  skew?: number
  request?: BackupRequest
  policies?: Record<string, object>
  open?: boolean
}

function planOf(
  world: string,
  { sight, ahead, skew, request, policies = HOURLY, open = true }: Given = {},
): { plan: Plan<Action>; ledger: Ledger } {
  const slot = '2026-11-22T12:00:00.000Z'
  const serving = open ? { slot, attempts: {} } : null
  const ledger: Ledger = {
    ...emptyLedger('v'),
    policies: { hourly: { accounted: slot, since: '2026-01-01T00:00:00.000Z', open: serving, slots: [] } },
    ...(sight === undefined ? {} : { sight }),
    ...(ahead === undefined ? {} : { ahead }),
  }
  const parsed = parseWorld(world)
  const main = parsed.remotes.main
  if (skew !== undefined && main?.ok === true) main.inventory.server = { ...main.inventory.server, skew }
  const seen = worldOf(parsed)
  const plan = decide({
    ...{ installation: INSTALLATION, world: seen, ledger, now: NOW, request },
    coverages: coverInstances(configOf(policies), seen.remotes),
  })
  return { plan, ledger }
}

const expired = ({ actions }: Plan<Action>): string[] =>
  actions.flatMap((action) => (action.kind === 'expire' ? [`${action.ref.instance} ${action.snapshot}`] : []))

const KEY = 'expiry hourly main/default/web1'

describe('an expiry that takes too much at once', () => {
  test('is held back, the others go on, and the status says so first', () => {
    const { plan, ledger } = planOf(`${hours(168)}\n${hours(26, 'web2')}`)
    expect(expired(plan)).toEqual(['web2 hourly-20261121T1100Z'])
    expect(plan.notes.map(({ reason }) => reason)).toContainEqual(
      expect.stringContaining('143 of 167 snapshots would go at once'),
    )
    const after = record(ledger, { plan, outcomes: [], run: null, config: 'v', now: NOW }).ledger
    expect(Object.values(after?.sight?.braked ?? {})).toEqual([
      expect.stringContaining(
        'nothing of policy hourly expires on main/default/web1 until somebody confirms it',
      ),
    ])
  })

  test('is told as long as it is so, also between two slots, and no longer', () => {
    const sight = { covered: {}, braked: { [KEY]: 'held' } }
    expect(Object.keys(planOf(hours(168), { sight, open: false }).plan.sight?.braked ?? {})).toEqual([KEY])
    expect(planOf(hours(24), { sight, open: false }).plan.sight?.braked).toBeUndefined()
  })

  test('is held back whatever the ledger has lost', () => {
    expect(expired(planOf(hours(168), { sight: { covered: {} } }).plan)).toEqual([])
  })

  test('is a rotation where as many slots have passed since something else kept them', () => {
    const since = '2026-11-16T12:00:00.000Z'
    const sight = { covered: {}, stalled: { [KEY]: since } }
    expect(expired(planOf(hours(168), { sight }).plan)).toHaveLength(143)
    const late = { covered: {}, stalled: { [KEY]: '2026-11-22T00:00:00.000Z' } }
    expect(expired(planOf(hours(168), { sight: late }).plan)).toEqual([])
  })

  test('goes without a brake, or with a wider one', () => {
    const policies = (brake: unknown) => ({ hourly: { ...HOURLY.hourly, brake } })
    expect(expired(planOf(hours(168), { policies: policies(false) }).plan)).toHaveLength(143)
    expect(expired(planOf(hours(40), { policies: policies({ number: 20 }) }).plan)).toHaveLength(15)
    expect(expired(planOf(hours(40), { policies: policies({ number: 14 }) }).plan)).toEqual([])
  })

  test('is done by a person who allows it, exactly once and nothing else', () => {
    const request: BackupRequest = { do: 'allow', instances: ['web1'], reason: 'allowed by ann' }
    const sight = { covered: {}, braked: { [KEY]: 'held', 'copy x>y': 'held' } }
    const { plan } = planOf(`${hours(168)}\n${hours(26, 'web2')}`, { request, sight })
    expect(expired(plan)).toHaveLength(143)
    expect(plan.approval).toBe('self')
    expect(plan.sight?.braked).toEqual({ 'copy x>y': 'held' })
    const fewer = planOf(`${hours(167)}\n${hours(26, 'web2')}`, { request, sight }).plan
    expect(digestText(plan)).not.toBe(digestText(fewer))
    expect(expired(planOf(hours(26), { request }).plan)).toEqual([])
  })

  test('is refused to a person who names a glob, with what to do, and done if he allows that glob', () => {
    const named = { instances: ['web1'], snapshots: ['hourly-*'], reason: 'by ann' }
    const { plan } = planOf(hours(24), { request: { do: 'expire', ...named } })
    expect(expired(plan)).toEqual([])
    expect(plan.notes.map(({ reason }) => reason).join('\n')).toContain('23 of 24 snapshots would go at once')
    expect(plan.sight?.braked).toBeUndefined()
    expect(expired(planOf(hours(24), { request: { do: 'allow', ...named } }).plan)).toHaveLength(23)
  })
})

describe('under a clock that can’t be right nothing expires', () => {
  test.each<[string, Given, string]>([
    ['the server’s is an hour behind', { skew: -3600 }, 'the clock of main is 60 min behind'],
    ['the server’s is 40 days ahead', { skew: 40 * 86_400 }, 'the clock of main is 57600 min ahead'],
    [
      'the last run was later than now',
      { ahead: '2027-01-01T00:00:00.000Z' },
      'the last run was at 2027-01-01',
    ],
  ])('as when %s', (_, given, said) => {
    const { plan } = planOf(hours(26), given)
    expect(expired(plan)).toEqual([])
    expect(plan.sight?.braked?.[KEY]).toContain(said)
  })

  test('and a minute off is no matter', () => {
    expect(expired(planOf(hours(26), { skew: 60 }).plan)).toHaveLength(1)
  })
})

test('of many only some are noted, and how many more there are', () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`expiry p i${at}`, `${at}`]))
  const noted = atMost(many)
  expect(Object.keys(noted)).toHaveLength(51)
  expect(noted.more).toContain('10 more')
})
