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

const titlesOf = ({ posts }: Awaited<ReturnType<typeof begin>>) => posts.map(({ title }) => title)

test('that some of them are gone is told within minutes, whatever the marks say, and no longer than a day', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(400)
  expect(town.posts).toEqual([])
  const gone = 'hourly-20261122T0500Z'
  expect(copyIn(town)?.snapshots.delete(gone)).toBe(true)
  // The next look is the next slot's, and what its copy's verification marks leaves that one out.
  town.world.relay.restart()
  await town.pass(480)
  expect(titlesOf(town)).toEqual([
    expect.stringContaining(`${gone} is gone from the copy backup/default/web`),
  ])
  expect(town.seen.at(-1)?.health).toBe('warning')
  await town.pass(400 + 27 * 60)
  expect(town.seen.at(-1)?.health).toBe('good')
  expect(town.posts.at(-1)?.title).toMatch(/^Over after/)
})

test.each([
  [
    'by the copy’s own rules',
    { keep: { last: 6 }, copy: { remote: 'backup', keep: { last: 3 }, expiry: '2H' } },
    6,
  ],
  ['by a refresh', { keep: { last: 2 }, copy: { remote: 'backup', mirror: true } }, 4],
  ['by a refresh, as it has expired', { expiry: '3H', copy: { remote: 'backup', mirror: true } }, 6],
])('what goes %s is no loss', async (_, policy, most) => {
  const town = await begin({ instances: ['web', 'db'], policy })
  await town.pass(14 * 60)
  expect(copyIn(town)?.snapshots.size).toBeLessThanOrEqual(most)
  expect(town.posts).toEqual([])
})
