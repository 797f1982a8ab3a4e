/** What joins an alarm that was told already is told soon, not with its next reminder. */
import { expect, test } from 'vitest'
import { seedInstance, write } from '../emulator/scene.ts'
import { begin, CHANNELS } from './notify-town.ts'

test('a second instance without a policy is told, though another one has been there for an hour', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(1)
  await town.world.clock.advance(town.world.clock.now() + 3000)
  const select = { remotes: ['main'], instances: ['web*'] }
  await town.world.apply({
    policies: { hourly: { schedule: '@hourly', copy: { remote: 'backup' }, select } },
    notify: CHANNELS,
  })
  await town.pass(20)
  write(seedInstance(town.world.incus.main, { name: 'old', running: true }), 'old 1', 1e6)
  await town.pass(80)
  expect(town.posts).toHaveLength(1)
  write(seedInstance(town.world.incus.main, { name: 'newdb', running: true }), 'new 1', 1e6)
  await town.pass(90)
  expect(town.posts.map(({ title, text }) => `${title} ${text}`)).toContainEqual(
    expect.stringContaining('newdb'),
  )
})

test('a second instance whose backups begin to fail for the same reason is told', async () => {
  const town = await begin({ instances: ['web', 'db'] })
  await town.pass(20)
  const bad = ['web']
  town.world.incus.main.faults = ({ method, path }) =>
    method === 'POST' && bad.some((name) => path.startsWith(`/1.0/instances/${name}/snapshots`))
      ? { before: { status: 500, error: 'No space left on device' } }
      : null
  await town.pass(180)
  bad.push('db')
  // Its snapshot fails at 182, and its promise is broken at 300.
  await town.pass(310)
  const all = town.posts.map(({ title, text }) => `${title} ${text}`)
  expect(all).toContainEqual(expect.stringContaining('main/default/db'))
})
