/** Members of a cluster go and come back, on the source and under the copies: the invariants hold throughout. */

import { expect, test } from 'vitest'
import { setReachable } from '../emulator/breakage.ts'
import { instanceOf } from '../emulator/scene.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { holdings } from './invariants.ts'
import { COVERED, DAY, HOUR, simulate, usual } from './scenes.ts'
import type { Remote } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const hours = (count: number) => new Date(start.getTime() + count * HOUR)

/** The first of the covered instances is on n2, as is its copy; the others are on n1. */
const [AWAY, ...OTHERS] = COVERED

async function clustered() {
  const simulation = await simulate(usual(start, new Date(start.getTime() + 3 * DAY)))
  const { world, pass } = simulation
  const place = (remote: Remote) => {
    for (const name of COVERED)
      instanceOf(world.incus[remote], { name }).location = name === AWAY ? 'n2' : 'n1'
  }
  place('main')
  await pass(hours(6))
  place('backup')
  return simulation
}

test.for(['main', 'backup'] as const)(
  'half a day without a member of %s costs its instances slots, and nobody anything that was there',
  async (remote) => {
    const simulation = await clustered()
    const { world, pass, book } = simulation
    const held = () => holdings(world.incus[remote], AWAY)
    const before = held()
    setReachable(world.incus[remote], 'n2', false)
    await pass(hours(18), 'ticked')
    if (remote === 'main') expect(held()).toBe(before)
    for (const name of OTHERS) expect(holdings(world.incus.main, name)).toContain('hourly-20261120T1700Z')
    const ending = book.ending('hourly', new Date('2026-11-20T12:00Z'))
    expect(ending?.outcome).toBe(remote === 'main' ? 'failed' : 'served')
    setReachable(world.incus[remote], 'n2', true)
    await pass(new Date(start.getTime() + 3 * DAY))
    simulation.watch.end()
    const copies = Object.values(copiesOf(ledgerIn(world))).map(({ state }) => state)
    expect(copies).toEqual(COVERED.map(() => 'verified'))
  },
)
