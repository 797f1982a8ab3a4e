/** What had a backup and has none any more is not "still to come". */
import { expect, test } from 'vitest'
import { instanceOf } from '../emulator/scene.ts'
import { begin } from './notify-town.ts'
import { statusIn } from './status.ts'

test.each([{}, { promise: { snapshot: '26h' } }])(
  'all snapshots of an instance are deleted by hand: with %j its promise is broken at the next look',
  async (promise) => {
    const policy = { schedule: '0 3 * * *', copy: false, ...promise }
    const town = await begin({ instances: ['web'], policy })
    await town.pass(60 * 2)
    instanceOf(town.world.incus.main, { name: 'web' }).snapshots.clear()
    // There is a look each hour at least.
    await town.pass(60 * 3 + 10)
    const { health, promises } = await statusIn(town.world)
    expect(promises).toMatchObject([{ state: 'broken', gone: true, newest: null }])
    expect(promises[0]?.reason).toContain('is gone')
    expect(health).toBe('bad')
    expect(town.posts.map(({ title }) => title).join()).toContain('has no snapshot of hourly any more')
    await town.pass(60 * 26)
    expect((await statusIn(town.world)).health).toBe('good')
  },
)
