/** A move to another project or server: what is left to do is told, and nothing is done to the original. */
import { expect, test } from 'vitest'
import type { Run } from '../../functions/summary.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { instanceOf, readMarker, seedInstance, seedProject, write } from '../emulator/scene.ts'
import { ask } from './asking.ts'
import { DAY, MINUTE, type Simulation, simulate, usual } from './scenes.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 2 * DAY)
const STATE = 'web as it is'
const move = { do: 'move', instance: 'web', project: 'other', reason: 'asked for' } as const

const minutes = (simulation: Simulation, many: number): Promise<void> =>
  simulation.pass(new Date(simulation.world.clock.now() + many * MINUTE), 'ticked')
const webOf = ({ world }: Simulation, where: 'main' | 'backup' = 'main') =>
  instanceOf(world.incus[where], { name: 'web' })
const reasonsOf = ({ lines }: Extract<Run, { state: 'ran' }>): string =>
  lines.map(({ reason }) => reason).join('\n')

/** Copied at three; an hourly snapshot since then is on the source alone. */
async function begin(receives = ['backup']): Promise<Simulation> {
  const simulation = await simulate({ ...usual(start, until), receives })
  seedProject(simulation.world.incus.main, 'other')
  write(webOf(simulation), STATE, 600e6)
  await simulation.pass(new Date('2026-11-20T06:15:00Z'))
  return simulation
}

/** It stands still, and its copy has all of it. */
async function ready(receives?: string[]): Promise<Simulation> {
  const simulation = await begin(receives)
  webOf(simulation).status = 'Stopped'
  await ask(simulation.world, { do: 'snapshot', instances: ['web'], reason: 'asked for' } as BackupRequest)
  await ask(simulation.world, { do: 'copy', instances: ['web'], reason: 'asked for' })
  await minutes(simulation, 6)
  return simulation
}

test('while it runs, the refusal says how to stop it and what comes then', async () => {
  const simulation = await begin()
  const { refusal } = await ask(simulation.world, move)
  expect(refusal?.reason).toBe(
    'main/default/web is Running: on main, "incus stop web" stops it; then "/backup now main/default/web" and "/backup copy main/default/web", and ask again',
  )
  const home = { do: 'move', instance: 'main/default/web', remote: 'backup', reason: 'asked for' } as const
  expect((await ask(simulation.world, home)).refusal?.reason).toBe(
    'backup/default/web is its copy, by which it moves: name another server by --remote, or another project by --project',
  )
})

test('what would go with it is named as long as it is not verified elsewhere', async () => {
  const simulation = await begin()
  webOf(simulation).status = 'Stopped'
  const { refusal } = await ask(simulation.world, move)
  expect(refusal).toMatchObject({
    code: 'unverified',
    reason: expect.stringMatching(/^hourly-20261120T0400Z, .* would go with it: not verified on backup/),
  })
})

test('what the new place would refuse is told before anything goes', async () => {
  const simulation = await ready([])
  expect((await ask(simulation.world, move)).refusal?.reason).toContain(
    'set "receives": ["backup"] for "main"',
  )
  const taken = await ready()
  seedInstance(taken.world.incus.main, { project: 'other', name: 'web' })
  expect((await ask(taken.world, { ...move, instance: 'main/default/web' })).refusal).toMatchObject({
    code: 'exists',
  })
})

test.each([
  ['where it is', {}, /main\/default\/web is there: name another server/],
  ['a server that no policy names', { remote: 'elsewhere' }, /no policy names the remote "elsewhere"/],
  ['a project that is not there', { project: 'nowhere' }, /no project nowhere/],
  ['of what is not there', { instance: 'nobody', project: 'other' }, /there is no instance "nobody"/],
  ['from a remote without a copy', { project: 'other', from: 'main' }, /has no copy/],
])('to %s is refused', async (_, where, why) => {
  const simulation = await begin()
  const { project: _project, ...rest } = move
  const { refusal } = await ask(simulation.world, { ...rest, ...where } as BackupRequest)
  expect(refusal?.reason).toMatch(why)
})

test('once all is verified elsewhere, the commands are told, and nothing is done', async () => {
  const simulation = await ready()
  const { world } = simulation
  const names = [...webOf(simulation).snapshots.keys()]
  const sent: string[] = []
  world.weather.now = (_, { method, path }) => {
    if (method !== 'GET') sent.push(`${method} ${path}`)
    return null
  }
  const ran = await ask(simulation.world, move)
  expect([ran.refusal, ran.results, sent]).toEqual([null, [], []])
  const said = reasonsOf(ran)
  expect(said).toContain(
    `All ${names.length} snapshots of main/default/web are verified on backup/default/web`,
  )
  expect(said).toContain(
    'on main, "incus delete web" removes main/default/web with its disk and these snapshots there',
  )
  for (const name of names) expect(said).toContain(name)
  expect(said).toContain(
    '"/backup bring-back main/default/web --project=other" makes main/other/web of the copy',
  )
})

test('whoever does what is told ends with all of it in the new place, where its copies go on', async () => {
  const simulation = await ready()
  const { world } = simulation
  const names = [...webOf(simulation).snapshots.keys()]
  const instances = world.incus.main.state.projects.get('default')?.instances
  // Past the invariants, which take it for a deed of stapes.
  Map.prototype.delete.call(instances, 'web')
  expect((await ask(simulation.world, { ...move, instance: 'main/default/web' })).refusal?.reason).toBe(
    'main/default/web is gone: "/backup bring-back main/default/web --project=other" makes it of backup/default/web',
  )
  await ask(simulation.world, {
    do: 'bring-back',
    instance: 'web',
    project: 'other',
    reason: 'asked for',
  } as BackupRequest)
  await minutes(simulation, 10)
  const there = { project: 'other', name: 'web' }
  expect(readMarker(world.incus.main, there)).toBe(STATE)
  expect([...instanceOf(world.incus.main, there).snapshots.keys()]).toEqual(expect.arrayContaining(names))
  expect(webOf(simulation, 'backup').config['user.stapes.replica-of']).toBe('main/other/web')
})
