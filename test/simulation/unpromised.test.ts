/** Of nothing that could be kept it can't be said that all is well, in chat as elsewhere. */
import { expect, test } from 'vitest'
import { verdictIn } from '../../functions/api/status.ts'
import { findConfig } from '../../functions/state/config.ts'
import { readKnown } from '../../functions/state/known.ts'
import { visibleTo } from '../../shared/promise/verdict.ts'
import { instanceOf, seedProfile } from '../emulator/scene.ts'
import { begin } from './notify-town.ts'
import { statusIn } from './status.ts'

test('who may see only an instance that nothing is promised of is not told that all is well', async () => {
  const town = await begin({ instances: ['web', 'db'] })
  await town.pass(20)
  // Deleted, or its project was taken off the relay's certificate: after three days nothing reminds of it.
  town.world.incus.main.state.projects.get('default')?.instances.delete('db')
  await town.pass(60 * 24 * 3 + 120)
  const now = new Date(town.world.clock.now())
  const state = town.world.kv.place()
  const verdict = verdictIn(await findConfig(state), await readKnown(state, now), now)
  expect(visibleTo(verdict, (key) => key === 'main/default/db').tone).not.toBe('good')
})

test.each(['user.stapes.exclude', 'user.stapes.paused'])(
  '%s in the profile of all instances is as bad as no policy that is not paused',
  async (key) => {
    const town = await begin({ instances: ['web', 'db'] })
    await town.pass(20)
    seedProfile(town.world.incus.main, 'default', { [key]: 'true' })
    await town.pass(120)
    expect((await statusIn(town.world)).health).toBe('bad')
  },
)

test('one that is paused by its own key is a warning, as a policy that is paused', async () => {
  const town = await begin({ instances: ['web', 'db'] })
  await town.pass(20)
  instanceOf(town.world.incus.main, { name: 'db' }).config['user.stapes.paused'] = 'true'
  await town.pass(90)
  const { health, warnings } = await statusIn(town.world)
  expect(health).toBe('warning')
  expect(warnings.join()).toContain('paused by user.stapes.paused on the instance: main/default/db')
})
