import { expect, test } from 'vitest'
import { COVERED, DAY, HOUR, simulate, usual } from './scenes.ts'

const start = new Date('2026-11-20T00:00:30Z')
const full = new Date(start.getTime() + 12 * HOUR)
const until = new Date(full.getTime() + DAY)

test('while KV takes no writes for a day, every slot is served, and copied, all the same', async () => {
  const simulation = await simulate(usual(start, until))
  const { world, pass } = simulation
  await pass(full)
  const { writes } = world.kv.counts
  world.kv.refusing = true
  await pass(until)
  expect(world.kv.counts.writes).toBe(writes)
  for (const name of COVERED) {
    const names = [
      ...(world.incus.main.state.projects.get('default')?.instances.get(name)?.snapshots.keys() ?? []),
    ]
    for (let hour = 7; hour <= 12; hour++)
      expect(names).toContain(`hourly-20261121T${String(hour).padStart(2, '0')}00Z`)
    expect(names).toContain('daily-20261121T0300Z')
    const copied = world.incus.backup.state.projects.get('default')?.instances.get(name)
    expect([...(copied?.snapshots.keys() ?? [])]).toContain('daily-20261121T0300Z')
    expect(copied?.config['user.stapes.verified']).toContain('daily-20261121T0300Z@')
  }
})
