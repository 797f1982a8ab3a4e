/** What is told when, to whom. */
import { describe, expect, test } from 'vitest'
import type { Channel } from '../../../shared/notify/channel.ts'
import { decide, type Situation } from '../../../shared/notify/decide.ts'
import { NO_NOTICES, type Notices } from '../../../shared/notify/notices.ts'
import { settle } from '../../../shared/notify/settle.ts'
import type { Verdict } from '../../../shared/promise/verdict.ts'
import { HOUR, MINUTE, START, town } from './town.ts'
import { channelOf, conditionOf, promisedOf, verdictOf } from './verdicts.ts'

const GOOD = verdictOf([
  promisedOf({ state: 'kept', since: null, reason: null, until: '2026-11-22T20:00:00.000Z' }),
])
const BROKEN = verdictOf([promisedOf()])

describe('an alarm that is about several', () => {
  const about = (...names: string[]): Verdict =>
    verdictOf(
      [],
      [
        conditionOf({
          ...{ id: 'uncovered main/default', kind: 'remote', about: 'main' },
          each: names.map((name) => `main/default/${name}`),
        }),
      ],
    )

  test('is told again when it is about one more, at most each ten minutes, and not when one comes back', () => {
    const ops = town([channelOf()])
    ops.at(0, about('a'))
    ops.at(MINUTE, about('a', 'b'))
    ops.at(2 * MINUTE, about('a', 'b', 'c'))
    ops.at(10 * MINUTE, about('a', 'b', 'c'))
    ops.at(11 * MINUTE, about('a', 'c'))
    ops.at(40 * MINUTE, about('a', 'b', 'c'))
    ops.at(50 * MINUTE, about('a', 'b'))
    expect(ops.got.map(({ at, kind }) => [at / MINUTE, kind])).toEqual([
      [0, 'alarm'],
      [10, 'alarm'],
    ])
    ops.at(60 * MINUTE, about('a', 'd'))
    expect(ops.got).toHaveLength(3)
    expect(JSON.stringify(ops.notices().open)).toContain('"fresh":{"main/default/d":')
  })

  test('is not told again because an earlier version did not note what it was about', () => {
    const ops = town([channelOf()])
    ops.at(0, verdictOf([], [conditionOf({ id: 'uncovered main/default', kind: 'remote', about: 'main' })]))
    ops.at(20 * MINUTE, about('a'))
    expect(ops.kinds()).toEqual(['alarm'])
  })
})

test('another thing that is wrong is told, though its name differs from the first by a number alone', () => {
  const ops = town([channelOf()])
  const empty = (name: string) => conditionOf({ id: `empty ${name}`, kind: 'policy', about: name })
  const found = (name: string) =>
    conditionOf({
      id: `found clock of ${name}`,
      kind: 'remote',
      about: name,
      text: `the clock of ${name} is 90 s behind`,
    })
  ops.at(0, verdictOf([], [empty('daily1')]))
  ops.at(20 * MINUTE, verdictOf([], [empty('daily1'), empty('daily2')]))
  ops.at(40 * MINUTE, verdictOf([], [empty('daily1'), empty('daily2'), found('main1')]))
  ops.at(60 * MINUTE, verdictOf([], [empty('daily1'), empty('daily2'), found('main1'), found('main2')]))
  expect(ops.kinds()).toEqual(['alarm', 'alarm', 'alarm', 'alarm'])
})

describe('a broken promise', () => {
  test('is told once, reminded of after 6 hours, a day and then each three days, and its end is told', () => {
    const ops = town([channelOf()])
    for (let hour = 0; hour < 24 * 9; hour++) ops.at(hour * HOUR, BROKEN)
    expect(ops.got.map(({ at, kind }) => [at / HOUR, kind])).toEqual([
      [0, 'alarm'],
      [6, 'reminder'],
      [30, 'reminder'],
      [102, 'reminder'],
      [174, 'reminder'],
    ])
    ops.at(24 * 9 * HOUR, GOOD)
    expect(ops.got).toHaveLength(5)
    ops.at(24 * 9 * HOUR + 6 * MINUTE, GOOD)
    expect(ops.got.at(-1)).toMatchObject({
      kind: 'recovery',
      title: expect.stringMatching(/^Over after 9 days: /),
    })
    expect(ops.notices().open).toEqual({})
  })

  test('that is broken again within five minutes is the same one', () => {
    const ops = town([channelOf()])
    for (let minute = 0; minute < 60; minute++) ops.at(minute * MINUTE, minute % 4 < 2 ? BROKEN : GOOD)
    expect(ops.kinds()).toEqual(['alarm'])
  })

  test.each<[string, Verdict, Partial<Situation>]>([
    ['not everything could be read', verdictOf([]), { sees: false }],
    ['the configuration can’t be read', verdictOf([]), { channels: null, sees: false }],
    ['it begins anew', verdictOf([promisedOf({ state: 'pending', since: null, reason: null })]), {}],
  ])('is not over because %s', (_, verdict, more) => {
    const ops = town([channelOf()])
    ops.at(0, BROKEN)
    for (const minute of [1, 10, 20]) ops.at(minute * MINUTE, verdict, more)
    expect(ops.kinds()).toEqual(['alarm'])
  })

  test('is told anew to whom its end was told, though another channel that failed does not know of that', () => {
    const channels = [channelOf(), channelOf({ name: 'other' })]
    let notices: Notices = NO_NOTICES
    const ids: string[] = []
    const at = (minute: number, verdict: Verdict): void => {
      const now = new Date(START + minute * MINUTE)
      const { notices: noted, due } = decide(notices, { channels, verdict, sees: true, ledger: null }, now)
      for (const { channel, letter } of due) if (channel.name === 'ops') ids.push(letter.id)
      const failed = { ok: false, reason: '500', final: false } as const
      notices = due.reduce((all, one) => {
        const isDead = one.channel.name === 'other' && minute > 0
        return settle(all, one, isDead ? failed : { ok: true }, now)
      }, noted)
    }
    for (const minute of [0, 1]) at(minute, BROKEN)
    for (const minute of [2, 8]) at(minute, GOOD)
    for (const minute of [9, 10]) at(minute, BROKEN)
    expect(ids.map((id) => / (alarm|recovery)/.exec(id)?.[1])).toEqual(['alarm', 'recovery', 'alarm'])
    expect(new Set(ids).size).toBe(3)
  })

  test('says so when it is no longer made', () => {
    const ops = town([channelOf()])
    ops.at(0, BROKEN)
    for (const minute of [1, 10]) ops.at(minute * MINUTE, verdictOf([]))
    expect(ops.kinds()).toEqual(['alarm', 'recovery'])
  })
})

describe('what has one reason', () => {
  const subjects = Array.from({ length: 50 }, (_, index) => `main/default/web${index}`)
  const tried = (reason: string) => subjects.map((subject) => promisedOf({ subject, reason }))

  test('is one alarm, whatever the instance, the time of the next try and the numbers in it are', () => {
    const promises = subjects.map((subject, index) =>
      promisedOf({
        subject,
        reason: `${subject}: needs ${index} MiB; next try at 2026-11-22T06:${10 + index}:00.000Z`,
      }),
    )
    const ops = town([channelOf()])
    ops.at(0, verdictOf(promises))
    expect(ops.of('ops')).toEqual([expect.stringMatching(/^50 promises to 50 instances are not kept: /)])
  })

  test('stays one when the reason changes, and until the last of them is kept', () => {
    const ops = town([channelOf()])
    ops.at(0, verdictOf(tried('connect ECONNREFUSED')))
    ops.at(10 * MINUTE, verdictOf(tried('No space left on device')))
    ops.at(20 * MINUTE, verdictOf(tried('No space left on device').slice(0, 1)))
    expect(ops.kinds()).toEqual(['alarm'])
  })

  test('a silent remote stands for all that it keeps from being backed up, until that is made up for', () => {
    const reason = 'backup has given no answer since 2026-11-22T05:59:00.000Z: refused'
    const copies = subjects.map((subject) =>
      promisedOf({
        kind: 'copy',
        subject,
        target: subject.replace('main', 'backup'),
        state: 'unknown',
        reason,
      }),
    )
    const silence = conditionOf({ id: 'remote backup', kind: 'remote', about: 'backup', text: reason })
    const copy = conditionOf({
      ...{ id: 'copy main/default/web1>backup/default/web1', kind: 'instance', about: 'main/default/web1' },
      ...{ text: 'the copy failed: refused', reason: 'refused' },
    })
    const ops = town([channelOf()])
    ops.at(0, verdictOf([], [silence]))
    ops.at(MINUTE, verdictOf(copies, [silence, copy]))
    const late = copies.map((one) => ({
      ...one,
      state: 'broken' as const,
      reason: 'no later one was seen by then',
    }))
    ops.at(40 * MINUTE, verdictOf(late))
    ops.at(50 * MINUTE, verdictOf(late))
    expect(ops.of('ops')).toEqual(['backup gives no answer'])
    const kept = copies.map((one) => ({ ...one, state: 'kept' as const, reason: null, since: null }))
    for (const minute of [60, 70]) ops.at(minute * MINUTE, verdictOf(kept))
    expect(ops.kinds()).toEqual(['alarm', 'recovery'])
  })

  test('a server that is back is told so, though one instance of it fails for another reason now', () => {
    const reason = 'main has given no answer since 2026-11-22T05:59:00.000Z: refused'
    const silence = conditionOf({ id: 'remote main', kind: 'remote', about: 'main', text: reason })
    const away = subjects.map((subject) => promisedOf({ subject, state: 'unknown', reason }))
    const full = conditionOf({
      ...{
        id: `slot hourly ${subjects[0]}`,
        kind: 'instance',
        about: subjects[0] ?? '',
        text: 'it has no snapshot yet',
      },
      reason: 'No space left on device',
    })
    const broken = promisedOf({
      subject: subjects[0] ?? '',
      reason: 'No space left on device; next try at x',
    })
    const ops = town([channelOf()])
    ops.at(0, verdictOf(away, [silence]))
    for (const minute of [60, 61, 70]) ops.at(minute * MINUTE, verdictOf([broken], [full]))
    expect(ops.of('ops')).toEqual([
      'main gives no answer',
      '1 promise to 1 instance (main/default/web0) is not kept: No space left on device',
      'Over after 2 h: main gives no answer',
    ])
  })

  test('the relay stands for all remotes, which nobody can ask without it', () => {
    const silences = ['main', 'backup'].map((remote) =>
      conditionOf({
        ...{ id: `remote ${remote}`, kind: 'remote', about: remote },
        text: `${remote} has given no answer since 2026-11-22T05:59:00.000Z: whatever`,
        code: 'relay',
      }),
    )
    const ops = town([channelOf()])
    ops.at(0, verdictOf([promisedOf({ kind: 'copy', target: 'backup/default/web' })], silences))
    expect(ops.of('ops')).toEqual(['the relay gives no usable answer'])
  })

  test('but what only one server says of the relay is of that server', () => {
    const silences = ['main', 'backup'].map((remote) =>
      conditionOf({
        ...{ id: `remote ${remote}`, kind: 'remote', about: remote },
        text: `${remote} has given no answer since 2026-11-22T05:59:00.000Z: it doesn't trust the relay`,
      }),
    )
    const ops = town([channelOf()])
    ops.at(0, verdictOf([], silences))
    expect(ops.of('ops')).toEqual(['main gives no answer', 'backup gives no answer'])
  })

  test('a copy that is late because no snapshot could be taken is told with that', () => {
    const late = promisedOf({
      kind: 'copy',
      target: 'backup/default/web',
      reason: 'no later one was seen by then',
    })
    const ops = town([channelOf()])
    ops.at(0, verdictOf([late, promisedOf()]))
    expect(ops.of('ops')).toEqual([
      '2 promises to 1 instance (main/default/web) are not kept: No space left on device',
    ])
  })
})

describe('many new things', () => {
  test('are one message, and each has its own end', () => {
    const conditions = Array.from({ length: 7 }, (_, index) =>
      conditionOf({ id: `role ${'abcdefg'[index]}`, text: `role ${index}` }),
    )
    const ops = town([channelOf()])
    ops.at(0, verdictOf([], conditions))
    expect(ops.of('ops')).toEqual(['7 things need attention'])
    for (const minute of [1, 10]) ops.at(minute * MINUTE, verdictOf([], conditions.slice(1)))
    expect(ops.kinds()).toEqual(['alarm', 'recovery'])
  })
})

describe('a warning', () => {
  const warned = (text: string) =>
    verdictOf([], [conditionOf({ id: `found ${text}`, severity: 'warning', text })])

  test('is told when it has lasted a quarter of an hour', () => {
    const ops = town([channelOf()])
    ops.at(0, warned('its clock is 7 s behind'))
    ops.at(14 * MINUTE, warned('its clock is 9 s behind'))
    expect(ops.got).toEqual([])
    ops.at(15 * MINUTE, warned('its clock is 11 s behind'))
    ops.at(30 * MINUTE, warned('its clock is 12 s behind'))
    expect(ops.of('ops')).toEqual(['its clock is 11 s behind'])
  })

  test('is not told where only critical things are, and is told there when it becomes critical', () => {
    const critical = verdictOf([], [conditionOf({ id: 'found x', text: 'x' })])
    const both = town([channelOf(), channelOf({ name: 'phone', severity: 'critical' })])
    for (const minute of [0, 20]) both.at(minute * MINUTE, warned('x'))
    expect([both.of('ops'), both.of('phone')]).toEqual([['x'], []])
    both.at(21 * MINUTE, critical)
    expect([both.of('ops'), both.of('phone')]).toEqual([['x', 'x'], ['x']])
  })
})

describe('quiet hours', () => {
  // In Berlin it is 7:00 at the start.
  const night = channelOf({ timezone: 'Europe/Berlin', quiet: { from: '22:00', to: '07:30' } })

  test('hold back what is not critical, and its end, until they are over', () => {
    const warned = verdictOf([], [conditionOf({ id: 'paused daily', severity: 'warning', text: 'paused' })])
    const ops = town([night])
    for (const minute of [0, 20, 29]) ops.at(minute * MINUTE, warned)
    expect(ops.got).toEqual([])
    ops.at(30 * MINUTE, warned)
    expect(ops.of('ops')).toEqual(['paused'])
    for (const hour of [15, 16, 20]) ops.at(hour * HOUR, GOOD)
    expect(ops.kinds()).toEqual(['alarm'])
    ops.at(25 * HOUR, GOOD)
    expect(ops.kinds()).toEqual(['alarm', 'recovery'])
  })

  test('hold back nothing critical', () => {
    const ops = town([night])
    ops.at(0, BROKEN)
    expect(ops.kinds()).toEqual(['alarm'])
  })
})

describe('a channel', () => {
  const copy = promisedOf({
    ...{
      kind: 'copy',
      policy: 'daily',
      subject: 'main/shop/db',
      target: 'backup/shop/db',
      reason: 'refused',
    },
  })

  test.each<[string, Partial<Channel>, boolean]>([
    ['of the policy', { policies: ['daily'] }, true],
    ['of another policy', { policies: ['hourly'] }, false],
    ['of the remote', { remotes: ['backup'] }, true],
    ['of another remote', { remotes: ['other'] }, false],
    ['of the instance', { match: ['shop/*'] }, true],
    ['of other instances', { match: ['web*', 'main/default/*'] }, false],
  ])('%s', (_, filter, isTold) => {
    const ops = town([channelOf(filter)])
    ops.at(0, verdictOf([copy]))
    expect(ops.got).toHaveLength(isTold ? 1 : 0)
  })

  test('is told what is about nothing in particular, whatever it is for', () => {
    const ops = town([channelOf({ policies: ['daily'], remotes: ['backup'], match: ['web*'] })])
    ops.at(0, verdictOf([], [conditionOf()]))
    expect(ops.got).toHaveLength(1)
  })

  test('names only what it is for of what has one reason', () => {
    const [web, db] = [promisedOf(), promisedOf({ subject: 'main/default/db' })]
    const both = town([channelOf(), channelOf({ name: 'web', match: ['web*'] })])
    both.at(0, verdictOf([web, db]))
    expect(both.of('ops')).toEqual(['2 promises to 2 instances are not kept: No space left on device'])
    expect(both.of('web')).toEqual([expect.stringMatching(/^main\/default\/web has no snapshot/)])
  })

  test('that fails is told on every other one, and tries again with growing intervals', () => {
    const channels = [channelOf(), channelOf({ name: 'phone', severity: 'critical' })]
    const dead = conditionOf({
      id: 'channel ops',
      severity: 'warning',
      text: 'notifications to "ops" have failed',
    })
    const both = town(channels)
    both.at(0, verdictOf([], [dead]))
    expect([both.of('ops'), both.of('phone')]).toEqual([[], ['notifications to "ops" have failed']])
  })
})

test('a channel that failed is tried also when nothing else is to be told there', () => {
  const channel = channelOf()
  const at = (minute: number) => new Date(START + minute * MINUTE)
  const seen = (verdict: Verdict): Situation => ({ channels: [channel], verdict, sees: true, ledger: null })
  const { notices, due } = decide(NO_NOTICES, seen(BROKEN), at(0))
  const [told] = due
  if (told === undefined) throw new Error('it was to be told')
  const failed = settle(notices, told, { ok: false, reason: '500', final: false }, at(0))
  const over = [1, 2, 10].reduce((all, minute) => {
    const decided = decide(all, seen(GOOD), at(minute))
    return minute < 10
      ? decided.due.reduce(
          (one, sent) => settle(one, sent, { ok: false, reason: '500', final: false }, at(minute)),
          decided.notices,
        )
      : decided.due.reduce((one, sent) => settle(one, sent, { ok: true }, at(minute)), decided.notices)
  }, failed)
  expect(over.channels.ops?.failing).toBeUndefined()
  expect(decide(over, seen(GOOD), at(11)).due).toEqual([])
})

describe('a digest', () => {
  const digest = channelOf({ timezone: 'Europe/Berlin', digest: ['0 8 * * *'] })

  test('comes at its local time, once a day, also over the night that has an hour twice', () => {
    const ops = town([digest])
    const start = Date.parse('2026-10-23T12:00:00Z') - START
    for (let minute = 0; minute < 4 * 24 * 60; minute += 5) ops.at(start + minute * MINUTE, GOOD)
    expect(ops.got.map(({ at }) => new Date(START + at).toISOString())).toEqual([
      '2026-10-24T06:00:00.000Z',
      '2026-10-25T07:00:00.000Z',
      '2026-10-26T07:00:00.000Z',
      '2026-10-27T07:00:00.000Z',
    ])
    expect(ops.of('ops')[0]).toBe('Backups: 1 promise to 1 instance, none is broken, all is well')
  })

  test('brings what the doctor finds once a week: with the first one since Monday, by the local calendar', () => {
    const examines = (digests: string[], timezone: string): string[] => {
      let notices: Notices = NO_NOTICES
      const found: string[] = []
      for (let hour = 0; hour < 15 * 24; hour++) {
        const now = new Date(Date.parse('2026-11-20T12:00:00Z') + hour * HOUR)
        const channels = [channelOf({ timezone, digest: digests })]
        const decided = decide(notices, { channels, verdict: GOOD, sees: true, ledger: null }, now)
        for (const { examines: with_ } of decided.due) if (with_) found.push(now.toISOString().slice(0, 13))
        notices = decided.due.reduce((all, one) => settle(all, one, { ok: true }, now), decided.notices)
      }
      return found
    }
    expect(examines(['0 8 * * *'], 'UTC')).toEqual(['2026-11-23T08', '2026-11-30T08'])
    expect(examines(['0 8 * * 3'], 'UTC')).toEqual(['2026-11-25T08', '2026-12-02T08'])
    // It is Monday there while it is Sunday in UTC.
    expect(examines(['30 0 * * *'], 'Asia/Tokyo')).toEqual(['2026-11-22T16', '2026-11-29T16'])
  })

  test('says what is broken', () => {
    const ops = town([digest])
    ops.at(0, GOOD)
    ops.at(HOUR, BROKEN)
    expect(ops.of('ops')).toContain('Backups: 1 of 1 promise to 1 instance is not kept')
  })

  test('says all is well only where the verdict does', () => {
    const ops = town([digest])
    ops.at(0, GOOD)
    ops.at(HOUR, verdictOf(GOOD.promises, [conditionOf({ severity: 'warning' })]))
    expect(ops.of('ops').join()).not.toContain('all is well')
  })
})

describe('a channel that only gets another name', () => {
  test('is told nothing again, gets no goodbye, and is told the end', () => {
    let notices: Notices = NO_NOTICES
    const got: string[] = []
    const at = (minute: number, channel: Channel, verdict: Verdict): void => {
      const now = new Date(START + minute * MINUTE)
      const situation = { channels: [channel], verdict, sees: true, ledger: null }
      const { notices: noted, due } = decide(notices, situation, now)
      for (const { channel: to, letter } of due) got.push(`${to.name} ${letter.kind}`)
      notices = due.reduce((all, one) => settle(all, one, { ok: true }, now), noted)
    }
    at(0, channelOf(), BROKEN)
    at(5, channelOf({ name: 'phone' }), BROKEN)
    at(10, channelOf({ name: 'phone' }), GOOD)
    at(20, channelOf({ name: 'phone' }), GOOD)
    expect(got).toEqual(['ops alarm', 'phone recovery'])
  })

  test('is another one where its address is another', () => {
    const before = { open: {}, channels: { ops: { as: channelOf() } } }
    const channels = [channelOf({ name: 'phone', secrets: { url: 'NOTIFY_PHONE' } })]
    const situation = { channels, verdict: BROKEN, sees: true, ledger: null }
    const { due } = decide(before, situation, new Date(START))
    expect(due.map(({ channel, letter }) => `${channel.name} ${letter.kind}`)).toEqual([
      'phone alarm',
      'ops goodbye',
    ])
  })
})
