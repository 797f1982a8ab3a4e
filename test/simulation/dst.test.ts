import { expect, test } from 'vitest'
import { HOUR, simulate } from './scenes.ts'

const hours = (first: string, count: number): Date[] =>
  Array.from({ length: count }, (_, at) => new Date(Date.parse(first) + at * HOUR))
const days = (...texts: string[]): Date[] => texts.map((text) => new Date(text))

/** Two nights around each change, with the instants of 02:30 as the wall clock shows them. */
const nights = [
  {
    name: 'Berlin in March, whose 02:30 is skipped and runs at 03:30',
    timezone: 'Europe/Berlin',
    start: '2026-03-28T12:10:00Z',
    half: days('2026-03-28T01:30Z', '2026-03-29T01:30Z', '2026-03-30T00:30Z'),
  },
  {
    name: 'Berlin in October, whose 02:30 comes twice and runs the first time',
    timezone: 'Europe/Berlin',
    start: '2026-10-24T12:10:00Z',
    half: days('2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'),
  },
  {
    name: 'New York in March, whose 02:30 is skipped and runs at 03:30',
    timezone: 'America/New_York',
    start: '2026-03-07T12:10:00Z',
    half: days('2026-03-07T07:30Z', '2026-03-08T07:30Z', '2026-03-09T06:30Z'),
  },
  {
    name: 'New York in November, whose 02:30 comes once, though 01:30 does twice',
    timezone: 'America/New_York',
    start: '2026-10-31T12:10:00Z',
    half: days('2026-10-31T06:30Z', '2026-11-01T07:30Z', '2026-11-02T07:30Z'),
  },
]

test.each(nights)('the night of $name', async ({ timezone, start: text, half }) => {
  const start = new Date(text)
  const until = new Date(start.getTime() + 2 * 24 * HOUR)
  const simulation = await simulate({
    start,
    until,
    policies: {
      hourly: { schedule: '@hourly', timezone, keep: { last: 60 } },
      half: { schedule: '30 2 * * *', timezone, keep: { last: 60 } },
    },
    // By elapsed time, whatever the wall clock does.
    calendar: { hourly: hours(`${text.slice(0, 10)}T00:00Z`, 12 + 48 + 1), half },
  })
  await simulation.pass(until, 'ticked')
  simulation.watch.end()
  for (const [policy, slots] of Object.entries(simulation.calendar))
    for (const slot of slots.filter((one) => one > start && one <= until))
      expect([slot, simulation.book.ending(policy, slot)?.outcome]).toEqual([slot, 'served'])
})

test('a daemon of the product that restarts within the repeated hour takes no slot twice', async () => {
  const start = new Date('2026-10-24T23:40:00Z')
  const until = new Date('2026-10-25T04:00:00Z')
  const simulation = await simulate({
    start,
    until,
    policies: { half: { schedule: '30 2 * * *', timezone: 'Europe/Berlin', keep: { last: 9 } } },
    calendar: { half: days('2026-10-24T00:30Z', '2026-10-25T00:30Z') },
  })
  await simulation.pass(new Date('2026-10-25T01:15:00Z'), 'ticked')
  simulation.world.kv.wipe(['ledger'])
  simulation.world.relay.restart()
  await simulation.pass(until, 'ticked')
  simulation.watch.end()
  expect(simulation.book.ending('half', new Date('2026-10-25T00:30Z'))?.outcome).toBe('served')
})
