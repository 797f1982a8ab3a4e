/** No good copy is lost: what servers, versions and people did to copies, and what the plan makes of it. */

import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../../shared/ledger/ledger.ts'
import { renderInstallation } from '../../../../shared/plan/installation.ts'
import type { Outcome } from '../../../../shared/plan/jobs.ts'
import type { Plan } from '../../../../shared/plan/plan.ts'
import type { CopyWork } from '../../../../shared/work/copy/entry.ts'
import { recordCopies } from '../../../../shared/work/copy/record.ts'
import type { Action } from '../../../../shared/work/kinds.ts'
import { copiesAs } from '../../../long-work.ts'
import { INSTALLATION, SERVER } from '../../plan/world-text.ts'
import {
  copying,
  copyOf,
  DAILY,
  entryIn,
  KEY,
  mark,
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
    daily-20261120T0300Z
    daily-20261121T0300Z
    daily-20261122T0300Z
`
const OURS = `user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER}`
const verified: CopyWork = {
  state: 'verified',
  attempts: 0,
  newest: 'daily-20261121T0300Z',
  verified: mark('daily-20261120T0300Z', 'daily-20261121T0300Z').replace(',', ' '),
  at: '2026-11-21T03:05:00.000Z',
}
const reasonOf = (plan: Plan<Action>): string => entryIn(plan)?.reason ?? ''
/** Nothing on the target is deleted, changed or transferred. */
const touches = ({ actions }: Plan<Action>): boolean =>
  actions.some(({ kind }) => kind === 'copy' || kind === 'verify' || kind === 'expire')

describe('the mark of what was verified is lost', () => {
  const unmarked = `${SOURCE}
    backup:default/web1 stopped ${OURS}
      daily-20261120T0300Z
      daily-20261121T0300Z
  `
  test('and the ledger knows it: the next transfer sets the mark again and removes nothing', () => {
    const copy = copyOf(planFor(unmarked, { copy: verified }))
    expect(copy).toMatchObject({ first: false, startOver: false, unverified: [], mirrored: [] })
    expect(copy?.verified.map(([name]) => name)).toEqual(['daily-20261120T0300Z', 'daily-20261121T0300Z'])
  })

  test('and nobody knows it: nothing is done, and what to do is told', () => {
    const plan = planFor(unmarked)
    expect(touches(plan)).toBe(false)
    expect(reasonOf(plan)).toContain('it is not known whether any snapshot of the copy was ever verified')
    expect(reasonOf(plan)).toContain('incus rename web1 web1-kept')
  })

  test('in part: what it still names goes on, and the rest is not deleted', () => {
    const world = unmarked.replace(OURS, replica('daily-20261121T0300Z'))
    expect(copyOf(planFor(world))).toMatchObject({ startOver: false, unverified: [] })
  })

  test('of the newest: whether it came whole is not known, so nothing is sent over it', () => {
    const plan = planFor(unmarked.replace(OURS, replica('daily-20261120T0300Z')))
    expect(touches(plan)).toBe(false)
    expect(reasonOf(plan)).toContain(
      'it is not known whether the snapshot daily-20261121T0300Z on the target is complete',
    )
  })
})

describe('what the ledger remembers of a copy that is another one by now', () => {
  const before: CopyWork = {
    ...verified,
    newest: 'daily-20261122T0300Z',
    verified: mark('daily-20261121T0300Z', 'daily-20261122T0300Z').replace(',', ' '),
  }
  test('verifies nothing of a first copy that was never verified, by its own mark', () => {
    const plan = planFor(
      `${SOURCE}
      backup:default/web1 stopped ${OURS} ${copying('')}
        daily-20261121T0300Z
        daily-20261122T0300Z
    `,
      { copy: before },
    )
    expect(copyOf(plan)).toMatchObject({ first: true, startOver: true })
  })
})

describe('a snapshot of the source that may be partial', () => {
  const doubted: Ledger['policies'] = {
    daily: {
      accounted: NOW.toISOString(),
      open: null,
      slots: [],
      partial: ['main/default/web1/daily-20261121T0300Z'],
    },
  }
  test('is not verified by the copy that carries it', () => {
    const world = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261120T0300Z')}
        daily-20261120T0300Z
    `
    expect(copyOf(planFor(world, { ledger: doubted }))?.stale).toEqual(['daily-20261121T0300Z'])
    const landed = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261120T0300Z')} ${copying('2026-11-20T03:00Z')}
        daily-20261120T0300Z
        daily-20261121T0300Z
        daily-20261122T0300Z
    `
    const verify = verifyOf(planFor(landed, { ledger: doubted, copy: started, jobs: [report('done')] }))
    expect(verify?.marks.map(([name]) => name)).not.toContain('daily-20261121T0300Z')
    expect(verify?.rest).toEqual(['daily-20261121T0300Z'])
  })

  test('goes, unless it is verified on a copy and the next refresh builds on it', () => {
    const removed = (copy: string): string[] =>
      planFor(`${SOURCE}\n${copy}`, { ledger: doubted }).actions.flatMap((action) =>
        action.kind === 'expire' ? [action.snapshot] : [],
      )
    const common = (day: string) => `
      backup:default/web1 stopped ${replica(`daily-${day}T0300Z`)} user.stapes.owner=1.x.other
        daily-${day}T0300Z
    `
    expect(removed(common('20261120'))).toEqual(['daily-20261121T0300Z'])
    expect(removed(common('20261121'))).toEqual([])
  })
})

describe('an older snapshot that is wanted', () => {
  const same = '@2026-11-22T03:00:01Z'
  const at = seconds('2026-11-22T03:00:01Z')
  const world = (copy: string) => `
    main:default/web1 running
      hourly-20261122T0300Z ${same}
      daily-20261122T0300Z ${same}
    backup:default/web1 stopped ${OURS} user.stapes.verified=hourly-20261122T0300Z@${at} ${copy}
      hourly-20261122T0300Z ${same}
      daily-20261122T0300Z ${same}
  `
  test('comes again with the next transfer, when the one before broke', () => {
    const plan = planFor(world(`user.stapes.copying=t#0,${at},daily-20261122T0300Z`))
    expect(copyOf(plan)).toMatchObject({
      unverified: ['daily-20261122T0300Z'],
      transfer: { names: ['daily-20261122T0300Z'] },
    })
  })

  test('that stands on the copy and nobody verified: that is told, and no transfer goes on for ever', () => {
    expect(reasonOf(planFor(world('')))).toContain(
      'it is not known whether the snapshot daily-20261122T0300Z on the target is complete',
    )
  })
})

describe('listings that shrink', () => {
  test('on the target: the verified ones that are not listed stay verified', () => {
    const world = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261120T0300Z', 'daily-20261121T0300Z')}
        daily-20261121T0300Z
    `
    expect(copyOf(planFor(world))?.verified.map(([name]) => name)).toEqual([
      'daily-20261120T0300Z',
      'daily-20261121T0300Z',
    ])
  })

  test('to nothing on the target: nothing is started over', () => {
    const world = `${SOURCE}\nbackup:default/web1 stopped ${replica('daily-20261121T0300Z')}`
    expect(copyOf(planFor(world))).toMatchObject({ startOver: false, first: false, unverified: [] })
  })

  test('the target is not listed at all, though it was verified: a first copy, which Incus refuses if it is there', () => {
    const plan = planFor(`${SOURCE}\nbackup empty`, { copy: verified })
    expect(copyOf(plan)).toMatchObject({ first: true, startOver: false, unverified: [] })
  })
})

test('a source that can’t be listed: nothing is done, and that is told of its copy', () => {
  const plan = planFor('main:default/web1 running\n?\nbackup empty')
  expect(plan.actions).toEqual([])
  expect(plan.notes).toContainEqual(
    expect.objectContaining({
      kind: 'problem',
      about: KEY,
      reason: expect.stringContaining('its pool gave no answer'),
    }),
  )
})

test('nor does its copy seem to go on: its state says why nothing comes of it', () => {
  const world = 'main:default/web1 running\n?\nbackup empty'
  expect(reasonOf(planFor(world, { copy: started }))).toContain('its pool gave no answer')
  expect(planFor(world, { copy: verified }).work).toEqual({})
})

test('the copy of another instance stands there, with snapshots of the same names and dates: it is no copy of this one', () => {
  const both = ['p1', 'p2'].map((project) => SOURCE.replace('main:default', `main:${project}`)).join('')
  const names = ['daily-20261121T0300Z', 'daily-20261122T0300Z']
  const copy = `backup:default/web1 stopped ${replica(...names).replace('main/default', 'main/p1')}`
  const plan = planFor(`${both}\n${copy}\n${names.join('\n')}`, {
    policies: {
      daily: {
        ...DAILY.daily,
        select: { remotes: ['main'], projects: ['*'] },
        copy: { remote: 'backup', project: 'default' },
      },
    },
  })
  expect(touches(plan)).toBe(false)
  expect(plan.notes.map(({ kind, about, reason }) => [kind, about, reason])).toEqual([
    ['keep', 'main/p1/web1>backup/default/web1', 'the copy is verified up to the newest snapshot'],
    [
      'problem',
      'main/p2/web1>backup/default/web1',
      'the target already has an instance of this name, the copy of main/p1/web1: copy into another project',
    ],
  ])
})

describe('while the policy that wants the copy is paused', () => {
  const HOURS = ['00', '01', '02', '03'].map((hour) => `hourly-20261122T${hour}00Z`)
  const [lost = '', common = ''] = HOURS
  const mark = [lost, common].map((name, hour) => `${name}@${seconds(`2026-11-22T0${hour}:00Z`)}`).join(',')
  const world = `main:default/web1 running\n${HOURS.join('\n')}
    backup:default/web1 stopped ${OURS} user.stapes.verified=${mark}\n${lost}\n${common}
  `
  const hourly = { schedule: '0 * * * *', keep: { last: 1 }, expiry: '1d' }
  const open = { slot: '2026-11-22T03:00:00.000Z', attempts: {} }
  const ledger = { hourly: { accounted: NOW.toISOString(), open, slots: [] } }
  const policies = { hourly, daily: { ...DAILY.daily, paused: true } }

  test('nothing is copied, and neither other policies nor Incus’s own expiry remove what its next copy builds on', () => {
    const { actions } = planFor(world, { policies, ledger, copy: verified })
    expect(actions.map((action) => ('snapshot' in action ? [action.kind, action.snapshot] : []))).toEqual([
      ['hold', common],
      ['expire', lost],
    ])
  })
})

test.each([
  ['is away', 'backup unreachable'],
  [
    'lags behind',
    `backup:default/web1 stopped ${OURS} user.stapes.owner=1.x.other user.stapes.verified=hourly-20261122T0100Z@${seconds('2026-11-22T01:00Z')},native@${seconds('2026-11-22T01:00:09Z')}
       hourly-20261122T0100Z
       native @2026-11-22T01:00:09Z`,
  ],
])(
  'the copy %s, and its newest snapshot is one that Incus took by itself: what stapes took before stays too',
  (_, copy) => {
    const HOURS = ['01', '02', '03'].map((hour) => `hourly-20261122T${hour}00Z`)
    const [common = ''] = HOURS
    const plan = planFor(
      `main:default/web1 running\n${HOURS.join('\n')}\n native @2026-11-22T01:00:09Z\n${copy}`,
      {
        policies: {
          hourly: { schedule: '0 * * * *', keep: { last: 1 }, expiry: '1d', copy: { remote: 'backup' } },
        },
        ledger: {
          hourly: {
            accounted: NOW.toISOString(),
            open: { slot: '2026-11-22T03:00:00.000Z', attempts: {} },
            slots: [],
          },
        },
        copy: {
          ...verified,
          newest: 'native',
          verified: `${common}@${seconds('2026-11-22T01:00Z')} native@${seconds('2026-11-22T01:00:09Z')}`,
        },
      },
    )
    expect(plan.actions).toMatchObject([{ kind: 'hold', snapshot: common }])
  },
)

describe('another installation of stapes', () => {
  const owned = (owner: object): string => `${SOURCE}
    backup:default/web1 stopped ${replica('daily-20261121T0300Z')} user.stapes.owner=${renderInstallation({ ...INSTALLATION, ...owner })} ${copying('2026-11-21T03:00Z')}
      daily-20261121T0300Z
      daily-20261122T0300Z
  `
  test.each([
    ['with another key', { keyDigest: 'other', born: INSTALLATION.born - 1 }],
    ['that is younger than this one', { born: INSTALLATION.born + 1 }],
    ['whose mark can’t be read', { keyDigest: '*' }],
  ])('%s makes the copy: it is left alone, and that is told', (_, owner) => {
    const plan = planFor(owned(owner))
    expect(touches(plan)).toBe(false)
    expect(reasonOf(plan)).toContain('another installation of stapes makes this copy')
    expect(reasonOf(plan)).toContain('incus config unset web1 user.stapes.owner')
  })

  test('makes it, and it is up to date: that there are two is told all the same', () => {
    const plan = planFor(
      owned({ keyDigest: 'other', nonce: 'theirs' }).replace('daily-20261122T0300Z\n', '\n'),
    )
    expect(reasonOf(plan)).toContain('another installation of stapes makes this copy')
  })

  test('is making it: a success of ours from before verifies nothing of it', () => {
    const plan = planFor(owned({ keyDigest: 'other', nonce: 'theirs' }), {
      copy: started,
      jobs: [report('done')],
    })
    expect(touches(plan)).toBe(false)
  })

  test('by its mark, but with the same state: the key to the relay was renewed, and the mark follows', () => {
    const copy = copyOf(planFor(owned({ keyDigest: 'renewed-since' })))
    expect(copy?.owner).toBe(renderInstallation(INSTALLATION))
  })

  test('of our own key that is older was us, before our state was lost', () => {
    expect(copyOf(planFor(owned({ born: INSTALLATION.born - 1, nonce: 'before' })))).toBeDefined()
  })
})

describe('the source’s server has another certificate than when the copy was made', () => {
  const OLD = 'e'.repeat(64)
  const copied = (...verified: string[]) => `
    backup:default/web1 stopped ${replica(...verified).replace(SERVER, OLD)}
      daily-20261121T0300Z
  `
  test('and its instance has the newest verified snapshot: the copy goes on, and that is told', () => {
    const plan = planFor(`${SOURCE}${copied('daily-20261121T0300Z')}`)
    expect(copyOf(plan)).toMatchObject({ first: false, sourceServer: SERVER })
    expect(copyOf(plan)?.reason).toContain('the certificate of main has changed')
    const landed = planFor(`${SOURCE}${copied('daily-20261121T0300Z')}      daily-20261122T0300Z\n`, {
      copy: started,
      jobs: [report('done')],
    })
    expect(reasonOf(landed)).not.toContain('certificate')
  })

  test('and its instance has it not, or another one of that name: nothing is done, and what to do is told', () => {
    for (const source of [
      'main:default/web1 running\n  daily-20261122T0300Z',
      'main:default/web1 running\n  daily-20261121T0300Z @2026-11-21T03:00:09Z\n  daily-20261122T0300Z',
    ]) {
      const plan = planFor(`${source}\n${copied('daily-20261121T0300Z')}`)
      expect(touches(plan)).toBe(false)
      expect(reasonOf(plan)).toContain(`set user.stapes.replica-of.server=${SERVER} on the target`)
    }
  })

  test('and nothing of the copy was verified, or only what people made: likewise', () => {
    expect(touches(planFor(`${SOURCE}${copied()}`))).toBe(false)
    const byHand = `by-hand@${seconds('2026-11-21T12:00Z')}`
    const world = `${SOURCE}    by-hand @2026-11-21T12:00:00Z${copied()}      by-hand @2026-11-21T12:00:00Z\n`
    expect(touches(planFor(world.replace('user.stapes.verified=', `user.stapes.verified=${byHand}`)))).toBe(
      false,
    )
  })
})

describe('a success is remembered, and what stands there now', () => {
  const jobs = [report('done')]
  test.each([
    ['is an instance made by hand', 'backup:default/web1 stopped', 'and stapes did not make it'],
    ['runs', `backup:default/web1 running ${replica()} ${copying('')}`, 'it has taken over'],
    [
      'was brought by another transfer',
      `backup:default/web1 stopped ${replica()} ${copying('', 'daily-20261122T0300Z#7')}`,
      'another transfer to the copy began in the meantime',
    ],
    ['is gone', 'backup empty', 'the copy is not there'],
    [
      'bears no mark of a transfer',
      `backup:default/web1 stopped ${replica('daily-20261121T0300Z')}`,
      'the copy lacks the mark of that transfer',
    ],
  ])('%s: nothing is verified, expired or dated', (_, target, reason) => {
    const world = target.includes('empty')
      ? `${SOURCE}\n${target}`
      : `${SOURCE}\n${target}\ndaily-20261121T0300Z\ndaily-20261122T0300Z`
    const plan = planFor(world, { copy: started, jobs })
    expect(touches(plan)).toBe(false)
    expect(reasonOf(plan)).toContain(reason)
  })
})

describe('the source was rolled back', () => {
  const target = `backup:default/web1 stopped ${replica('daily-20261120T0300Z', 'daily-20261121T0300Z', 'daily-20261122T0300Z')}
      daily-20261120T0300Z
      daily-20261121T0300Z
      daily-20261122T0300Z
  `
  test('so that the newest verified snapshot is gone: no refresh, and what would be lost is told', () => {
    const plan = planFor(
      `main:default/web1 running
        daily-20261120T0300Z
        daily-20261123T0300Z
      ${target}`,
      { now: new Date('2026-11-23T03:10:00Z') },
    )
    expect(touches(plan)).toBe(false)
    expect(reasonOf(plan)).toContain(
      'daily-20261122T0300Z, the newest verified snapshot of the copy, is gone',
    )
    expect(reasonOf(plan)).toContain('would delete 2 verified snapshots')
  })

  test('of what somebody made by hand and removed again: the refresh waits until somebody allows it', () => {
    const plan = planFor(`${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261121T0300Z')},by-hand@${seconds('2026-11-21T12:00Z')}
        daily-20261121T0300Z
        by-hand @2026-11-21T12:00:00Z
    `)
    expect(touches(plan)).toBe(false)
    expect(reasonOf(plan)).toContain('stapes did not expire them (by-hand)')
  })

  test('or one was made again under the name of a verified one: likewise', () => {
    const plan = planFor(
      `main:default/web1 running
        daily-20261121T0300Z
        daily-20261122T0300Z @2026-11-22T09:00:00Z
      ${target}`,
    )
    expect(touches(plan)).toBe(false)
    expect(reasonOf(plan)).toContain('is gone from main/default/web1')
  })
})

describe('expiry on the target', () => {
  const landed = (keep: object) => ({
    policies: { daily: { ...DAILY.daily, copy: { remote: 'backup', expiry: '5M', keep } } },
    copy: started,
    jobs: [report('done')],
  })
  const world = `${SOURCE}
    backup:default/web1 stopped ${replica('daily-20261120T0300Z', 'daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}
      daily-20261120T0300Z
      daily-20261121T0300Z
      daily-20261122T0300Z
  `
  test('the newest verified snapshot has none, and the one before gets it', () => {
    expect(verifyOf(planFor(world, landed({})))?.expiries).toEqual([
      { snapshot: 'daily-20261121T0300Z', expiresAt: '2026-11-22T03:15:00.000Z' },
      { snapshot: 'daily-20261122T0300Z', expiresAt: null },
    ])
  })

  test('what copy.keep still wants has none either', () => {
    expect(verifyOf(planFor(world, landed({ daily: 3 })))?.expiries).toEqual([
      { snapshot: 'daily-20261122T0300Z', expiresAt: null },
    ])
  })

  test('a snapshot made by hand keeps its own', () => {
    const hand = 'by-hand @2026-11-22T02:00Z'
    const both = world
      .replace('daily-20261122T0300Z\n', `daily-20261122T0300Z\n${hand}\n`)
      .replace(/daily-20261122T0300Z\n {2}$/, `daily-20261122T0300Z\n${hand}\n`)
    const verify = verifyOf(planFor(both, landed({})))
    expect(verify?.marks.map(([name]) => name)).toContain('by-hand')
    expect(verify?.expiries.map(({ snapshot }) => snapshot)).not.toContain('by-hand')
  })

  test('what an earlier version of stapes has dated is undated before the next transfer', () => {
    const refresh = world.replace(copying('2026-11-21T03:00Z'), '').replace(/daily-20261122T0300Z\n {2}$/, '')
    expect(copyOf(planFor(refresh))?.lasting).toContain('daily-20261121T0300Z')
  })
})

describe('the newest', () => {
  test('is not one that is named for the future', () => {
    const world = `${SOURCE}
        daily-20990101T0000Z @2026-11-22T03:05:00Z
      backup:default/web1 stopped ${replica('daily-20261122T0300Z')}
        daily-20261122T0300Z
    `
    expect(planFor(world).notes).toContainEqual({
      kind: 'keep',
      about: KEY,
      reason: 'the copy is verified up to the newest snapshot',
    })
  })

  test('is the one that was made last, though its slot is the earlier one', () => {
    const world = `
      main:default/web1 running
        daily-20261122T0300Z
        daily-20261122T0000Z @2026-11-22T03:04:00Z
      backup:default/web1 stopped ${replica('daily-20261122T0300Z')}
        daily-20261122T0300Z
    `
    expect(copyOf(planFor(world))?.reason).toContain('daily-20261122T0000Z not verified')
  })
})

describe('the copy’s own pool', () => {
  test('is named in a refresh, whatever the policy or the source says by now', () => {
    const policies = { daily: { ...DAILY.daily, copy: { remote: 'backup', pool: 'fast' } } }
    const world = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261121T0300Z')}
        daily-20261121T0300Z
    `
    expect(copyOf(planFor(world, { policies }))?.pool).toBe('default')
    expect(copyOf(planFor(`${SOURCE}\nbackup empty`, { policies }))?.pool).toBe('fast')
  })
})

describe('what has no operation has an end', () => {
  const running: CopyWork = { ...started, state: 'running' }
  const unlisted = `${SOURCE}\nbackup:default/web1 stopped ${replica()} ${copying('')}\n?`
  test.each([
    ['a success that can’t be verified for want of a listing', unlisted, [report('done')], 61],
    ['a copy whose target can’t be asked', `${SOURCE}\nbackup unreachable`, [], 24 * 60 + 2],
  ])('%s', (_, world, jobs, minutes) => {
    const at = (after: number) => new Date(new Date(started.at).getTime() + after * 60_000)
    expect(entryIn(planFor(world, { copy: running, jobs, now: at(minutes - 5) }))?.state).not.toBe('unknown')
    expect(entryIn(planFor(world, { copy: running, jobs, now: at(minutes) }))?.state).toBe('unknown')
  })
})

describe('a policy whose every tick has a slot', () => {
  test('gets its copy, after the snapshot of that tick', () => {
    const policies = { each: { schedule: '* * * * *', keep: { last: 3 }, copy: { remote: 'backup' } } }
    const world = 'main:default/web1 running\neach-20261122T0309Z\nbackup empty'
    const plan = planFor(world, { policies, now: new Date('2026-11-22T03:10:00Z') })
    expect(copyOf(plan)?.reason).toContain('each-20261122T0309Z not verified')
  })
})

describe('the newest common snapshot, while the copy lags', () => {
  const policies = { daily: { ...DAILY.daily, expiry: '2d' } }
  const later = new Date('2026-11-22T20:00:00Z')
  const away = `${SOURCE}\nbackup unreachable`

  test('has its own expiry on the source put off before Incus removes it', () => {
    const plan = planFor(away, { policies, copy: verified, now: later })
    expect(plan.actions).toContainEqual(
      expect.objectContaining({
        kind: 'hold',
        snapshot: 'daily-20261121T0300Z',
        expiresAt: '2026-11-28T20:00:00.000Z',
      }),
    )
    expect(entryIn(plan)?.putOff).toEqual({
      snapshot: 'daily-20261121T0300Z',
      own: '2026-11-23T03:00:00.000Z',
      until: '2026-11-28T20:00:00.000Z',
    })
  })

  test('is not put off again until a day is left', () => {
    const putOff = {
      snapshot: 'daily-20261121T0300Z',
      own: '2026-11-23T03:00:00.000Z',
      until: '2026-11-28T20:00:00.000Z',
    }
    const at = (now: string) =>
      planFor(away, { policies, copy: { ...verified, putOff }, now: new Date(now) }).actions.map(
        ({ kind }) => kind,
      )
    expect(at('2026-11-27T19:00:00Z')).not.toContain('hold')
    expect(at('2026-11-27T21:00:00Z')).toContain('hold')
  })

  test('gets its own back when a newer one is verified', () => {
    const landed = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}
        daily-20261121T0300Z
        daily-20261122T0300Z
    `
    const putOff = {
      snapshot: 'daily-20261121T0300Z',
      own: '2026-11-23T03:00:00.000Z',
      until: '2026-11-28T20:00:00.000Z',
    }
    const verify = verifyOf(
      planFor(landed, { policies, copy: { ...started, putOff }, jobs: [report('done')] }),
    )
    expect(verify?.restore).toEqual([{ snapshot: 'daily-20261121T0300Z', expiresAt: putOff.own }])
  })
})

describe('names that no request can hold', () => {
  const odd = `${SOURCE}
      50% @2026-11-21T12:00Z
    backup:default/web1 stopped ${replica('daily-20261121T0300Z')} ${copying('2026-11-21T03:00Z')}
      daily-20261121T0300Z
      50% @2026-11-21T12:00Z
      daily-20261122T0300Z
  `
  test('of a transfer that broke: it is not deleted, nor verified by the next one, and is told of', () => {
    const plan = planFor(odd)
    expect(copyOf(plan)).toMatchObject({ unverified: ['daily-20261122T0300Z'], stale: ['50%'] })
    expect(plan.notes).toContainEqual(expect.objectContaining({ kind: 'foreign', snapshot: '50%' }))
    const memo = { through: seconds('2026-11-22T03:00Z'), extended: {}, stale: ['50%'] }
    const verify = verifyOf(planFor(odd, { copy: started, jobs: [report('done', { memo })] }))
    expect(verify?.marks.map(([name]) => name)).toEqual(['daily-20261122T0300Z'])
  })

  test('of a transfer that ended well: it is verified, and no request is made for it', () => {
    const verify = verifyOf(planFor(odd, { copy: started, jobs: [report('done')] }))
    expect(verify?.marks.map(([name]) => name)).toContain('50%')
    expect(verify?.expiries.map(({ snapshot }) => snapshot)).toEqual(['daily-20261122T0300Z'])
  })
})

describe('a copy that no policy wants any more', () => {
  test('keeps the source’s snapshots while it runs', () => {
    const policies = { daily: { schedule: '0 3 * * *', keep: { last: 1 } } }
    const plan = planFor(SOURCE, { policies, jobs: [report('running')] })
    expect(plan.actions).toEqual([])
  })
})

describe('a copy’s job that another job’s lock kept from beginning', () => {
  test('changes nothing of what is known of the copy', () => {
    const world = `${SOURCE}
      backup:default/web1 stopped ${replica('daily-20261121T0300Z')}
        daily-20261121T0300Z
    `
    const plan = planFor(world, { copy: verified })
    const action = copyOf(plan)
    if (action === undefined) throw new Error('it should start')
    const before: Ledger = { ...emptyLedger('v'), work: copiesAs({ [KEY]: verified }) }
    const error = { code: 'locked', message: 'job "restore" holds the lock' } as const
    const entryAfter = (outcome: Outcome) =>
      recordCopies(before, { plan, outcomes: [outcome], frozen: {}, now: NOW }).work?.[`copy ${KEY}`]
    expect(entryAfter({ action, state: 'refused', error })).toEqual(verified)
    expect(entryAfter({ action, state: 'done' })).toMatchObject({
      state: 'started',
      newest: 'daily-20261121T0300Z',
      verified: expect.stringContaining('daily-20261121T0300Z@'),
    })
  })
})
