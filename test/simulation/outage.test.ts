import { expect, test } from 'vitest'
import { ledgerIn } from './invariant.ts'
import { holdings } from './invariants.ts'
import { COVERED, DAY, HOUR, MINUTE, simulate, usual } from './scenes.ts'

const start = new Date('2026-11-20T00:00:30Z')
const silence = new Date('2026-11-20T12:20:00Z')
const again = new Date(silence.getTime() + 2 * DAY)
const until = new Date(again.getTime() + DAY)

test('after two days without ticks each policy runs once, named for the moment, and all that was missed says so', async () => {
  const simulation = await simulate(usual(start, until))
  const { world, pass, book, calendar, tick } = simulation
  await pass(silence)
  await world.clock.advance(again)
  const before = COVERED.map((name) => holdings(world.incus.main, name))

  await tick(again)
  const after = COVERED.map((name) => holdings(world.incus.main, name).split(' '))
  for (const [at, names] of after.entries())
    expect(names.filter((name) => before[at]?.includes(name) === false)).toEqual([
      'daily-20261122T1220Z',
      'hourly-20261122T1220Z',
    ])

  const lost = (policy: string) =>
    (calendar[policy] ?? []).filter(
      (slot) => slot > silence && slot <= again && book.ending(policy, slot)?.outcome === 'missed',
    )
  expect(lost('hourly')).toHaveLength(47)
  expect(lost('daily')).toEqual([new Date('2026-11-21T03:00Z')])
  expect(book.ending('hourly', new Date('2026-11-21T10:00Z'))?.reason).toMatch(/^no tick came in time/)
  expect(ledgerIn(world)?.policies.hourly?.slots.filter(({ outcome }) => outcome === 'missed')).toEqual([
    expect.objectContaining({
      slot: '2026-11-20T13:00:00.000Z',
      through: '2026-11-22T11:00:00.000Z',
      count: 47,
    }),
  ])

  await pass(until)
  simulation.watch.end()
})

test('a slot older than the catch-up window is missed, not taken late', async () => {
  const setting = usual(start, until)
  const { hourly, daily } = setting.policies
  if (hourly === undefined || daily === undefined) throw new Error('the usual policies are gone')
  const policies = { hourly: { ...hourly, catchup: '10m' }, daily: { ...daily, catchup: '2h' } }
  const simulation = await simulate({ ...setting, policies })
  const { world, pass, book } = simulation
  await pass(silence)
  await world.clock.advance(again)
  await simulation.tick(again)
  expect(book.ending('hourly', new Date('2026-11-22T12:00Z'))).toMatchObject({
    outcome: 'missed',
    reason: expect.stringContaining('beyond the catch-up window of 600 s'),
  })
  expect(book.ending('daily', new Date('2026-11-22T03:00Z'))?.outcome).toBe('missed')
  await pass(until)
  simulation.watch.end()
})

test('an outage of Incus instead of the ticks: each slot says that main gave no answer', async () => {
  const simulation = await simulate(usual(start, until))
  const { world, pass, book } = simulation
  await pass(silence)
  world.incus.main.kill()
  await pass(again, 'ticked')
  world.incus.main.start()
  await pass(until)
  simulation.watch.end()
  for (let slot = Date.parse('2026-11-20T13:00Z'); slot < Number(again) - HOUR; slot += HOUR)
    expect(book.ending('hourly', new Date(slot))).toMatchObject({
      outcome: 'missed',
      reason: expect.stringContaining('ECONNREFUSED'),
    })
  expect(book.ending('hourly', new Date('2026-11-22T12:00Z'))?.outcome).toBe('served')
})

test('half an hour without the relay leaves nothing missed', async () => {
  const end = new Date(silence.getTime() + DAY)
  const simulation = await simulate(usual(start, end))
  const { world, pass, book, calendar } = simulation
  await pass(new Date('2026-11-20T12:50:00Z'))
  world.relay.up = false
  await pass(new Date(world.clock.now() + 30 * MINUTE), 'ticked')
  world.relay.up = true
  await pass(end)
  simulation.watch.end()
  const ours = (calendar.hourly ?? []).filter((slot) => slot > start && slot <= end)
  expect(ours.filter((slot) => book.ending('hourly', slot)?.outcome !== 'served')).toEqual([])
})
