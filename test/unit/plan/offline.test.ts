/** A cluster member is away: Incus lists its instances by name alone. Unknown is not gone, and not strange. */

import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import { decide } from '../../../shared/plan/decide.ts'
import type { Plan } from '../../../shared/plan/plan.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import type { CopyWork } from '../../../shared/work/copy/entry.ts'
import type { Action, BackupRequest } from '../../../shared/work/kinds.ts'
import type { RestoreWork } from '../../../shared/work/restore/entry.ts'
import { copiesAs, restoresAs, restoresOf } from '../../long-work.ts'
import { configOf } from '../policy/instances.ts'
import { INSTALLATION, parseWorld, SERVER } from './world-text.ts'

const KEY = 'main/default/web1>backup/default/web1'
const POLICIES = {
  daily: {
    schedule: '0 3 * * *',
    select: { config: { 'user.tier': 'gold' } },
    keep: { last: 1 },
    copy: { remote: 'backup', keep: { last: 1 } },
  },
}

type Given = {
  now?: string
  copy?: CopyWork
  restores?: Record<string, RestoreWork>
  request?: BackupRequest
}

function planFor(
  text: string,
  { now = '2026-11-23T03:00:20Z', copy, restores, request }: Given = {},
): Plan<Action> {
  const world = parseWorld(text)
  const coverages = coverInstances(configOf(POLICIES), world.remotes)
  const ledger: Ledger = {
    ...emptyLedger('v'),
    policies: { daily: { accounted: '2026-11-22T03:00:00.000Z', open: null, slots: [] } },
    work: { ...(copy === undefined ? {} : copiesAs({ [KEY]: copy })), ...restoresAs(restores ?? {}) },
  }
  return decide({
    installation: INSTALLATION,
    coverages,
    world,
    ledger,
    now: new Date(now),
    request,
    explain: true,
  })
}

const said = ({ notes }: Plan<Action>, about: string): string[] =>
  notes.filter((note) => note.about === about).map(({ kind, reason }) => `${kind}: ${reason}`)

const SEEN = `
  main:default/web1 running user.tier=gold
    daily-20261121T0300Z
    daily-20261122T0300Z
`
const REPLICA = `backup:default/web1 stopped user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER}`

describe('of a source', () => {
  const world = `main:default/web1 offline
    main:default/web2 running user.tier=gold
    backup empty`

  test('the slot waits for it and fails aloud, though only its key would tell whose it is; the others are served', () => {
    const plan = planFor(world)
    expect(plan.actions).toMatchObject([{ kind: 'snapshot', ref: { instance: 'web2' } }])
    const attempt = plan.slots[0]?.ledger.open?.attempts['main/default/web1']
    expect(attempt?.reason).toBe('cluster member n2 gives no answer for it')
    expect(attempt?.retryAt).toBeDefined()
    expect(said(plan, 'main, member n2')).toEqual([
      'problem: it gives no answer, so stapes leaves these alone until it is back: main/default/web1',
    ])
  })

  test('who asks for its copy hears why there is none', () => {
    const plan = planFor(world, {
      request: { do: 'copy', reason: 'asked for', instances: ['web1'] },
    })
    expect(plan.actions).toEqual([])
    expect(said(plan, 'main/default/web1')).toEqual(['problem: cluster member n2 gives no answer for it'])
  })

  test('a restore under way waits, since marks that can’t be seen are not gone', () => {
    const restores: Record<string, RestoreWork> = {
      'main/default/web1': {
        ...{ state: 'running', snapshot: 'daily-20261121T0300Z', running: true, holds: {}, job: 'gone' },
        ...{ safety: 'before-restore-20261123T0250Z', attempts: 0, at: '2026-11-23T02:50:00.000Z' },
      },
    }
    const plan = planFor(world, { restores })
    expect(plan.actions.filter(({ kind }) => kind === 'restore')).toEqual([])
    expect(restoresOf(plan)['main/default/web1']?.state).toBe('running')
    expect(said(plan, 'main/default/web1')).toEqual([
      expect.stringMatching(/^wait: .*n2 gives no answer/),
      expect.stringMatching(/takes its snapshot/),
    ])
  })
})

describe('of a target', () => {
  const away = `${SEEN}\nbackup:default/web1 offline`
  const newest = (name: string): CopyWork => ({
    ...{ state: 'verified', attempts: 0, at: '2026-11-22T03:05:00.000Z', newest: name },
  })

  test('the copy is neither a stranger nor absent: nothing starts, and why is told', () => {
    const plan = planFor(away, { now: '2026-11-22T03:30:00Z', copy: newest('daily-20261121T0300Z') })
    expect(plan.actions).toEqual([])
    expect(said(plan, KEY)).toEqual([
      'problem: backup/default/web1: cluster member n2 gives no answer for it',
    ])
  })

  test('what the next refresh builds on stays on the source, by what was noted', () => {
    const { actions } = planFor(away, { copy: newest('daily-20261121T0300Z') })
    expect(actions.filter(({ kind }) => kind === 'expire')).toEqual([])
  })

  test('nothing at all expires on the source where that isn’t known', () => {
    const { actions } = planFor(away)
    expect(actions.filter(({ kind }) => kind === 'expire')).toEqual([])
  })

  test('back again it is refreshed as ever', () => {
    const back = `${SEEN}\n${REPLICA} user.stapes.verified=daily-20261121T0300Z@${Date.UTC(2026, 10, 21, 3) / 1000}
      daily-20261121T0300Z`
    const plan = planFor(back, { now: '2026-11-22T03:30:00Z' })
    expect(plan.actions).toMatchObject([{ kind: 'copy', first: false, startOver: false }])
  })
})
