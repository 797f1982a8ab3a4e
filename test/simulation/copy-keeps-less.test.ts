/** A first copy that brings more than it is to keep, of an instance and of a custom volume. */
import { expect, test } from 'vitest'
import { addCustom, customOf } from '../emulator/custom.ts'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { createWorld } from './world.ts'

test('what the first copy brings in excess goes again, and the copy goes on', async () => {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z') })
  const { main, backup } = world.incus
  write(seedInstance(main, { name: 'web' }), 'x', 100)
  addCustom(main, { pool: 'default', project: 'default', name: 'data' })
  const apply = (more: object): Promise<void> =>
    world.apply({
      policies: {
        hourly: {
          ...{ remotes: ['main'], schedule: '@hourly', keep: { last: 6 }, ...more },
          select: { volumes: ['default:*'] },
        },
      },
    })
  const copied = (): string[][] => [
    [...instanceOf(backup, { name: 'web' }).snapshots.keys()],
    [...customOf(backup, { name: 'data' }).snapshots.keys()],
  ]
  await apply({})
  await pass(world, 6 * HOUR + 10 * MINUTE, 2 * MINUTE)
  await apply({ copy: { remote: 'backup', keep: { last: 4 } } })
  for (const hour of ['10', '14']) {
    await pass(world, 4 * HOUR, 2 * MINUTE)
    for (const names of copied()) {
      expect(names).toHaveLength(4)
      expect(names.at(-1)).toBe(`hourly-20261120T${hour}00Z`)
    }
  }
  expect((await statusIn(world)).conditions).toEqual([])
})
