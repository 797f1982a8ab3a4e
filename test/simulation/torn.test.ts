/** A power cut that leaves snapshots on record which the pool hasn't: two lists that disagree. */
import { expect, test } from 'vitest'
import { tear } from '../emulator/breakage.ts'
import { instanceOf, write } from '../emulator/scene.ts'
import { holdings } from './invariants.ts'
import { DAY, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Remote } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 4 * DAY)

/** What the last runs and the copies say. */
const said = ({ world }: Simulation): string => world.kv.peek('ledger') ?? ''

const remove = ({ world }: Simulation, side: Remote, snapshot: string): Promise<unknown> =>
  world.clock.settle(
    world.incus[side].handle({ method: 'DELETE', path: `/1.0/instances/web/snapshots/${snapshot}` }),
  )

test('a source with a snapshot that its pool has not is told of with the cure, and copied again after it', async () => {
  const simulation = await simulate(usual(start, until))
  const { world, pass, watch } = simulation
  await pass(new Date('2026-11-21T12:00:00Z'))
  tear(instanceOf(world.incus.main, { name: 'web' }), 'hourly-20261121T1100Z')
  // The next copy finds out.
  await pass(new Date('2026-11-22T04:20:00Z'), 'ticked')
  expect(said(simulation)).toMatch(
    /that its pool does not have.*: hourly-20261121T1100Z; delete each with \\"incus snapshot delete web/,
  )
  expect(holdings(world.incus.backup, 'web')).not.toContain('daily-20261122T0300Z')
  expect(holdings(world.incus.backup, 'db')).toContain('daily-20261122T0300Z')
  await remove(simulation, 'main', 'hourly-20261121T1100Z')
  await pass(until)
  watch.end()
  expect(holdings(world.incus.backup, 'web')).toContain('daily-20261123T0300Z')
})

test('of a target that a power cut left so in mid-refresh what was never verified is removed, and it is copied again', async () => {
  const simulation = await simulate(usual(start, until))
  const { world, pass, watch } = simulation
  const { main, backup } = world.incus
  await pass(new Date('2026-11-22T02:55:00Z'))
  write(instanceOf(main, { name: 'web' }), 'web 1', 600e6)
  main.bandwidth = 4e6
  const copy = instanceOf(backup, { name: 'web' })
  const before = [...copy.snapshots.keys()]
  while (copy.busy === null) await pass(new Date(world.clock.now() + MINUTE), 'ticked')
  await pass(new Date(world.clock.now() + MINUTE), 'ticked')
  backup.kill()
  const arrived = [...copy.snapshots.keys()].filter((name) => !before.includes(name))
  for (const name of arrived) tear(copy, name)
  expect(arrived).toContain('daily-20261122T0300Z')
  backup.start()
  await pass(new Date(world.clock.now() + HOUR), 'ticked')
  expect(said(simulation)).toMatch(
    /backup\/default\/web: .*daily-20261122T0300Z; delete each with \\"incus snapshot delete web/,
  )
  expect(holdings(backup, 'web')).toContain('daily-20261122T0300Z')
  expect([...copy.snapshots.values()].some(({ torn }) => torn === true)).toBe(false)
  expect(holdings(backup, 'web')).toContain('daily-20261121T0300Z')
  await pass(until)
  watch.end()
  expect(holdings(backup, 'web')).toContain('daily-20261123T0300Z')
})
