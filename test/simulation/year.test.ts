import { expect, test } from 'vitest'
import { holdings } from './invariants.ts'
import { DAY, HOUR, simulate, usual } from './scenes.ts'

const start = new Date('2026-01-01T00:00:30Z')
const until = new Date('2027-01-01T00:00:30Z')

test('a year of hourly slots and nightly copies: every slot is served, and what should stay stays', async () => {
  const setting = usual(start, until)
  const simulation = await simulate({
    ...setting,
    policies: {
      hourly: { schedule: '@hourly', keep: { hourly: 24 } },
      daily: {
        schedule: '0 3 * * *',
        jitter: '10m',
        keep: { daily: 7, monthly: 12 },
        copy: { remote: 'backup', expiry: '90d' },
      },
    },
  })
  await simulation.pass(until)
  simulation.watch.end()

  const { book, calendar, world } = simulation
  for (const [policy, slots] of Object.entries(calendar)) {
    const ours = slots.filter((slot) => slot > start)
    expect(ours).toHaveLength(policy === 'hourly' ? 365 * 24 : 365)
    expect(ours.filter((slot) => book.ending(policy, slot)?.outcome !== 'served')).toEqual([])
  }
  const names = holdings(world.incus.main, 'db').split(' ')
  // What is being taken takes no place yet, so there is one more than the rule says.
  expect(names.filter((name) => name.startsWith('hourly-'))).toHaveLength(24 + 1)
  // Seven days with the new one, eleven further months.
  expect(names.filter((name) => name.startsWith('daily-'))).toHaveLength(7 + 1 + 11)
  expect(world.kv.counts).toMatchObject({ refused: 0 })
  expect(world.kv.counts.writes / ((until.getTime() - start.getTime()) / DAY)).toBeLessThan(100)
})

test('a minute in which nothing is due costs three reads of KV and a glance at each remote, and nothing else', async () => {
  const end = new Date(start.getTime() + 2 * HOUR)
  const { world, pass } = await simulate(usual(start, end))
  await pass(new Date(start.getTime() + 10 * 60_000))
  const calls: string[] = []
  world.weather.now = (remote, { path }) => {
    calls.push(`${remote} ${path}`)
    return null
  }
  const before = { ...world.kv.counts }
  await pass(new Date(start.getTime() + 50 * 60_000), 'ticked')
  const glance = (remote: string) => [`${remote} /1.0`, `${remote} /1.0/instances?all-projects=true`]
  // The first one differs from what was known: nothing.
  const once = [...glance('main'), ...glance('backup')].sort()
  expect(calls.slice(-4 * 30).sort()).toEqual(
    Array.from({ length: 30 }, () => once)
      .flat()
      .sort(),
  )
  expect(world.kv.counts.writes - before.writes).toBeLessThanOrEqual(2)
  expect(world.kv.counts.reads - before.reads).toBeLessThanOrEqual(3 * 40 + 6)
})
