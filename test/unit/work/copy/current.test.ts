/** A copy that needs nothing: what its entry says is what was just seen, and is written once. */
import { describe, expect, test } from 'vitest'
import type { CopyWork } from '../../../../shared/work/copy/entry.ts'
import { copying, entryIn, mark, planFor, replica } from './copy-world.ts'

const SOURCE = `
  main:default/web1 running
    daily-20261121T0300Z
    daily-20261122T0300Z
`
const NAMES = ['daily-20261121T0300Z', 'daily-20261122T0300Z']
const VERIFIED = mark(...NAMES).replace(',', ' ')
const copied = (more = ''): string => `${SOURCE}
  backup:default/web1 stopped ${replica(...NAMES)} ${more}
    daily-20261121T0300Z
    daily-20261122T0300Z
`
const verified: CopyWork = {
  state: 'verified',
  attempts: 0,
  newest: 'daily-20261122T0300Z',
  verified: VERIFIED,
  least: 0,
  at: '2026-11-22T03:05:00.000Z',
}
const failed: CopyWork = {
  ...verified,
  state: 'failed',
  attempts: 2,
  reason: 'remote backup: connect ECONNREFUSED',
  retryAt: '2026-11-22T09:00:00.000Z',
}
/** It was killed before it told that the newest one was marked. */
const behind: CopyWork = {
  state: 'unknown',
  attempts: 1,
  newest: 'daily-20261121T0300Z',
  verified: mark('daily-20261121T0300Z'),
  reason: 'it is not known how the copy ended: the relay or the target was restarted',
  at: '2026-11-22T03:04:00.000Z',
}

describe('the target has all that is wanted', () => {
  test.each<[string, CopyWork | undefined]>([
    ['a failure that the look has disproved, before its next try', failed],
    ['an outcome that was not known, though the mark was written', behind],
    ['no entry at all, as the ledger was lost', undefined],
  ])('%s: the entry says so, once', (_, copy) => {
    const world = copied()
    const entry = entryIn(planFor(world, { ...(copy === undefined ? {} : { copy }), rules: TARGET }))
    expect(entry).toEqual({ ...verified, at: '2026-11-22T03:10:00.000Z' })
    expect(entryIn(planFor(world, { copy: entry as CopyWork, rules: TARGET }))).toBeUndefined()
  })

  test('what an earlier try postponed is remembered for the next one', () => {
    const memo = { through: 1, extended: { 'daily-20261121T0300Z': '2026-11-23T03:00:00Z' } }
    expect(entryIn(planFor(copied(), { copy: { ...failed, memo } }))?.memo).toEqual(memo)
  })

  test('and the newest of both sides is another one now', () => {
    const one = copied().replace('    daily-20261122T0300Z\n', '')
    expect(entryIn(planFor(one, { copy: verified }))?.newest).toBe('daily-20261121T0300Z')
  })

  test('the relay keeps them for another time by now', () => {
    const rules = { role: 'target', minRetention: 86_400 } as const
    const entry = entryIn(planFor(copied(), { copy: verified, rules }))
    expect(entry).toEqual({ ...verified, least: 86_400 })
  })

  test('what the listing lacks for the moment is still known', () => {
    const shorter = `${SOURCE}
      backup:default/web1 stopped ${replica(...NAMES)}
        daily-20261122T0300Z
    `
    expect(entryIn(planFor(shorter, { copy: failed }))).toMatchObject({
      state: 'verified',
      verified: VERIFIED,
    })
  })

  test('a transfer that was never verified is still told', () => {
    expect(entryIn(planFor(copied(copying('2026-11-22T03:00Z')), { copy: failed }))).toBeUndefined()
  })
})

const TARGET = { role: 'target', minRetention: 0 } as const

describe('the target gives no answer', () => {
  const away = `${SOURCE}\nbackup unreachable`
  const told = (plan: ReturnType<typeof planFor>) =>
    plan.notes.filter(({ kind }) => kind === 'problem').map(({ reason }) => reason)

  test('and there is nothing to send: that is told, and is no try that failed', () => {
    const plan = planFor(away, { copy: verified })
    expect(entryIn(plan)).toBeUndefined()
    expect(told(plan)).toEqual([
      "remote backup: backup can't be reached; it was verified up to the newest snapshot when seen last",
    ])
  })

  test('also when somebody asks for it', () => {
    const request = { do: 'copy', reason: 'by hand' } as const
    expect(entryIn(planFor(away, { copy: verified, request }))).toBeUndefined()
  })

  test.each<[string, CopyWork]>([
    ['there is something to send', { ...verified, verified: mark('daily-20261121T0300Z') }],
    ['it had failed before', { ...failed, retryAt: '2026-11-22T03:00:00.000Z' }],
  ])('%s: that is a failed try', (_, copy) => {
    expect(entryIn(planFor(away, { copy }))).toMatchObject({ state: 'failed', attempts: copy.attempts + 1 })
  })
})
