/** That verified snapshots were deleted on a backup server reaches people, though the copy is made again at once. */
import { expect, test } from 'vitest'
import { begin } from './notify-town.ts'

const copyIn = (town: Awaited<ReturnType<typeof begin>>) =>
  town.world.incus.backup.state.projects.get('default')?.instances.get('web')

test('that all verified snapshots of a copy are gone is told', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(200)
  copyIn(town)?.snapshots.clear()
  await town.pass(330)
  // The status is bad for some minutes, in which the message waits until KV has settled; then nothing is sent.
  expect(town.seen.filter(({ health }) => health === 'bad')).not.toEqual([])
  expect(town.posts.map(({ title }) => title)).toContainEqual(expect.stringContaining('gone from the copy'))
})
