/** What a copy's refresh builds on, and whose it is: neither goes by what is done for another copy, or by mistake. */
import { expect, test } from 'vitest'
import { instanceOf, seedInstance, seedProject, write } from '../emulator/scene.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { passIdly } from './passing.ts'
import { statusIn } from './status.ts'
import { createWorld, type Remote, type World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

async function begin(names: readonly string[] = ['web']): Promise<World> {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z') })
  for (const name of names) write(seedInstance(world.incus.main, { name, running: true }), name, 20e6)
  seedProject(world.incus.backup, 'two')
  await world.clock.advance(world.clock.now() + 10)
  return world
}

const namesOn = (world: World, remote: Remote, project = 'default'): string[] =>
  [...instanceOf(world.incus[remote], { name: 'web', project }).snapshots.keys()].sort()

const copyState = (world: World, target: string) =>
  copiesOf(ledgerIn(world))[`main/default/web>backup/${target}/web`]?.state

test('a paused policy’s copy goes on when it is resumed, though another copy was made meanwhile', async () => {
  const world = await begin()
  const document = (paused: boolean) => ({
    defaults: { remotes: ['main'], expiry: '12H' },
    policies: {
      a: { schedule: '0 * * * *', copy: { remote: 'backup' } },
      b: { schedule: '30 * * * *', copy: { remote: 'backup', project: 'two' }, paused },
    },
  })
  await world.apply(document(false))
  await passIdly(world, 6 * HOUR)
  const before = namesOn(world, 'backup', 'two').length
  await world.apply(document(true))
  await passIdly(world, 30 * HOUR)
  await world.apply(document(false))
  await passIdly(world, 5 * HOUR)
  expect(copyState(world, 'two')).toBe('verified')
  expect(namesOn(world, 'backup', 'two').length).toBeGreaterThan(before)
})

test('a snapshot that somebody takes while a copy begins, and removes later, leaves one to build on', async () => {
  const world = await begin()
  const policy = { remotes: ['main'], expiry: '2H', schedule: '0 */6 * * *', copy: { remote: 'backup' } }
  await world.apply({ policies: { q: policy } })
  await passIdly(world, 12 * HOUR - MINUTE)
  for (const remote of ['main', 'backup'] as const) world.incus[remote].copyMs = 3 * HOUR
  let isTaken = false
  const { main } = world.incus
  world.weather.now = (remote, { method, path }) => {
    if (isTaken || remote !== 'main' || method !== 'POST' || !path.includes('/snapshots')) return null
    isTaken = true
    const body = { name: 'by-hand' }
    world.clock.after(
      5_000,
      () => void main.handle({ method: 'POST', path: '/1.0/instances/web/snapshots', body }),
    )
    return null
  }
  await passIdly(world, 4 * HOUR)
  expect(namesOn(world, 'backup')).toContain('by-hand')
  await main.handle({ method: 'DELETE', path: '/1.0/instances/web/snapshots/by-hand' })
  await passIdly(world, HOUR)
  const common = namesOn(world, 'backup').filter((name) => namesOn(world, 'main').includes(name))
  expect(common).toEqual(['q-20261120T1200Z'])
})

test('a relay that has each server under the other’s name touches no copy, and says what is wrong', async () => {
  const world = await begin(['web', 'db', 'mail'])
  const copy = { remote: 'backup', keep: { last: 30 } }
  await world.apply({
    policies: { q: { remotes: ['main'], keep: { last: 3 }, schedule: '0 * * * *', copy } },
  })
  await passIdly(world, 30 * HOUR)
  const before = namesOn(world, 'backup')
  expect(before.length).toBeGreaterThan(3)
  world.relay.swap()
  await passIdly(world, 36 * HOUR)
  expect(namesOn(world, 'backup')).toEqual(before)
  const { health, warnings } = await statusIn(world)
  expect([health, warnings.join()]).toEqual([
    'bad',
    expect.stringContaining('main/default/web: it has the marks of a copy of itself, made on another server'),
  ])
})
