/** What was verified on one copy is neither kept nor lost on another one. */
import { expect, test } from 'vitest'
import { seedProject } from '../emulator/scene.ts'
import { begin, CHANNELS, type Town } from './notify-town.ts'
import { statusIn } from './status.ts'

async function moveCopies(town: Town, project: string): Promise<void> {
  await town.world.clock.advance(town.world.clock.now() + 3000)
  const copy = { remote: 'backup', project }
  await town.world.apply({
    policies: { hourly: { remotes: ['main'], schedule: '@hourly', copy } },
    notify: CHANNELS,
  })
}

const copyOf = async ({ world }: Town) => (await statusIn(world)).promises.find(({ kind }) => kind === 'copy')

test('after copy.project was changed nobody is said to have deleted what the new copy never had', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(20)
  seedProject(town.world.incus.backup, 'other')
  await moveCopies(town, 'other')
  town.world.incus.backup.faults = ({ method, path }) =>
    method === 'POST' && path.startsWith('/1.0/instances') ? { before: { status: 500, error: 'full' } } : null
  await town.pass(30)
  expect((await statusIn(town.world)).warnings.join('\n')).not.toContain('gone from the copy')
  expect(town.posts.map(({ title }) => title).join('\n')).not.toContain('gone from the copy')
})

test('after copy.project was changed nothing is kept there before something is verified there', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(20)
  await moveCopies(town, 'nope')
  await town.pass(40)
  expect(await copyOf(town)).toMatchObject({ target: 'backup/nope/web', newest: null })
  town.world.incus.backup.kill()
  await town.pass(60)
  expect((await copyOf(town))?.state).not.toBe('kept')
  expect(town.posts.map(({ text }) => text).join('\n')).not.toContain('verified on backup/nope/web')
})
