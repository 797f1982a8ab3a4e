/** Dead man’s switches around real ticks. */
import { expect, test } from 'vitest'
import { createPinger } from '../../functions/ping/ping.ts'
import type { Outgoing } from '../../functions/ping/request.ts'
import { run } from '../../functions/run.ts'
import { seedInstance } from '../emulator/scene.ts'
import { nextMinute } from './passing.ts'
import { createWorld, type World } from './world.ts'

const MINUTE = 60_000
const start = new Date('2026-11-20T00:00:30Z')
const PING = { type: 'healthchecks', url: { secret: 'PING_ALL' }, slug: true }

type Scene = {
  world: World
  /** Path, query and body of each ping. */
  pings: string[]
  log: string[]
  service: { answers: string | null }
  pass(minutes: number): Promise<void>
}

async function begin(
  secrets: Record<string, string> = { PING_ALL: 'https://hc.example.org/key' },
): Promise<Scene> {
  const world = createWorld({ start })
  seedInstance(world.incus.main, { name: 'web', running: true })
  await world.clock.advance(world.clock.now() + 10)
  const [io] = world.places
  if (io === undefined) throw new Error('the world has no place')
  const pings: string[] = []
  const log: string[] = []
  const service = { answers: null as string | null }
  const post = async ({ url, body = '' }: Outgoing): Promise<string | null> => {
    const { pathname, searchParams } = new URL(url)
    pings.push(`${pathname} ${searchParams.get('rid')} ${body}`.trim())
    return service.answers
  }
  await world.apply({ policies: { hourly: { remotes: ['main'], schedule: '@hourly', ping: PING } } })
  let count = 0
  const tick = async (at: Date) => {
    const pinger = createPinger({
      ...{ state: io.state, now: () => at, again: MINUTE, run: `run-${++count}`, post },
      ...{ vault: (name: string) => secrets[name], log: (line: string) => void log.push(line) },
    })
    await run({ kind: 'cron', at }, io, async (plan) => {
      await pinger.start(plan)
      return { go: true }
    })
    await pinger.end()
  }
  return {
    ...{ world, pings, log, service },
    async pass(minutes) {
      for (let minute = 0; minute < minutes; minute++) {
        const at = nextMinute(world)
        await world.clock.advance(at)
        await world.clock.settle(tick(at))
      }
    },
  }
}

test('a run that takes a snapshot tells its start and its success, under one id, and each five minutes that all is kept', async () => {
  const { pings, pass } = await begin()
  await pass(1)
  expect(pings.map((ping) => ping.split(' ').slice(0, 2))).toEqual([
    ['/key/hourly/start', 'run-1'],
    ['/key/hourly', 'run-1'],
  ])
  pings.length = 0
  await pass(59)
  expect(pings.filter((ping) => ping.startsWith('/key/hourly run-')).length).toBeGreaterThanOrEqual(11)
  expect(pings.filter((ping) => ping.includes('/fail'))).toEqual([])
})

test('a promise that is broken is told as a failure, with the reason, and its end as a success', async () => {
  const { world, pings, pass } = await begin()
  await pass(90)
  world.weather.now = (_, { method }) => (method === 'POST' ? 500 : null)
  await pass(120)
  const last = pings.filter((ping) => ping.startsWith('/key/hourly')).at(-1)
  expect(last).toMatch(/^\/key\/hourly\/fail run-\d+ /)
  expect(last).toContain('main/default/web has no snapshot')
  world.weather.now = () => null
  await pass(40)
  expect(pings.at(-1)).toMatch(/^\/key\/hourly run-/)
})

test('a service that is down, and a secret that isn’t set, fail no run, and are logged without the address', async () => {
  const down = await begin()
  down.service.answers = 'it answered 500'
  await down.pass(1)
  expect(down.log).toContain('the ping of policy hourly was not taken: it answered 500')
  expect([
    ...(down.world.incus.main.state.projects.get('default')?.instances.get('web')?.snapshots.keys() ?? []),
  ]).toHaveLength(1)
  const unset = await begin({})
  await unset.pass(1)
  expect(unset.pings).toEqual([])
  expect(unset.log).toContain(
    'the ping of policy hourly was not taken: the secret PING_ALL is not set: npx wrangler secret put PING_ALL, or for npm start PING_ALL=… in .env',
  )
  const plain = await begin({ PING_ALL: 'http://hc.example.org/key' })
  await plain.pass(1)
  expect(plain.pings).toEqual([])
  expect(plain.log.join()).toContain('the secret PING_ALL is an http:// address')
  expect(down.log.join()).not.toContain('hc.example.org')
})
