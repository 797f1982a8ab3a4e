import { describe, expect, test } from 'vitest'
import { emptyLedger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import { renderLines } from '../../../../shared/plan/line.ts'
import { linesOf } from '../../../../shared/plan/lines.ts'
import type { Plan } from '../../../../shared/plan/plan.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { CopyWork } from '../../../../shared/work/copy/entry.ts'
import type { Action } from '../../../../shared/work/kinds.ts'
import { copiesOf } from '../../../long-work.ts'
import { INSTALLATION, parseWorld, SERVER, text } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'
import {
  copying,
  copyOf,
  DAILY,
  entryIn,
  JOB,
  KEY,
  NOW,
  planFor,
  replica,
  report,
  seconds,
  started,
  verifyOf,
} from './copy-world.ts'

const SOURCE = `
  main:default/web1 running
    daily-20261121T0300Z
    daily-20261122T0300Z
`

const show = (plan: Plan<Action>): string => renderLines(linesOf(plan)).replace(/ +$/gm, '')

describe('a copy starts', () => {
  test('as a first one where there is none', () => {
    expect(copyOf(planFor(`${SOURCE}\nbackup empty`))).toMatchObject({
      first: true,
      startOver: false,
      unverified: [],
      job: JOB,
    })
  })

  test('as a refresh, saying what the refresh will remove', () => {
    const plan = planFor(
      `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261120T0300Z', 'daily-20261121T0300Z')}
        daily-20261120T0300Z
        daily-20261121T0300Z
    `,
      { expired: [`default/web1/daily-20261120T0300Z@${seconds('2026-11-20T03:00Z')}`] },
    )
    expect(show(plan)).toBe(
      text(`
        backup/default/web1
          - daily-20261120T0300Z  the refresh removes it: the source no longer has it
        main/default/web1
          > backup/default/web1   refresh by pull: daily-20261122T0300Z not verified on backup
      `),
    )
  })

  test('only after what an unverified transfer has brought is removed from the target', () => {
    const plan = planFor(`${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}
        daily-20261121T0300Z
        daily-20261122T0300Z
    `)
    expect(copyOf(plan)).toMatchObject({
      first: false,
      unverified: ['daily-20261122T0300Z'],
      excludeOlder: true,
    })
  })

  test('with older snapshots too, when one of them is wanted: Incus excludes by the second', () => {
    const same = '@2026-11-22T03:00:01Z'
    const world = `
      main:default/web1 running
        hourly-20261122T0300Z ${same}
        daily-20261122T0300Z ${same}
      backup:default/web1 stopped user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER} user.stapes.verified=hourly-20261122T0300Z@${seconds('2026-11-22T03:00:01Z')}
        hourly-20261122T0300Z ${same}
    `
    expect(copyOf(planFor(world))).toMatchObject({ first: false, excludeOlder: false })
  })

  test('without them between two ZFS pools, where Incus would list what it doesn’t send', () => {
    const missing = `
      main:default/web1 running
        daily-20261120T0300Z
        other-20261121T0300Z
        $NEWEST
      backup:default/web1 stopped ${replica()}other-20261121T0300Z@${seconds('2026-11-21T03:00Z')}
        other-20261121T0300Z
    `
    const policies = { ...DAILY, other: DAILY.daily, third: DAILY.daily }
    const seen = (newest: string, driver: string) =>
      planFor(missing.replace('$NEWEST', newest), { policies, driver })
    expect(copyOf(seen('', 'btrfs'))).toMatchObject({ first: false, excludeOlder: false })
    const alone = seen('', 'zfs')
    expect(copyOf(alone)).toBeUndefined()
    expect(show(alone)).toContain(
      'daily-20261120T0300Z is missing on backup and older than the newest snapshot that both sides have',
    )
    expect(copyOf(seen('third-20261122T0300Z', 'zfs'))).toMatchObject({ first: false, excludeOlder: true })
  })

  test('over, when the first one bears the mark that it was never verified', () => {
    const plan = planFor(`${SOURCE}
      backup:default/web1 stopped ${replica()} ${copying('')}
        daily-20261121T0300Z
        daily-20261122T0300Z
    `)
    expect(copyOf(plan)).toMatchObject({ first: true, startOver: true })
    expect(show(plan)).toContain('this first copy was never verified, so it is started over')
  })

  test('not while the instance gets a snapshot that is to travel along', () => {
    const seen = parseWorld('main:default/web1 running\nbackup empty')
    const ledger = emptyLedger('v')
    const plan = decide({
      installation: INSTALLATION,
      coverages: coverInstances(configOf(DAILY), seen.remotes),
      world: seen,
      ledger,
      now: NOW,
    })
    expect(copyOf(plan)).toBeUndefined()
    expect(plan.wake).toContain('2026-11-22T03:11:00.000Z')
  })
})

describe('a copy is refused', () => {
  test.each([
    ['by a stranger of that name', 'backup:default/web1 stopped', 'and stapes did not make it'],
    [
      'by the copy of another instance',
      'backup:default/web1 stopped user.stapes.replica-of=other/default/web1',
      'already has an instance of this name, the copy of other/default/web1',
    ],
    [
      'while the target runs',
      `backup:default/web1 running ${replica('daily-20261121T0300Z')}`,
      'stop it. If it has taken over from the source, run the commands listed under backup/default/web1',
    ],
    [
      'when somebody made a snapshot on the target',
      `backup:default/web1 stopped ${replica('daily-20261121T0300Z')}\ndaily-20261121T0300Z\nmine @2026-11-21T12:00Z`,
      "the snapshot mine on the target, which the source doesn't have",
    ],
    [
      'when somebody did so after a transfer that was never verified',
      `backup:default/web1 stopped ${replica('daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}\ndaily-20261121T0300Z\nmine @2026-11-22T03:05Z`,
      "the snapshot mine on the target, which the source doesn't have",
    ],
    [
      'when somebody did so on a first copy that was never verified',
      `backup:default/web1 stopped ${replica()} ${copying('')}\ndaily-20261121T0300Z\nmine @2026-11-22T03:05Z`,
      "the snapshot mine on the target, which the source doesn't have",
    ],
    [
      'without any snapshot in common',
      `backup:default/web1 stopped ${replica('daily-20261101T0300Z')}\ndaily-20261101T0300Z`,
      'have no snapshot in common',
    ],
    [
      'when the target’s listing failed',
      `backup:default/web1 stopped ${replica()}\n?`,
      'its pool gave no answer',
    ],
    ['when the target gives no answer', 'backup unreachable', "backup can't be reached"],
  ])('%s', (_, target, reason) => {
    const plan = planFor(`${SOURCE}\n${target}`)
    expect(copyOf(plan)).toBeUndefined()
    expect(entryIn(plan)).toMatchObject({ state: 'failed', attempts: 1 })
    expect(entryIn(plan)?.reason).toContain(reason)
  })
})

describe('a copy that ended', () => {
  const landed = `${SOURCE}
    backup:default/web1 stopped ${replica('daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}
      daily-20261121T0300Z
      daily-20261122T0300Z
  `
  test('well is believed for what both sides list, and the target’s retention follows', () => {
    const verify = verifyOf(planFor(landed, { copy: started, jobs: [report('done')] }))
    expect(verify).toMatchObject({
      expiries: [{ snapshot: 'daily-20261122T0300Z', expiresAt: null }],
      expire: [{ snapshot: 'daily-20261121T0300Z', ref: { remote: 'backup' } }],
    })
    // What goes in the same run isn't marked any more.
    expect(verify?.marks.map(([name]) => name)).toEqual(['daily-20261122T0300Z'])
  })

  test('well leaves what is held without an expiry, on both sides', () => {
    const held = 'user.stapes.hold.daily-20261122T0300Z=audit'
    const memo = {
      through: seconds('2026-11-22T03:00Z'),
      extended: { 'daily-20261122T0300Z': '2026-11-29T03:00:00Z' },
    }
    const world = landed.replace('main:default/web1 running', `main:default/web1 running ${held}`)
    const verify = verifyOf(planFor(world, { copy: started, jobs: [report('done', { memo })] }))
    expect(verify).toMatchObject({
      expiries: [{ snapshot: 'daily-20261122T0300Z', expiresAt: null }],
      restore: [],
    })
  })

  test('well is judged by the relay’s report even when the ledger was lost', () => {
    expect(verifyOf(planFor(landed, { jobs: [report('done')] }))?.expiries).toHaveLength(1)
  })

  test('well says nothing for a snapshot taken after it began', () => {
    const memo = { through: seconds('2026-11-21T03:00Z'), extended: {} }
    expect(verifyOf(planFor(landed, { copy: started, jobs: [report('done', { memo })] }))?.expiries).toEqual(
      [],
    )
  })

  test('with a success that the target doesn’t show has failed', () => {
    const world = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261121T0300Z')}
        daily-20261121T0300Z
    `
    const plan = planFor(world, { copy: started, jobs: [report('done')] })
    expect(entryIn(plan)?.reason).toContain(
      'but the target does not list daily-20261122T0300Z with the same date as the source',
    )
  })

  test('with the same name but another date has failed', () => {
    const world = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261121T0300Z')}
        daily-20261121T0300Z
        daily-20261122T0300Z @2026-11-22T03:00:01Z
    `
    expect(entryIn(planFor(world, { copy: started, jobs: [report('done')] }))?.state).toBe('failed')
  })

  test('without the newest one has failed, and is tried again though the relay still reports the success', () => {
    const world = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}
        daily-20261121T0300Z
    `
    const jobs = [report('done')]
    const failed = entryIn(planFor(world, { copy: started, jobs }))
    expect(failed).toMatchObject({ state: 'failed', attempts: 1, job: JOB })
    const later = planFor(world, {
      copy: failed as CopyWork,
      jobs,
      now: new Date('2026-11-22T03:12:00Z'),
    })
    expect(copyOf(later)?.job).toBe(`${KEY}:daily-20261122T0300Z#1`)
  })

  test('unseen is unknown, is tried again later, and nothing of the source expires in that run', () => {
    const plan = planFor(landed, { copy: started })
    expect(entryIn(plan)).toMatchObject({
      state: 'unknown',
      attempts: 1,
      retryAt: '2026-11-22T03:11:00.000Z',
    })
    expect(plan.actions).toEqual([])
  })

  test('badly says why, and what to do', () => {
    const error = { code: 'incus', message: 'No space left on device' } as const
    const plan = planFor(landed, { copy: started, jobs: [report('failed', { error })] })
    const reason = 'No space left on device (free space in the pool or enlarge it)'
    expect(entryIn(plan)).toMatchObject({ state: 'failed', reason })
  })

  test('over a quote mark in a snapshot’s name says which name', () => {
    const message = 'rsync failed to spawn after 10s (Missing trailing-" in remote-shell command.'
    const jobs = [report('failed', { error: { code: 'incus', message } })]
    const quoted = landed.replace('backup:', '  say-"hi" @2026-11-20T12:00Z\n      backup:')
    expect(quoted).not.toBe(landed)
    const { reason } = entryIn(planFor(quoted, { copy: started, jobs })) ?? {}
    expect(reason).toMatch(/quote mark in its name: rename it on the source\): say-"hi"$/)
  })

  test('with listings that can’t be had is neither verified nor failed', () => {
    const plan = planFor(`${SOURCE}\nbackup unreachable`, { copy: started, jobs: [report('done')] })
    expect(plan.actions).toEqual([])
    expect(Object.values(copiesOf(plan)).map(({ state }) => state)).not.toContain('failed')
  })
})

describe('while a copy runs', () => {
  test('its progress is told, nothing of it starts, and nothing it needs expires', () => {
    const copy: CopyWork = { ...started, state: 'running' }
    const running = report('running', {
      progress: 'web1: 69.66MB (34.82MB/s)',
      remote: 'backup',
      operation: 'op',
    })
    const plan = planFor(`${SOURCE}\nbackup empty`, { copy, jobs: [running] })
    expect(plan.actions).toEqual([])
    expect(plan.notes).toContainEqual({
      kind: 'wait',
      about: KEY,
      reason: 'the copy has been running since 2026-11-22T03:01:00Z, web1: 69.66MB (34.82MB/s)',
    })
  })
})

test('why the last try failed stands while the next one runs', () => {
  const reason = 'No space left on device'
  const known: CopyWork = { ...started, attempts: 2, reason }
  const plan = planFor(`${SOURCE}\nbackup empty`, { copy: known, jobs: [report('running')] })
  expect(entryIn(plan)).toMatchObject({ state: 'running', attempts: 2, reason })
})

test('a transfer that has landed tells the next plan how long it took', () => {
  const world = `${SOURCE}
    backup:default/web1 stopped ${replica('daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}
      daily-20261121T0300Z
      daily-20261122T0300Z
  `
  const jobs = [report('done', { since: '2026-11-22T03:06:00Z' })]
  const plan = planFor(world, { copy: { ...started, state: 'running' }, jobs })
  expect(entryIn(plan)).toMatchObject({ state: 'verified', took: 300 })
})
