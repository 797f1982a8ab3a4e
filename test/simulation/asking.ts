/** What somebody asks of the product, and of the relay with its key in hand. */
import { expect } from 'vitest'
import { run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { Step } from '../../shared/relay/steps.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import type { World } from './world.ts'

export type Ran = Extract<Run, { state: 'ran' }>

/** Of the first place, now. */
export async function ask(world: World, request: object): Promise<Ran> {
  const wanted = { reason: 'requested by ann', ...request } as BackupRequest
  const at = new Date(world.clock.now())
  const ran = await world.clock.settle(run({ kind: 'run', at, request: wanted }, world.places[0] as never))
  return ran.state === 'ran' ? ran : expect.fail(ran.state)
}

/** Each step is a job of its own. The relay's answers, as JSON. */
export async function attack(world: World, steps: readonly Step[]): Promise<string> {
  const relay = world.places[0]?.relay ?? expect.fail()
  const jobs = steps.map((step, index) => ({ id: `attack ${world.clock.now()} ${index}`, steps: [step] }))
  return JSON.stringify([...(await world.clock.settle(relay.batch(jobs))).answers.values()])
}
