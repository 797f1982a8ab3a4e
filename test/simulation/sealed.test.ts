/** A mark of a restore begins one only if the relay made it, and a hold is lost by no restore. */
import { expect, test } from 'vitest'
import type { Job } from '../../shared/relay/protocol.ts'
import type { RestoreStep } from '../../shared/relay/steps.ts'
import { instanceOf, readMarker, write } from '../emulator/scene.ts'
import { restoresOf } from '../long-work.ts'
import { restoreStep } from './restore-step.ts'
import { HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'

const START = new Date('2026-11-20T00:00:30Z')
const AT = new Date('2026-11-20T06:20:00Z')
const SNAPSHOT = 'hourly-20261120T0500Z'
const SAFETY = 'before-restore-20261120T0610Z'
const HOLD = `user.stapes.hold.${SNAPSHOT}`

async function begin(): Promise<Simulation> {
  const scene = await simulate(usual(START, new Date(START.getTime() + 24 * HOUR)))
  await scene.pass(AT)
  write(web(scene), 'of today', 5)
  return scene
}

const web = ({ world }: Simulation) => instanceOf(world.incus.main, { name: 'web' })
const refOf = (instance: string) => ({ remote: 'main', project: 'default', instance })
const restoreOf = (instance: string): RestoreStep =>
  restoreStep({
    ref: refOf(instance),
    snapshot: SNAPSHOT,
    safety: { name: SAFETY, expiresAt: null, taken: false },
  })
const ledgerOf = ({ world }: Simulation) => JSON.parse(world.kv.peek('ledger') ?? '{}')

test('a tenant’s own mark begins no restore, in no one’s name, and it is told', async () => {
  const scene = await begin()
  const { snapshots, config } = web(scene)
  const [first] = snapshots.values()
  if (first === undefined) throw new Error('it has no snapshot')
  snapshots.set(SAFETY, { ...first, name: SAFETY })
  config['user.stapes.restoring'] = `${SNAPSHOT} ${SAFETY} running`
  const ran = await scene.world.tick(new Date(AT.getTime() + MINUTE))
  await scene.pass(new Date(AT.getTime() + HOUR))
  expect(readMarker(scene.world.incus.main, { name: 'web' })).toBe('of today')
  expect(restoresOf(ledgerOf(scene))['main/default/web']).toBeUndefined()
  expect(JSON.stringify(ran)).not.toContain('threw')
})

test('a mark of another instance, made by the relay, begins none on this one', async () => {
  const scene = await begin()
  const { relay } = scene.world.places[0] ?? {}
  const restore = restoreOf('mail')
  let sealed = ''
  scene.world.weather.now = (_, { method, body }) => {
    const mark = (body as { config?: Record<string, string> } | undefined)?.config?.['user.stapes.restoring']
    if (method === 'PATCH' && mark !== undefined && mark !== '' && !mark.includes('taking')) sealed = mark
    return null
  }
  await scene.world.clock.settle(relay?.batch([{ id: 'r', steps: [restore] }]) ?? Promise.reject())
  expect(sealed).toContain(' ~')
  web(scene).config['user.stapes.restoring'] = sealed
  await scene.pass(new Date(AT.getTime() + HOUR))
  expect(readMarker(scene.world.incus.main, { name: 'web' })).toBe('of today')
})

test('a restore that was planned before a hold was set doesn’t begin, so that the hold stays', async () => {
  const scene = await begin()
  const { relay } = scene.world.places[0] ?? {}
  const hold = { do: 'hold', ref: refOf('web'), snapshot: SNAPSHOT, note: 'for the auditor' } as const
  const restore = restoreOf('web')
  const jobs: Job[] = [
    { id: 'main/default/web', steps: [hold] },
    { id: 'restore main/default/web:x#0', lock: 'main/default/web', steps: [restore] },
  ]
  await scene.world.clock.settle(relay?.batch(jobs.slice(0, 1)) ?? Promise.reject())
  await scene.world.clock.settle(relay?.batch(jobs.slice(1)) ?? Promise.reject())
  expect(web(scene).config[HOLD]).toBe('for the auditor')
  expect(readMarker(scene.world.incus.main, { name: 'web' })).toBe('of today')
})

test('a hold that comes while the instance is restored is not called set', async () => {
  const scene = await begin()
  const { relay } = scene.world.places[0] ?? {}
  const restore = restoreOf('web')
  const hold = { do: 'hold', ref: refOf('web'), snapshot: SNAPSHOT, note: 'for the auditor' } as const
  const both = relay?.batch([
    { id: 'restore main/default/web:x#0', lock: 'main/default/web', detach: true, steps: [restore] },
    { id: 'main/default/web', steps: [hold] },
  ])
  const { answers } = await scene.world.clock.settle(both ?? Promise.reject())
  expect(answers.get('main/default/web')).toMatchObject([{ ok: false, error: { code: 'locked' } }])
})
