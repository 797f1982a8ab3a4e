/** What the first screen has, and in which order. */
import { describe, expect, test } from 'vitest'
import { overviewOf, PER_PAGE, type Query } from '../../../shared/page/overview.ts'
import type { Facts } from '../../../shared/promise/facts.ts'
import type { Promised } from '../../../shared/promise/judge.ts'
import { toneOf, troublesOf, type Verdict } from '../../../shared/promise/verdict.ts'

const AT = '2026-11-22T05:00:00.000Z'
const ALL: Query = { words: '', shown: 'all', page: 1 }

const promised = (subject: string, state: Promised['state'] = 'kept'): Promised => ({
  ...{ kind: 'snapshot', policy: 'hourly', subject, target: null, state, newest: null, keptShare: null },
  ...{ until: null, since: AT, reason: 'the pool is full' },
})

function overview(promises: Promised[], query: Partial<Query> = {}, more: Partial<Facts> = {}) {
  const verdict: Verdict = { tone: toneOf(promises, []), promises, conditions: [] }
  const facts: Facts = {
    at: AT,
    subjects: { hourly: Object.fromEntries(promises.map(({ subject }) => [subject, {}])) },
    ...more,
  }
  return overviewOf(verdict, troublesOf(verdict), facts, { ...ALL, ...query })
}

const keysIn = (promises: Promised[], query: Partial<Query> = {}, more: Partial<Facts> = {}) =>
  overview(promises, query, more).groups.map(({ remote, project, rows }) => [
    `${remote}/${project}`,
    ...rows.map(({ subject }) => ('instance' in subject ? subject.instance : subject.volume)),
  ])

const MANY = [
  promised('main/default/web2'),
  promised('main/default/web1', 'broken'),
  promised('main/web/a'),
  promised('backup/default/x', 'pending'),
  promised('main/default/aaa', 'unknown'),
]

describe('the first screen', () => {
  test('groups by remote and project, and begins each group with what is not kept', () => {
    expect(keysIn(MANY)).toEqual([
      ['backup/default', 'x'],
      ['main/default', 'aaa', 'web1', 'web2'],
      ['main/web', 'a'],
    ])
  })

  test('has what no policy covers before the rest of its project', () => {
    expect(keysIn(MANY, {}, { uncovered: { 'main/default': 'lab old' } })[1]).toEqual([
      'main/default',
      ...['aaa', 'lab', 'old', 'web1', 'web2'],
    ])
  })

  test('has what only a paused policy covers, of which nothing is promised', () => {
    const subjects = { resting: { 'main/default/idle': {} } }
    expect(overview([], {}, { subjects }).groups[0]?.rows).toMatchObject([{ promises: [], uncovered: false }])
  })

  test.for([
    ['web', 4],
    ['WEB1', 1],
    ['main web', 4],
    ['  backup   x ', 1],
    ['nothing', 0],
  ] as const)('finds by the words "%s" what has all of them', ([words, found]) => {
    const promises = [...MANY, promised('main/default/webmail')]
    expect(overview(promises, { words }).count).toMatchObject({ found, all: 6 })
  })

  test('shows only what needs a look, if asked so', () => {
    expect(keysIn(MANY, { shown: 'attention' }).flat()).not.toContain('web2')
    expect(overview(MANY).count.attention).toBe(3)
  })

  test('shows a page of many, in the same order, and the last one for any beyond', () => {
    const many = Array.from({ length: 2 * PER_PAGE + 1 }, (_, at) => promised(`main/default/w${1000 + at}`))
    const pages = [1, 2, 3].map((page) => keysIn(many, { page })[0]?.slice(1) ?? [])
    expect(pages.map(({ length }) => length)).toEqual([PER_PAGE, PER_PAGE, 1])
    expect(pages.flat()).toEqual(many.map(({ subject }) => subject.split('/')[2]))
    expect(overview(many, { page: 9 })).toMatchObject({ page: 3, pages: 3 })
  })

  test('has nothing to show before the first look', () => {
    const verdict: Verdict = { tone: 'bad', promises: [], conditions: [] }
    expect(overviewOf(verdict, [], null, ALL)).toMatchObject({ groups: [], count: { all: 0 }, pages: 1 })
  })
})

test('all that isn’t well is told once, with what it is about, the gravest first', () => {
  const condition = { id: 'x', kind: 'all', about: null, since: null } as const
  const verdict: Verdict = {
    tone: 'bad',
    promises: [
      promised('main/default/a', 'broken'),
      promised('main/default/b', 'broken'),
      promised('main/default/c', 'pending'),
    ],
    conditions: [
      { ...condition, severity: 'critical', text: 'main gives no answer', kind: 'remote', about: 'main' },
      {
        ...condition,
        severity: 'warning',
        text: 'said with the promise: the pool is full',
        reason: 'the pool is full',
      },
      { ...condition, severity: 'warning', text: 'a clock is wrong' },
    ],
  }
  expect(troublesOf(verdict)).toMatchObject([
    { tone: 'bad', about: 'main', text: 'main gives no answer' },
    { tone: 'bad', about: 'main/default/a', text: expect.stringContaining('the pool is full') },
    { tone: 'bad', about: 'main/default/b', text: expect.not.stringContaining('the pool is full') },
    { tone: 'warning', about: null, text: 'a clock is wrong' },
    { tone: 'warning', about: 'main/default/c' },
  ])
})
