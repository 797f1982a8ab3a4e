/** An instance with a snapshot each hour, of which somebody removes one in a way that can be undone. */
import { expect } from 'vitest'
import { run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { Step } from '../../shared/relay/steps.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { createWorld, type Remote, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
export const NAME = 'hourly-20261120T0200Z'
export const MARK = `user.stapes.undo.${NAME}`

type Ran = Extract<Run, { state: 'ran' }>

export async function begin(policy: object, role: 'target' | 'both' = 'target'): Promise<World> {
  const world = createWorld({ start: START, role })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'data', 1000)
  await world.apply({ policies: { hourly: { remotes: ['main'], schedule: '@hourly', ...policy } } })
  await pass(world, 4 * HOUR + 10 * MINUTE)
  return world
}

export async function pass(world: World, time: number, step = MINUTE): Promise<void> {
  const end = world.clock.now() + time
  while (world.clock.now() + step <= end) await world.tick(new Date(world.clock.now() + step))
}

export const ask = async (world: World, request: object): Promise<Ran> => {
  const ran = await world.clock.settle(
    run(
      {
        kind: 'run',
        at: new Date(world.clock.now()),
        request: { reason: 'requested by ann', ...request } as BackupRequest,
      },
      world.places[0] as never,
    ),
  )
  return ran.state === 'ran' ? ran : expect.fail(ran.state)
}
export const remove = (world: World, more: object = {}) =>
  ask(world, { do: 'expire', instances: ['web'], snapshots: [NAME], ...more })
export const undo = (world: World) => ask(world, { do: 'undo', instance: 'web', snapshot: NAME })

export const web = (world: World, remote: Remote = 'main') => instanceOf(world.incus[remote], { name: 'web' })
export const endOf = (world: World) => web(world).snapshots.get(NAME)?.expires.ms
export const attack = async (world: World, step: Step): Promise<string> => {
  const job = { id: `attack ${world.clock.now()}`, steps: [step] }
  const relay = world.places[0]?.relay ?? expect.fail()
  return JSON.stringify([...(await world.clock.settle(relay.batch([job]))).answers.values()])
}
