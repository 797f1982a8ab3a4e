import { describe, expect, test } from 'vitest'
import { hold, setFull } from '../emulator/breakage.ts'
import { instanceOf } from '../emulator/scene.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { failureStaysApart } from './invariants.ts'
import { DAY, HOUR, type Simulation, simulate, usual } from './scenes.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 2 * DAY)

async function passWith(fault: (simulation: Simulation) => void): Promise<Simulation> {
  const simulation = await simulate(usual(start, until))
  fault(simulation)
  await simulation.pass(until)
  return simulation
}

const isAbout = (instance: string, path: string): boolean => path.startsWith(`/1.0/instances/${instance}`)

const faults: { name: string; fault: (simulation: Simulation) => void }[] = [
  {
    name: 'every snapshot of it is refused',
    fault: ({ world }) => {
      world.incus.main.faults = ({ method, path }) =>
        method === 'POST' && isAbout('mail/snapshots', path)
          ? { before: { status: 500, error: 'No space left on device' } }
          : null
    },
  },
  {
    name: 'no answer about it ever comes',
    fault: ({ world }) => {
      world.incus.main.faults = ({ path }) => (isAbout('mail', path) ? { before: 'reset' } : null)
    },
  },
  {
    name: 'it is busy all the time',
    fault: ({ world }) => hold(instanceOf(world.incus.main, { name: 'mail' }), 'restore'),
  },
  {
    name: 'its overrides make no sense',
    fault: ({ world }) => {
      instanceOf(world.incus.main, { name: 'mail' }).config['user.stapes.keep.daily'] = 'many'
    },
  },
]

describe('one failing instance changes nothing for the others', () => {
  test.each(faults)('$name', async ({ fault }) => {
    const calm = await passWith(() => {})
    const troubled = await passWith(fault)
    troubled.watch.step()
    failureStaysApart(troubled, calm.world, 'mail', 'daily')
    expect(copiesOf(ledgerIn(troubled.world))['main/default/db>backup/default/db']?.state).toBe('verified')
  })
})

test('a full pool fails its slots, expires nothing meanwhile, and is made up for when there is room', async () => {
  const simulation = await simulate(usual(start, until))
  const { world, pass, book, watch } = simulation
  await pass(new Date(start.getTime() + 10 * HOUR))
  setFull(world.incus.main, true)
  const before = instanceOf(world.incus.main, { name: 'db' }).snapshots.size
  await pass(new Date(start.getTime() + 14 * HOUR), 'ticked')
  expect(instanceOf(world.incus.main, { name: 'db' }).snapshots.size).toBe(before)
  setFull(world.incus.main, false)
  await pass(until)
  watch.end()
  expect(book.ending('hourly', new Date('2026-11-20T12:00Z'))).toMatchObject({
    outcome: 'failed',
    reason: expect.stringContaining('No space left on device'),
  })
})
