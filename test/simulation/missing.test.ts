/** What is still missing is not "over", and a whole project that vanished is critical. */
import { expect, test } from 'vitest'
import { seedInstance, seedProject, write } from '../emulator/scene.ts'
import { begin, CHANNELS } from './notify-town.ts'
import { statusIn } from './status.ts'

test('instances that are no longer visible are told on a critical channel, and not over while they are still missing', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(1)
  const { main } = town.world.incus
  seedProject(main, 'shop')
  write(seedInstance(main, { project: 'shop', name: 'till', running: true }), 'till 1', 1e6)
  await town.world.clock.advance(town.world.clock.now() + 3000)
  const phone = { ...CHANNELS.ops, url: { secret: 'NOTIFY_OTHER' }, severity: 'critical' }
  await town.world.apply({
    policies: { hourly: { schedule: '@hourly', select: { remotes: ['main'], projects: ['*'] } } },
    notify: { ...CHANNELS, phone },
  })
  await town.pass(30)
  // As when the project was taken off the relay's certificate: Incus lists nothing of it, without an error.
  main.state.projects.delete('shop')
  await town.pass(60)
  expect.soft((await statusIn(town.world)).health).toBe('bad')
  await town.pass(60 * 24 * 4)
  expect.soft(town.titles('other')).not.toEqual([])
  expect.soft(town.titles('ops', 'recovery')).toEqual([])
  expect.soft((await statusIn(town.world)).health).not.toBe('good')
})

test('a server that lists no instance any more does not keep its promises', async () => {
  const town = await begin({ instances: ['web', 'db'] })
  await town.pass(20)
  town.world.incus.main.state.projects.get('default')?.instances.clear()
  await town.pass(60)
  expect((await statusIn(town.world)).health).toBe('bad')
})
