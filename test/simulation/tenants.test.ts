/** What a tenant writes into the keys of his own instances: it harms nobody else, and his secrets stay on their server. */

import { expect, test } from 'vitest'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { nextMinute } from './passing.ts'
import { createWorld, type World } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const SECRET = '#cloud-config\npassword: hunter2'

/** Two instances with copies; and all that the Worker has been told. */
async function begin(select: object = {}) {
  const world = createWorld({ start })
  const told: string[] = []
  for (const io of world.places) {
    const { relay } = io
    io.relay = {
      ...relay,
      inventory: async (request) => {
        const reply = await relay.inventory(request)
        told.push(JSON.stringify(reply))
        return reply
      },
    }
  }
  for (const name of ['web', 'db'])
    write(
      seedInstance(world.incus.main, { name, running: true, config: { 'user.tier': 'gold' } }),
      name,
      1000,
    )
  await world.apply({
    policies: {
      q: {
        select: { remotes: ['main'], ...select },
        schedule: '*/15 * * * *',
        keep: { last: 4 },
        copy: { remote: 'backup' },
      },
    },
  })
  return { world, told }
}

async function pass({ clock, tick }: World, minutes: number): Promise<string> {
  const problems = new Set<string>()
  for (let minute = 0; minute < minutes; minute++) {
    const ran = await tick(nextMinute({ clock }))
    if ('problems' in ran) for (const problem of ran.problems) problems.add(problem)
    expect(ran).not.toHaveProperty('threw')
  }
  return [...problems].join('\n')
}

const set = (world: World, remote: 'main' | 'backup', name: string, key: string, value: string): void => {
  instanceOf(world.incus[remote], { name }).config[key] = value
}
const namesOn = (world: World, remote: 'main' | 'backup', name: string): string[] => [
  ...instanceOf(world.incus[remote], { name }).snapshots.keys(),
]

test('a password for cloud-init, and 40 MB under a key of his own, never leave the server', async () => {
  const { world, told } = await begin({ config: { 'user.tier': 'g*' } })
  set(world, 'main', 'web', 'user.user-data', SECRET)
  set(world, 'main', 'web', 'cloud-init.user-data', SECRET)
  set(world, 'main', 'web', 'user.note', 'x'.repeat(40_000_000))
  await pass(world, 20)
  expect(namesOn(world, 'main', 'web')).toHaveLength(2)
  expect(namesOn(world, 'backup', 'web')).toHaveLength(2)
  expect(told.length).toBeGreaterThan(2)
  expect(Math.max(...told.map(({ length }) => length))).toBeLessThan(20_000)
  expect(told.join('').includes('hunter2')).toBe(false)
  expect(told.join('')).toContain('"user.tier":"gold"')
})

test('a mark that is too long makes its copy unknown, so that nothing of it is removed, and the others go on', async () => {
  const { world } = await begin()
  await pass(world, 40)
  const before = namesOn(world, 'backup', 'web')
  const mark = instanceOf(world.incus.backup, { name: 'web' }).config['user.stapes.verified'] ?? ''
  set(world, 'backup', 'web', 'user.stapes.verified', `${mark} ${'x@1 '.repeat(70_000)}`)
  const problems = await pass(world, 75)
  expect(problems).toContain('its key user.stapes.verified has')
  expect(namesOn(world, 'backup', 'web')).toEqual(before)
  expect(namesOn(world, 'backup', 'db')).toEqual(namesOn(world, 'main', 'db'))
  set(world, 'backup', 'web', 'user.stapes.verified', mark)
  await pass(world, 60)
  expect(namesOn(world, 'backup', 'web')).toEqual(namesOn(world, 'main', 'web'))
})

test('a source with keys that are too long keeps its snapshots, and is told as unknown', async () => {
  const { world } = await begin({ config: { 'user.tier': 'gold' } })
  await pass(world, 40)
  const before = namesOn(world, 'main', 'web')
  set(world, 'main', 'web', 'user.tier', 'gold '.repeat(1000))
  const problems = await pass(world, 75)
  expect(problems).toContain('its key user.tier has 5000 characters')
  expect(namesOn(world, 'main', 'web')).toEqual(before)
  expect(namesOn(world, 'main', 'db').at(-1)).not.toEqual(before.at(-1))
})

test('an instance whose environment keys differ in case alone gets its copies, with both keys', async () => {
  const { world } = await begin()
  const proxies = { 'environment.http_proxy': 'http://a', 'environment.HTTP_PROXY': 'http://b' }
  for (const [key, value] of Object.entries(proxies)) set(world, 'main', 'web', key, value)
  expect(await pass(world, 40)).toBe('')
  expect(namesOn(world, 'backup', 'web')).toEqual(namesOn(world, 'main', 'web'))
  expect(instanceOf(world.incus.backup, { name: 'web' }).config).toMatchObject(proxies)
})
