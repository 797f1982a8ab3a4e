import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import { type World, worldOf } from '../../../shared/plan/world.ts'
import { type Asked, forecast } from '../../../shared/simulate/forecast.ts'
import { renderForecast } from '../../../shared/simulate/text.ts'
import { INSTALLATION, parseWorld, text } from '../plan/world-text.ts'
import { configOf } from '../policy/instances.ts'

const NOW = '2026-11-22T02:30:00Z'

/** The slot of the day before is accounted for. */
const LEDGER: Ledger = {
  ...emptyLedger('v'),
  policies: {
    daily: {
      ...{ accounted: '2026-11-21T03:00:00.000Z', since: '2026-11-01T00:00:00.000Z', open: null, slots: [] },
      when: '0 3 * * * UTC',
    },
  },
}

type Given = { before?: Record<string, object>; now?: string; asked?: Partial<Asked> }

function forecastFor(policies: Record<string, object>, world: World, given: Given = {}) {
  const { before = policies, now = NOW, asked = {} } = given
  const config = configOf(policies)
  const { remotes, jobs } = world
  return forecast(
    {
      stored: { version: 'v', appliedAt: now, document: {}, config },
      ...{ before: configOf(before), ledger: LEDGER, observed: { remotes, jobs } },
      ...{ installation: INSTALLATION, now: new Date(now) },
    },
    { days: 7, effort: 100_000, ...asked },
  )
}

const show = (policies: Record<string, object>, world: World, given: Given = {}): string =>
  renderForecast(forecastFor(policies, world, given)).replace(/ +$/gm, '')

const daily = (more: object = {}) => ({ daily: { schedule: '0 3 * * *', keep: { daily: 3 }, ...more } })

const WEB = parseWorld(`
  main:default/web1 running
    daily-20261117T0300Z
    daily-20261118T0300Z
    daily-20261119T0300Z
    daily-20261120T0300Z
    daily-20261121T0300Z
    by-hand @2026-11-20T12:00Z
`)

describe('what a policy would remove', () => {
  test('is named with the slot that removes it and why, and the rest is counted', () => {
    expect(show(daily({ keep: { daily: 4 } }), WEB)).toBe(
      text(`
        main/default/web1
          - daily-20261117T0300Z  with the next slot, 2026-11-22 03:00 UTC: no rule keeps it
          · of those that exist, 4 more go later, from 2026-11-23 03:00 UTC to 2026-11-26 03:00 UTC
          =                       snapshots: 6 on 2026-11-22 (oldest of 2026-11-17), 6 on 2026-11-23 (oldest of 2026-11-18), 6 on 2026-11-29 (oldest of 2026-11-20)
      `).replace('=                       ', '= '),
    )
  })

  test('goes with the next slot also where a shorter keep is not applied yet, which the plan of now does not show', () => {
    const { subjects } = forecastFor(daily({ keep: { daily: 3 } }), WEB, { before: daily({ keep: {} }) })
    expect(subjects[0]?.removals.filter(({ when }) => when === 'next')).toMatchObject([
      { snapshot: 'daily-20261118T0300Z', at: '2026-11-22T03:00:00.000Z', by: 'retention' },
      { snapshot: 'daily-20261117T0300Z', at: '2026-11-22T03:00:00.000Z', by: 'retention' },
    ])
  })

  test('is nothing while the brake holds it, and which ones that are', () => {
    const { subjects } = forecastFor(daily({ keep: { last: 1 } }), WEB)
    expect(subjects).toMatchObject([
      {
        removals: [],
        braked: [
          {
            at: '2026-11-22T03:00:00.000Z',
            reason: expect.stringMatching(/^4 of 5 snapshots would go at once.*\/backup allow/),
            snapshots: ['20', '19', '18', '17'].map((day) => `daily-202611${day}T0300Z`),
          },
        ],
      },
    ])
  })

  test('goes at once where the slot of this minute is due', () => {
    const now = '2026-11-22T03:00:20Z'
    const { subjects } = forecastFor(daily({ keep: { daily: 4 } }), WEB, { now })
    expect(subjects[0]?.removals[0]).toMatchObject({ snapshot: 'daily-20261117T0300Z', when: 'now' })
  })

  test('are also snapshots whose own expiry comes, by the settings that they were taken under', () => {
    const policies = daily({ keep: {} })
    const { subjects } = forecastFor(policies, WEB, { before: daily({ keep: {}, expiry: '6d' }) })
    expect(subjects[0]?.removals.map(({ at, by }) => [at, by])).toEqual([
      ['2026-11-23T03:00:00.000Z', 'expiry'],
      ['2026-11-24T03:00:00.000Z', 'expiry'],
      ['2026-11-25T03:00:00.000Z', 'expiry'],
      ['2026-11-26T03:00:00.000Z', 'expiry'],
      ['2026-11-27T03:00:00.000Z', 'expiry'],
    ])
  })

  test('is nothing where it keeps all, is paused, or the snapshot is held', () => {
    expect(forecastFor(daily({ keep: {} }), WEB).subjects[0]?.removals).toEqual([])
    expect(forecastFor(daily({ paused: true }), WEB).subjects[0]?.removals).toEqual([])
    const held = parseWorld(`
      main:default/web1 running user.stapes.hold.daily-20261117T0300Z=audit
        daily-20261117T0300Z
        daily-20261118T0300Z
        daily-20261121T0300Z
    `)
    const [web] = forecastFor(daily({ keep: { last: 1 } }), held).subjects
    expect(web?.removals.map(({ snapshot }) => snapshot)).not.toContain('daily-20261117T0300Z')
  })

  test('never is what somebody else made', () => {
    const names = forecastFor(daily({ brake: false, keep: { last: 1 } }), WEB, {
      asked: { days: 30 },
    }).subjects
    expect(names[0]?.removals).toHaveLength(5)
    expect(names[0]?.counts.at(-1)?.in).toMatchObject([{ snapshots: 3 }])
  })
})

test('what a copy loses is named there, and what the relay leaves for a day goes later', () => {
  const world = parseWorld(`
    main:default/web1 running
      daily-20261118T0300Z
      daily-20261119T0300Z
      daily-20261120T0300Z
      daily-20261121T0300Z
    backup empty
  `)
  const policies = daily({ keep: { last: 1 }, brake: false, copy: { remote: 'backup' } })
  const [web] = forecastFor(policies, world, { asked: { days: 3 } }).subjects
  expect(web?.paced).toBe(true)
  expect(web?.counts.at(-1)?.in).toMatchObject([
    { of: 'main/default/web1', snapshots: 2 },
    { of: 'backup/default/web1', snapshots: 2 },
  ])
  expect(web?.removals.map(({ of, by }) => `${of} ${by}`)).not.toContain('backup/default/web1 retention')
})

test('an instance that no policy covers any more, and its copy, lose only what expires by itself', () => {
  const before = { ...daily({ expiry: '6d', keep: {} }) }
  const [web] = forecastFor({ other: { select: { remotes: ['main'], instances: ['db'] } } }, WEB, {
    before,
  }).subjects
  expect(web).toMatchObject({ subject: 'main/default/web1', policies: [] })
  expect(new Set(web?.removals.map(({ by }) => by))).toEqual(new Set(['expiry']))
})

describe('how much is computed', () => {
  const many = parseWorld(
    Array.from(
      { length: 40 },
      (_, at) => `main:default/web${at} running\n  daily-20261118T0300Z\n  daily-20261121T0300Z`,
    ).join('\n'),
  )

  test('is bounded: all instances have their next slot, some the whole time, and it says so', () => {
    const found = forecastFor(daily({ keep: { last: 1 } }), many, { asked: { days: 365, effort: 5000 } })
    expect(found.subjects).toHaveLength(40)
    expect(
      found.subjects.filter(({ removals }) => removals.some(({ when }) => when === 'next')),
    ).toHaveLength(40)
    const whole = found.subjects.filter(({ until }) => until === found.until)
    expect(whole).toHaveLength(1)
    expect(found.cut).toMatch(/^39 of 40 instances are simulated only until 2026-11-22T03:\d\d/)
  })

  test('is nothing beyond the effort, and what was not simulated is not said to be', () => {
    const found = forecastFor(daily(), many, { asked: { days: 365, effort: 1 } })
    expect(new Set(found.subjects.map(({ until }) => until))).toEqual(new Set(['2026-11-22T02:30:00.000Z']))
    expect(found.cut).toMatch(/^40 of 40 instances/)
  })

  test('counts the snapshots, so that an instance with thousands of them costs its share', () => {
    const names = Array.from({ length: 5000 }, (_, at) => `hand-${at} @2026-11-20T12:00Z`)
    const long = parseWorld(`main:default/web1 running\n${names.join('\n')}`)
    const short = parseWorld('main:default/web1 running\nhand @2026-11-20T12:00Z')
    const asked = { days: 365, effort: 3000 }
    const [some, all] = [long, short].map(
      (world) => forecastFor(daily(), world, { asked }).subjects[0]?.until ?? '',
    )
    expect(some).toMatch(/^2026-12/)
    expect(all).toMatch(/^2027-[0-9]/)
  })

  test('is one instance or one policy, where that is asked for', () => {
    const policies = { ...daily(), other: { select: { remotes: ['main'], instances: ['web1?'] }, keep: {} } }
    const found = (asked: Partial<Asked>) =>
      forecastFor(policies, many, { asked }).subjects.map(({ subject }) => subject)
    expect(found({ subject: 'web7' })).toEqual(['main/default/web7'])
    expect(found({ policy: 'other' })).toHaveLength(10)
  })
})

test('a remote that gives no answer is named, and nothing is said of its instances', () => {
  const found = forecastFor(daily(), parseWorld('main unreachable'))
  expect(found).toMatchObject({ subjects: [], unseen: ["remote:main: main can't be reached"] })
  expect(renderForecast(found)).toBe("no instance is covered\nremote:main: main can't be reached\n")
})

test('the observed world stays as it was, and names from a server stay on their line', () => {
  const world = parseWorld('main:default/web1 running\n  daily-20261117T0300Z\n  daily-20261121T0300Z')
  const answer = world.remotes.main
  if (answer?.ok) answer.inventory.instances[0]?.snapshots?.push(['evil\n- x', 1_790_000_000])
  const before = structuredClone(world.remotes)
  const said = show(daily({ keep: { last: 1 } }), worldOf({ remotes: world.remotes, jobs: [] }))
  expect(structuredClone(world.remotes)).toEqual(before)
  expect(said.split('\n').filter((line) => line.startsWith('- '))).toEqual([])
})
