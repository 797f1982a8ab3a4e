/** What nobody wants any more is neither promised nor failing. */
import { expect, test } from 'vitest'
import { instanceOf, write } from '../emulator/scene.ts'
import { begin, CHANNELS, type Town } from './notify-town.ts'
import { statusIn } from './status.ts'

function breakCopies(town: Town): void {
  town.world.incus.backup.faults = ({ method, path }) =>
    method === 'POST' && path.startsWith('/1.0/instances')
      ? { before: { status: 500, error: 'bad disk' } }
      : null
  write(instanceOf(town.world.incus.main, { name: 'web' }), 'web 2', 2e6)
}

test('user.stapes.copy=false: no copy is promised, and least of all by a moment that never comes', async () => {
  const town = await begin({ instances: ['web', 'db'] })
  await town.pass(20)
  instanceOf(town.world.incus.main, { name: 'web' }).config['user.stapes.copy'] = 'false'
  await town.pass(60 * 8)
  const { promises } = await statusIn(town.world)
  expect(promises.filter(({ kind, subject }) => kind === 'copy' && subject === 'main/default/web')).toEqual(
    [],
  )
})

test('a copy that failed and is made no longer is over once its policy has no copy', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(20)
  breakCopies(town)
  await town.pass(300)
  await town.world.clock.advance(town.world.clock.now() + 3000)
  await town.world.apply({
    policies: { hourly: { remotes: ['main'], schedule: '@hourly' } },
    notify: CHANNELS,
  })
  await town.pass(60 * 26)
  expect((await statusIn(town.world)).health).toBe('good')
})

test('nor is a copy failing whose source was deleted or renamed days ago', async () => {
  const town = await begin({ instances: ['web', 'db'] })
  await town.pass(20)
  breakCopies(town)
  await town.pass(300)
  town.world.incus.main.state.projects.get('default')?.instances.delete('web')
  await town.pass(60 * 26 * 4)
  expect((await statusIn(town.world)).warnings.join('\n')).not.toContain('the copy of main/default/web>')
})
