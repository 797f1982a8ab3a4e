/** Projects: many at once, with names that need care on the way, and ones that forbid or lack something. */

import { expect, test } from 'vitest'
import { instanceOf, seedInstance, seedProfile, seedProject } from '../emulator/scene.ts'
import { findProject } from '../emulator/state.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { nextMinute } from './passing.ts'
import { MINUTE } from './scenes.ts'
import { createWorld, type World } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
/** Incus 6.0.4 makes all of these, 7.0.2 most. */
const ODD = ['ünï', 'a%b', 'a%25b', 'x#y', 'a,b', 'a?b', 'a&b', 'a+b', 'a:b', '__proto__', 'constructor']

const document = {
  policies: {
    all: {
      select: { remotes: ['main'], projects: ['*'] },
      schedule: '@hourly',
      keep: { last: 2 },
      copy: { remote: 'backup' },
    },
  },
}

async function open(projects: readonly string[]) {
  const world = createWorld({ start })
  const calls: string[] = []
  world.weather.now = (remote, { method, path }) => {
    calls.push(`${remote} ${method} ${path}`)
    return null
  }
  for (const project of projects) {
    seedProject(world.incus.main, project)
    seedProject(world.incus.backup, project)
    seedInstance(world.incus.main, { project, name: 'web' })
  }
  await world.apply(document)
  return { world, calls }
}

async function pass({ clock, tick }: World, minutes: number) {
  const problems = new Set<string>()
  for (let minute = 0; minute < minutes; minute++) {
    const ran = await tick(nextMinute({ clock }))
    if ('problems' in ran) for (const problem of ran.problems ?? []) problems.add(problem)
  }
  return [...problems]
}

const statesIn = (world: World): Record<string, string> =>
  Object.fromEntries(Object.entries(copiesOf(ledgerIn(world))).map(([key, { state }]) => [key, state]))

test('fifty projects are backed up in as many calls of a look as one, whatever they are called', async () => {
  const names = [...ODD, ...Array.from({ length: 50 - ODD.length }, (_, at) => `p${at}`)]
  const { world, calls } = await open(names)
  await pass(world, 80)
  expect(statesIn(world)).toEqual(
    Object.fromEntries(names.map((name) => [`main/${name}/web>backup/${name}/web`, 'verified'])),
  )
  for (const project of names)
    expect([...instanceOf(world.incus.backup, { project, name: 'web' }).snapshots.keys()]).not.toEqual([])
  calls.length = 0
  await world.tick(new Date(world.clock.now() + MINUTE), 0, 'run')
  expect(calls.length).toBeLessThan(14)
})

test('one that allows no snapshots is told, and asked for none; the others are served', async () => {
  const { world, calls } = await open(['open', 'shut'])
  Object.assign(findProject(world.incus.main.state, 'shut').config, { restricted: 'true' })
  const problems = await pass(world, 70)
  expect(problems).toContainEqual(expect.stringMatching(/^main\/shut: project shut is restricted .*=allow$/))
  expect(calls.filter((call) => call.startsWith('main POST') && call.includes('project=shut'))).toEqual([])
  expect(statesIn(world)).toEqual({ 'main/open/web>backup/open/web': 'verified' })
})

test('a profile that the target lacks is told before it is tried, and then the copy is made', async () => {
  const { world, calls } = await open(['open'])
  seedProfile(world.incus.main, 'gold', { 'limits.memory': '1GiB' })
  instanceOf(world.incus.main, { project: 'open', name: 'web' }).profiles.push('gold')
  expect(await pass(world, 70)).toContainEqual(
    expect.stringContaining('project open on backup has no profile gold: create it there'),
  )
  expect(calls.filter((call) => call.startsWith('backup POST'))).toEqual([])
  seedProfile(world.incus.backup, 'gold', { 'limits.memory': '2GiB' })
  expect(await pass(world, 70)).toContainEqual(
    expect.stringContaining('limits.memory is 1GiB on the source and 2GiB there'),
  )
  expect(statesIn(world)).toEqual({ 'main/open/web>backup/open/web': 'verified' })
})

test('a profile and a network that the target lacks are not needed where the policy says what the copy has instead', async () => {
  const { world } = await open(['open'])
  seedProfile(world.incus.main, 'gold', { 'limits.memory': '1GiB' })
  const web = instanceOf(world.incus.main, { project: 'open', name: 'web' })
  web.profiles.push('gold')
  web.devices.eth0 = { type: 'nic', network: 'shop' }
  const given = {
    profiles: ['default'],
    config: { 'limits.memory': '2GiB' },
    devices: { eth0: { type: 'none' } },
  }
  const { all } = document.policies
  await pass(world, 2)
  await world.apply({ policies: { all: { ...all, copy: { ...all.copy, ...given } } } })
  await pass(world, 80)
  expect(statesIn(world)).toEqual({ 'main/open/web>backup/open/web': 'verified' })
  const copy = instanceOf(world.incus.backup, { project: 'open', name: 'web' })
  expect(copy.profiles).toEqual(['default'])
  expect(copy.config).toMatchObject({ 'limits.memory': '2GiB', 'snapshots.schedule': '@never' })
  expect(copy.devices.eth0).toEqual({ type: 'none' })
})
