/** An instance with a snapshot each hour, of which somebody removes one in a way that can be undone. */
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { ask } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { createWorld, type Remote, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
export const NAME = 'hourly-20261120T0200Z'
export const MARK = `user.stapes.undo.${NAME}`

export async function begin(policy: object, role: 'target' | 'both' = 'target'): Promise<World> {
  const world = createWorld({ start: START, role })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'data', 1000)
  await world.apply({ policies: { hourly: { remotes: ['main'], schedule: '@hourly', ...policy } } })
  await pass(world, 4 * HOUR + 10 * MINUTE)
  return world
}

export const remove = (world: World, more: object = {}) =>
  ask(world, { do: 'expire', instances: ['web'], snapshots: [NAME], ...more })
export const undo = (world: World) => ask(world, { do: 'undo', instance: 'web', snapshot: NAME })

export const web = (world: World, remote: Remote = 'main') => instanceOf(world.incus[remote], { name: 'web' })
export const endOf = (world: World) => web(world).snapshots.get(NAME)?.expires.ms
