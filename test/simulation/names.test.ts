/** `constructor` is a lawful name of a policy, a remote, a project, a pool, an instance and a snapshot. */
import { expect, test } from 'vitest'
import { statusOf } from '../../functions/api/status.ts'
import { findConfig } from '../../functions/state/config.ts'
import { readKnown } from '../../functions/state/known.ts'
import { parseConfig } from '../../shared/policy/parse.ts'
import { instanceOf, seedInstance, seedProject, write } from '../emulator/scene.ts'
import { createWorld } from './world.ts'

const START = new Date('2026-11-22T03:00:10Z')
const minutes = (count: number): Date => new Date(START.getTime() + count * 60_000)
const NAME = 'constructor'

test('a policy, its project and its instance may be called like a member of every object', async () => {
  const world = createWorld({ start: START })
  for (const incus of [world.incus.main, world.incus.backup]) seedProject(incus, NAME)
  write(seedInstance(world.incus.main, { project: NAME, name: NAME, running: true }), 'data', 1000)
  await world.apply({
    policies: {
      [NAME]: {
        select: { remotes: ['main'], projects: [NAME] },
        schedule: '@hourly',
        keep: { last: 1 },
        copy: { remote: 'backup' },
      },
    },
  })
  for (const minute of [0, 1, 2, 3, 60, 61, 62, 63, 120, 121, 122, 123])
    expect(await world.tick(minutes(minute))).not.toHaveProperty('threw')
  const state = world.kv.place()
  const status = statusOf(await findConfig(state), await readKnown(state, minutes(124)), minutes(124))
  expect(status.policies[NAME]?.slots.map(({ outcome }) => outcome)).toEqual(['served', 'served', 'served'])
  expect(Object.values((status as unknown as { copies: object }).copies)).toMatchObject([
    { state: 'verified', newest: `${NAME}-20261122T0500Z` },
  ])
  expect([...instanceOf(world.incus.main, { project: NAME, name: NAME }).snapshots.keys()]).toEqual([
    `${NAME}-20261122T0400Z`,
    `${NAME}-20261122T0500Z`,
  ])
})

test.each(['ünï', '50%', 'a%2Fb', 'c,d', 'e#f', 'g?h&i=j'])(
  'what lives in a project called %s is copied into the project of that name',
  async (project) => {
    const world = createWorld({ start: START })
    for (const incus of [world.incus.main, world.incus.backup]) seedProject(incus, project)
    write(seedInstance(world.incus.main, { project, name: 'web', running: true }), 'data', 1000)
    const select = { remotes: ['main'], projects: [project] }
    await world.apply({ policies: { p: { select, schedule: '@hourly', copy: { remote: 'backup' } } } })
    for (const minute of [0, 1, 2, 3]) await world.tick(minutes(minute))
    const { snapshots, config } = instanceOf(world.incus.backup, { project, name: 'web' })
    expect([...snapshots.keys()]).toEqual(['p-20261122T0300Z'])
    expect(config['user.stapes.verified']).toMatch(/^p-20261122T0300Z@/)
  },
)

test('a remote of that name that the relay doesn’t know is told of, and main is served', async () => {
  const world = createWorld({ start: START })
  write(seedInstance(world.incus.main, { name: 'web1', running: true }), 'data', 1000)
  const policy = { schedule: '@hourly', copy: { remote: 'toString' } }
  const document = { policies: { p: { ...policy, remotes: [NAME, 'main'] } } }
  const parsed = parseConfig(document)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const stored = { version: 'v', appliedAt: START.toISOString(), document, config: parsed.value }
  world.kv.restore('config', JSON.stringify(stored))
  expect(await world.tick(START)).toMatchObject({
    state: 'ran',
    taken: 1,
    problems: expect.arrayContaining([expect.stringContaining(`"${NAME}"`)]),
  })
  expect(await world.tick(minutes(1))).toMatchObject({
    state: 'ran',
    problems: expect.arrayContaining([expect.stringContaining('"toString"')]),
  })
})
