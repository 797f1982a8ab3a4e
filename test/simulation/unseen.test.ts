import { expect, test } from 'vitest'
import { hasData, instanceOf } from '../emulator/scene.ts'
import { listen } from './journal.ts'
import { HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 8 * HOUR)
const slot = new Date('2026-11-20T05:00:00Z')
const name = 'hourly-20261120T0500Z'
/** By then it has the next minute's name, or a late one: the first may be whole, and goes only afterwards. */
const OF_SLOT = 'hourly-20261120T05'

/** Everything is well until five, when the answer to web's snapshot is lost. `made`: when that was made. */
async function begin(): Promise<{ simulation: Simulation; made: Date[] }> {
  const simulation = await simulate(usual(start, until))
  const { world, pass } = simulation
  const made: Date[] = []
  listen(world, {
    made: ({ remote, holder, snapshot, at }) => {
      const isOfSlot = snapshot.name.startsWith(OF_SLOT)
      if (remote === 'main' && holder.name === 'web' && isOfSlot) made.push(new Date(at))
    },
  })
  await pass(new Date(slot.getTime() - MINUTE))
  world.weather.now = (_remote, { method, path }) => {
    if (method !== 'POST' || !path.startsWith('/1.0/instances/web/snapshots')) return null
    world.weather.now = () => null
    return 'lost-after'
  }
  return { simulation, made }
}

test('a snapshot whose end nobody saw is made again once, however long another keeps the slot open', async () => {
  const { simulation, made } = await begin()
  const { world, pass, watch } = simulation
  world.incus.main.faults = ({ method, path }) =>
    method === 'POST' && path.startsWith('/1.0/instances/db/snapshots')
      ? { before: { status: 500, error: 'No space left on device' } }
      : null
  await pass(new Date(slot.getTime() + 90 * MINUTE), 'ticked')
  world.incus.main.faults = () => null
  expect(made).toHaveLength(2)
  await pass(until)
  watch.end()
  expect(made).toHaveLength(2)
  expectOneWhole(simulation)
})

test('nor does it pass for a whole one where KV gives back what was noted before it', async () => {
  const { simulation, made } = await begin()
  const { world, pass, watch, tick } = simulation
  const before = world.kv.peek('ledger') ?? ''
  await tick(slot)
  expect(made).toHaveLength(1)
  world.kv.restore('ledger', before)
  await pass(until)
  watch.end()
  expect(made).toHaveLength(2)
  expectOneWhole(simulation)
})

function expectOneWhole({ world }: Simulation): void {
  const names = [...instanceOf(world.incus.main, { name: 'web' }).snapshots.keys()]
  const ofSlot = names.filter((one) => one.startsWith(OF_SLOT))
  expect(ofSlot).toHaveLength(1)
  expect(hasData(world.incus.main, { name: 'web' }, ofSlot[0] ?? '')).toBe(true)
}

test('two ticks at the same time do not both replace it', async () => {
  const { simulation, made } = await begin()
  const { world, pass, watch, tick } = simulation
  await tick(slot)
  expect(made).toHaveLength(1)
  // A second one to delete it would come when the first has made it again.
  let deletions = 0
  world.incus.main.faults = ({ method, path }) =>
    method === 'DELETE' && path.startsWith(`/1.0/instances/web/snapshots/${name}`) && deletions++ > 0
      ? { delayMs: 5_000 }
      : null
  await world.tickTogether(new Date(slot.getTime() + MINUTE), [0, 0])
  watch.step()
  expect(made).toHaveLength(2)
  await pass(until)
  watch.end()
  expectOneWhole(simulation)
})
