/** Absence of an answer is not emptiness: nothing is known of what a policy covers while its server was never seen. */
import { expect, test } from 'vitest'
import { begin } from './notify-town.ts'
import { statusIn } from './status.ts'

test('a policy whose server has given no answer yet is not said to cover no instance', async () => {
  const town = await begin({ instances: ['web'] })
  town.world.relay.up = false
  await town.pass(40)
  const said = [...(await statusIn(town.world)).warnings, ...town.posts.map(({ title }) => title)]
  expect(said.join('\n')).not.toContain('covers no instance')
})
