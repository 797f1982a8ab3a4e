/** What is wrong is known within two minutes, also when nothing is due. */
import { expect, test } from 'vitest'
import { seedInstance, write } from '../emulator/scene.ts'
import { nextMinute } from './passing.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const start = new Date('2026-11-20T00:00:30Z')

async function begin(): Promise<World> {
  const world = createWorld({ start })
  for (const name of ['web', 'db']) write(seedInstance(world.incus.main, { name, running: true }), name, 20e6)
  await world.clock.advance(world.clock.now() + 10)
  const policy = {
    select: { remotes: ['main'], instances: ['web', 'db'] },
    schedule: '0 0 * * *',
    keep: { last: 7 },
    copy: { remote: 'backup' },
  }
  await world.apply({ policies: { daily: policy } })
  await pass(world, 30 * MINUTE)
  return world
}

async function pass(world: World, ms: number): Promise<void> {
  for (let minute = 0; minute < ms / MINUTE; minute++) await world.tick(nextMinute(world))
}

const toneIn = async (world: World) => (await statusIn(world)).health

type Trouble = { what: string; words: RegExp; begin(world: World): void; end(world: World): void }
const TROUBLES: Trouble[] = [
  {
    what: 'the backup server is down',
    words: /^backup has given no answer since 2026-11-20T05:0[01]:/,
    begin: ({ incus }) => incus.backup.kill(),
    end: ({ incus }) => incus.backup.start(),
  },
  {
    what: 'the source is down',
    words: /^main has given no answer since 2026-11-20T05:0[01]:/,
    begin: ({ incus }) => incus.main.kill(),
    end: ({ incus }) => incus.main.start(),
  },
  {
    what: 'the source answers with an error',
    words: /^main has given no answer since .*: Server error/,
    begin: ({ weather }) => {
      weather.now = (remote) => (remote === 'main' ? 503 : null)
    },
    end: ({ weather }) => {
      weather.now = () => null
    },
  },
  {
    what: 'the relay is down',
    words: /^main has given no answer since .*: the relay can't be reached/,
    begin: ({ relay }) => {
      relay.up = false
    },
    end: ({ relay }) => {
      relay.up = true
    },
  },
  {
    what: 'an instance has appeared that nobody backs up',
    words: /^under no policy, so not backed up, is on main\/default: stray\. /,
    begin: ({ incus }) => void seedInstance(incus.main, { name: 'stray' }),
    end: ({ incus }) => void incus.main.state.projects.get('default')?.instances.delete('stray'),
  },
]

test.each([
  ['relay', TROUBLES.find(({ what }) => what === 'the relay is down')],
  ['unreachable', TROUBLES.find(({ what }) => what === 'the backup server is down')],
])('whose silence it is follows from a code: %s', async (code, trouble) => {
  const world = await begin()
  trouble?.begin(world)
  await pass(world, 2 * MINUTE)
  const { conditions } = await statusIn(world)
  const codes = conditions.flatMap((one) => (one.id.startsWith('remote ') ? [one.code] : []))
  expect(new Set(codes)).toEqual(new Set([code]))
})

test.each(TROUBLES)('$what: that is known within two minutes, and its end as well', async (trouble) => {
  const world = await begin()
  await pass(world, 4.5 * HOUR)
  expect(await toneIn(world)).toBe('good')
  trouble.begin(world)
  await pass(world, 2 * MINUTE)
  const { health, warnings } = await statusIn(world)
  expect([health, warnings]).toEqual(['bad', expect.arrayContaining([expect.stringMatching(trouble.words)])])
  await pass(world, HOUR)
  trouble.end(world)
  await pass(world, 2 * MINUTE)
  expect(await toneIn(world)).toBe('good')
})
