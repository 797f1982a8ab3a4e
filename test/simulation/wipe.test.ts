import { describe, expect, test } from 'vitest'
import { instanceOf, write } from '../emulator/scene.ts'
import { holdings } from './invariants.ts'
import { COVERED, DAY, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Weather } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 3 * DAY)
/** The second night: snapshots from 3:00 on, then three refreshes of a few minutes each. */
const night = new Date('2026-11-21T02:55:00Z')

async function atNight(): Promise<Simulation> {
  const simulation = await simulate(usual(start, until))
  const { world, pass } = simulation
  for (let at = 1; at < 12; at++)
    world.clock.after(at * 5 * HOUR, () => {
      for (const name of COVERED) write(instanceOf(world.incus.main, { name }), `${name} ${at}`, 600e6)
    })
  world.incus.main.bandwidth = 4e6
  await pass(night)
  return simulation
}

async function endState({ world, pass, watch, book, calendar }: Simulation): Promise<string> {
  await pass(until)
  watch.end()
  for (const [policy, slots] of Object.entries(calendar))
    for (const slot of slots.filter((one) => one > start && one <= until))
      expect([policy, slot, book.ending(policy, slot)?.outcome]).toEqual([policy, slot, 'served'])
  return (['main', 'backup'] as const)
    .flatMap((remote) => COVERED.map((name) => `${remote}/${name}: ${holdings(world.incus[remote], name)}`))
    .join('\n')
}

let known: Promise<string> | undefined
const undisturbed = (): Promise<string> => {
  known ??= atNight().then(endState)
  return known
}

/** Nobody applies the configuration anew when only the ledger is gone. */
function wipe({ world, watch }: Simulation, what: 'the ledger' | 'all of KV'): void {
  const config = world.kv.peek('config')
  world.kv.wipe()
  watch.step()
  if (what === 'the ledger' && config !== null) world.kv.restore('config', config)
}

describe('the ledger is lost', () => {
  const minutes = Array.from({ length: 16 }, (_, at) => 3 * at)
  test.each(minutes)('%i minutes into the night: no second snapshot, no wrong deletion', async (minute) => {
    const simulation = await atNight()
    await simulation.pass(new Date(night.getTime() + minute * MINUTE), 'ticked')
    wipe(simulation, 'the ledger')
    expect(await endState(simulation)).toBe(await undisturbed())
  })

  const calls = [
    { name: 'while a snapshot is made', method: 'POST', path: /\/snapshots\?/, remote: 'main' },
    { name: 'while a snapshot is expired', method: 'DELETE', path: /\/snapshots\//, remote: 'main' },
    {
      name: 'while the source is offered',
      method: 'POST',
      path: /^\/1\.0\/instances\/\w+\?/,
      remote: 'main',
    },
    {
      name: 'while the target is asked to fetch',
      method: 'POST',
      path: /^\/1\.0\/instances\?/,
      remote: 'backup',
    },
    {
      name: 'while the marks are written',
      method: 'PATCH',
      path: /^\/1\.0\/instances\/\w+\?/,
      remote: 'backup',
    },
  ] as const
  test.each(calls)('$name', async ({ method, path, remote }) => {
    const simulation = await atNight()
    const { world } = simulation
    let hit = 0
    const strike: Weather = (to, request) => {
      if (to !== remote || request.method !== method || !path.test(request.path)) return null
      hit++
      wipe(simulation, 'the ledger')
      return null
    }
    world.weather.now = strike
    await simulation.pass(new Date(night.getTime() + 2 * HOUR), 'ticked')
    world.weather.now = () => null
    expect(hit).toBeGreaterThan(0)
    expect(await endState(simulation)).toBe(await undisturbed())
  })

  test('before every tick of a whole day, at places that remember different things', async () => {
    const simulation = await atNight()
    for (let minute = 1; minute <= 1440; minute++) {
      if (minute % 2 === 0) wipe(simulation, 'the ledger')
      await simulation.tick(new Date(night.getTime() + minute * MINUTE), minute % 3 === 0 ? 1 : 0)
    }
    expect(await endState(simulation)).toBe(await undisturbed())
  })

  test('together with the configuration, which is applied again half an hour later', async () => {
    const simulation = await atNight()
    await simulation.pass(new Date(night.getTime() + 12 * MINUTE), 'ticked')
    wipe(simulation, 'all of KV')
    await simulation.pass(new Date(night.getTime() + 42 * MINUTE), 'ticked')
    await simulation.world.apply(simulation.document)
    // One had not had its turn when all was lost, so its snapshot is late and says so.
    const ended = (await endState(simulation)).replaceAll('daily-20261121T0340Z', 'daily-20261121T0300Z')
    expect(ended).toBe(await undisturbed())
  })
})

test('a slot that Incus itself has expired is not taken again when the ledger is lost', async () => {
  const end = new Date(start.getTime() + DAY)
  const setting = usual(start, end)
  const policies = { daily: { schedule: '0 3 * * *', keep: {}, expiry: '2H' } }
  const simulation = await simulate({
    ...setting,
    until: end,
    policies,
    calendar: { daily: setting.calendar.daily ?? [] },
  })
  await simulation.pass(new Date('2026-11-20T06:00:00Z'))
  expect(holdings(simulation.world.incus.main, 'db')).toBe('before-upgrade')
  wipe(simulation, 'the ledger')
  await simulation.pass(end)
  expect(holdings(simulation.world.incus.main, 'db')).toBe('before-upgrade')
  simulation.watch.step()
})
