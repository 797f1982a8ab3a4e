/** Causes change while alarms stand: nothing is called over that isn't, and nothing new goes untold in what was told. */
import { expect, test } from 'vitest'
import type { Condition } from '../../../shared/promise/condition.ts'
import { HOUR, MINUTE, town } from './town.ts'
import { channelOf, conditionOf, promisedOf, verdictOf } from './verdicts.ts'

const WEB = 'main/default/web'
const since = '2026-11-22T05:59:00.000Z'
const silence = (remote: string, why: string): Condition =>
  conditionOf({
    ...{ id: `remote ${remote}`, kind: 'remote', about: remote, since },
    code: why === NO_RELAY ? 'relay' : 'unreachable',
    text: `${remote} has given no answer since ${since}: ${why}`,
  })
const full = conditionOf({
  ...{ id: `slot hourly ${WEB}`, kind: 'instance', about: WEB, text: `${WEB} has no snapshot yet` },
  reason: 'No space left on device',
})
const DOWN = 'connect ECONNREFUSED'
const NO_RELAY = "the relay can't be reached (530)"

test('that a server is back does not say kept of what is broken for another reason now', () => {
  const ops = town([channelOf()])
  const away = promisedOf({ state: 'unknown', reason: `main has given no answer since ${since}: ${DOWN}` })
  ops.at(0, verdictOf([away], [silence('main', DOWN)]))
  for (const minute of [60, 65, 70]) ops.at(minute * MINUTE, verdictOf([promisedOf()], [full]))
  const [over, ...others] = ops.got.filter(({ kind }) => kind === 'recovery')
  expect([over?.title, others]).toEqual(['Over after 2 h: main gives no answer', []])
  expect(over?.body).not.toMatch(/kept again|safe/)
})

test.each<[string, Condition[], string]>([
  ['another reason, which is a failure of its own', [full], 'No space left on device'],
  [
    'the silence of its server',
    [silence('main', DOWN), full],
    `main has given no answer since ${since}: ${DOWN}`,
  ],
])('a promise that stays broken for %s is not called over', (_, conditions, reason) => {
  const ops = town([channelOf()])
  ops.at(0, verdictOf([promisedOf({ reason: 'it is locked' })]))
  for (const minute of [60, 65, 70]) ops.at(minute * MINUTE, verdictOf([promisedOf({ reason })], conditions))
  expect(ops.kinds()).toEqual(['alarm', 'alarm'])
  const kept = promisedOf({ state: 'kept', reason: null, since: null, until: '2026-11-22T20:00:00.000Z' })
  for (const minute of [80, 90]) ops.at(minute * MINUTE, verdictOf([kept]))
  expect(ops.kinds()).toEqual(['alarm', 'alarm', 'recovery', 'recovery'])
})

test('a server that is down is not over because the relay is down as well, and each is told and over by itself', () => {
  const ops = town([channelOf()])
  const at = (minute: number, ...conditions: Condition[]) =>
    ops.at(minute * MINUTE, verdictOf([], conditions))
  at(0, silence('backup', DOWN))
  for (const minute of [10, 16, 22]) at(minute, silence('backup', NO_RELAY), silence('main', NO_RELAY))
  expect(ops.of('ops')).toEqual(['backup gives no answer', 'the relay gives no usable answer'])
  for (const minute of [30, 36]) at(minute, silence('backup', DOWN))
  for (const minute of [40, 46]) at(minute)
  expect(ops.of('ops').slice(2)).toEqual([
    expect.stringMatching(/^Over after .*: the relay gives no usable answer/),
    expect.stringMatching(/^Over after .*: backup gives no answer/),
  ])
})

test('a server that stays silent when the relay is back is told', () => {
  const ops = town([channelOf()])
  const silent = (why: string) => ['main', 'backup'].map((remote) => silence(remote, why))
  ops.at(0, verdictOf([], silent(NO_RELAY)))
  for (const minute of [10, 16]) ops.at(minute * MINUTE, verdictOf([], [silence('main', DOWN)]))
  expect(ops.of('ops')).toEqual([
    'the relay gives no usable answer',
    'main gives no answer',
    expect.stringMatching(/^Over after .*: the relay gives no usable answer/),
  ])
})

test('of what was told long ago, one more is told within minutes, however often it was reminded of', () => {
  const about = (...names: string[]) =>
    verdictOf(
      [],
      [
        conditionOf({
          ...{ id: 'uncovered main/default', kind: 'remote', about: 'main' },
          each: names.map((name) => `main/default/${name}`),
        }),
      ],
    )
  const ops = town([channelOf()])
  for (let hour = 0; hour < 24 * 30; hour++) ops.at(hour * HOUR, about('a'))
  const before = ops.got.length
  for (const minute of [0, 1]) ops.at(24 * 30 * HOUR + minute * MINUTE, about('a', 'pay'))
  expect(ops.got.slice(before).map(({ kind, body }) => [kind, body.split('\n')[0]])).toEqual([
    ['alarm', 'New among them: main/default/pay'],
  ])
})

test('another promise that is late for no known reason is told, too', () => {
  const late = (name: string) =>
    promisedOf({ subject: `main/default/${name}`, reason: 'no later one was seen by x' })
  const ops = town([channelOf()])
  ops.at(0, verdictOf([late('web')]))
  for (const minute of [60, 61]) ops.at(minute * MINUTE, verdictOf([late('web'), late('db')]))
  expect(ops.got.map(({ kind, body }) => [kind, body.includes('New among them: main/default/db')])).toEqual([
    ['alarm', false],
    ['alarm', true],
  ])
})

test('a channel is told again only of what it is for, and of no other names', () => {
  const broken = (...names: string[]) =>
    verdictOf(names.map((name) => promisedOf({ subject: `main/default/${name}` })))
  const both = town([channelOf(), channelOf({ name: 'web', match: ['web*'] })])
  both.at(0, broken('web1'))
  both.at(20 * MINUTE, broken('web1', 'db'))
  expect([both.of('ops').length, both.of('web').length]).toEqual([2, 1])
  both.at(50 * MINUTE, broken('web1', 'db', 'web2'))
  const [, again] = both.got.filter(({ channel }) => channel === 'web')
  expect(again?.body).toMatch(/^New among them: main\/default\/web2\n/)
})

const each = (severity: 'warning' | 'critical', names: readonly string[]) =>
  verdictOf(
    [],
    names.map((name) =>
      conditionOf({
        ...{ id: `copy ${name}`, kind: 'instance', about: 'main/default/web', severity },
        ...{ text: `${name} failed`, reason: `it is so: ${name}!` },
      }),
    ),
  )

const WORDS = ['locked', 'full', 'torn', 'refused', 'absent', 'slow', 'frozen']

test.each([1, 7])(
  'each message about %i alarms has an id of its own, so that no receiver drops it',
  (many) => {
    const names = WORDS.slice(0, many)
    const ops = town([channelOf()])
    for (let minute = 0; minute < 10; minute++) ops.at(minute * MINUTE, each('critical', names))
    for (let minute = 10; minute < 400; minute++) ops.at(minute * MINUTE, each('warning', names))
    for (let minute = 400; minute < 410; minute++) ops.at(minute * MINUTE, each('critical', names))
    const ids = ops.got.map(({ id }) => id)
    expect(ops.kinds().filter((kind) => kind === 'alarm')).toHaveLength(2)
    expect(new Set(ids).size).toBe(ids.length)
  },
)
