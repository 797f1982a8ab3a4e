/** What is not well reaches people: each thing once, within two minutes, and what is over as well. */
import { expect, test } from 'vitest'
import { type Notifier, notify } from '../../functions/notify/notify.ts'
import type { Outgoing } from '../../functions/notify/service.ts'
import type { Sent } from '../../shared/notify/settle.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-22T03:00:10Z')
const MINUTE = 60_000
const at = (minutes: number): Date => new Date(START.getTime() + minutes * MINUTE)

type Post = {
  minute: number
  channel: string
  kind: string
  title: string
  text: string
  id: string
  status: number
}

type Town = {
  world: World
  posts: Post[]
  /** What the status said after each minute's ticks. */
  seen: { minute: number; health: string; broken: boolean }[]
  /** What a channel answers. */
  answer: { of: (channel: string) => number }
  /** Ticks each minute up to there, at these places at once. */
  pass(minutes: number, places?: readonly number[]): Promise<void>
  titles(channel: string, kind?: string): string[]
}

const CHANNELS = {
  ops: { type: 'webhook', url: { secret: 'NOTIFY_OPS' }, key: { secret: 'NOTIFY_KEY' } },
}
const VAULT: Record<string, string> = {
  NOTIFY_OPS: 'https://hooks.example.org/ops',
  NOTIFY_OTHER: 'https://hooks.example.org/other',
  NOTIFY_KEY: 'a key to sign with, long enough',
}

async function begin({
  instances = ['web'],
  channels = CHANNELS as object,
  policy = {} as object,
}): Promise<Town> {
  const world = createWorld({ start: START })
  for (const name of instances)
    write(seedInstance(world.incus.main, { name, running: true }), `${name} 1`, 1e6)
  const policies = {
    hourly: { remotes: ['main'], schedule: '@hourly', copy: { remote: 'backup' }, ...policy },
  }
  await world.apply({ policies, notify: channels })
  const posts: Post[] = []
  const seen: Town['seen'] = []
  const answer: Town['answer'] = { of: () => 200 }
  const post = async ({ url, body }: Outgoing) => {
    const channel = url.slice(url.lastIndexOf('/') + 1)
    const status = answer.of(channel)
    const { id, kind, title, text } = JSON.parse(body) as Post
    const minute = (world.clock.now() - START.getTime()) / MINUTE
    posts.push({ minute, channel, kind, title, text, id, status })
    return { status, text: '', retryAfter: null }
  }
  const memories = world.places.map(() => new Map<string, Sent>())
  let nonces = 0
  const notifierAt = (place: number): Notifier => {
    const io = world.places[place]
    const memory = memories[place]
    if (io === undefined || memory === undefined) throw new Error('no such place')
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void world.clock.after(ms, resolve))
    // As retryOnce, by the world's clock.
    const put: typeof io.state.put = async (...args: Parameters<typeof io.state.put>) => {
      try {
        await io.state.put(...args)
      } catch {
        await wait(1100)
        await io.state.put(...args)
      }
    }
    return {
      ...{ state: { get: io.state.get, put }, post, wait, memory, settled: 65_000 },
      vault: (name) => VAULT[name],
      now: () => new Date(world.clock.now()),
      nonce: () => `nonce ${nonces++}`,
      wrong: () => [],
    }
  }
  const going = new Set<Promise<void>>()
  const step = async (to: number): Promise<void> => {
    await world.clock.advance(to)
    // Digests come from another thread, for which the virtual time must stand still.
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return {
    world,
    posts,
    seen,
    answer,
    async pass(minutes, places = [0]) {
      for (let next = minuteAfter(world); next <= minutes; next = minuteAfter(world)) {
        while (going.size > 0 && world.clock.now() + 5_000 < at(next).getTime())
          await step(world.clock.now() + 5_000)
        await world.clock.advance(at(next))
        for (const place of places) {
          await world.tick(at(next), place)
          // KV takes one write a second to a key.
          if (places.length > 1) await world.clock.advance(world.clock.now() + 1_500)
        }
        const { health, promises } = await statusIn(world)
        const broken = promises.some(({ state }) => state === 'broken' || state === 'unknown')
        seen.push({ minute: next, health, broken })
        for (const place of places) {
          const told = notify(notifierAt(place))
          going.add(told)
          void told.finally(() => going.delete(told))
        }
      }
      while (going.size > 0) await step(world.clock.now() + 5_000)
    },
    titles: (channel, kind) =>
      posts
        .filter((one) => one.channel === channel && one.status === 200 && (kind ?? one.kind) === one.kind)
        .map(({ title }) => title),
  }
}

const minuteAfter = ({ clock }: World): number => Math.floor((clock.now() - START.getTime()) / MINUTE) + 1

/** When the status said first that all is not well. */
const firstBad = ({ seen }: Town, from = 0): number =>
  seen.find(({ minute, health }) => minute >= from && health === 'bad')?.minute ?? Number.NaN

/** A minute and a bit until KV has settled, and the tick itself. */
const SOON = 2

test('a server that is down with 50 instances is one message, and its end another', async () => {
  const instances = Array.from({ length: 50 }, (_, index) => `web${index}`)
  const town = await begin({ instances })
  await town.pass(20)
  expect(town.posts).toEqual([])
  town.world.incus.main.kill()
  await town.pass(170)
  town.world.incus.main.start()
  await town.pass(200)
  const [told, over, ...more] = town.posts
  expect(told).toMatchObject({ kind: 'alarm', title: 'main gives no answer' })
  expect(told?.text).toContain('Still safe, the oldest first:\n• main/default/web0: hourly-20261122T0300Z')
  expect(told?.text).toContain('verified on backup/default/web0')
  expect((told?.minute ?? 99) - firstBad(town)).toBeLessThan(SOON)
  expect(over).toMatchObject({
    kind: 'recovery',
    title: expect.stringMatching(/^Over after \d h: main gives/),
  })
  expect(over?.text).toContain('promises of it kept again')
  expect(more).toEqual([])
  expect((await statusIn(town.world)).health).not.toBe('bad')
})

/** Of an instance alone, or of all: a full pool. */
const full = (town: Town, name = ''): void => {
  town.world.incus.main.faults = ({ method, path }) =>
    method === 'POST' && path.startsWith(`/1.0/instances/${name}`) && path.includes('/snapshots')
      ? { before: { status: 500, error: 'No space left on device' } }
      : null
}

test('a full pool is one message, which says what to do, and one more when the snapshots are taken again', async () => {
  const town = await begin({ instances: ['db', 'mail', 'web'] })
  await town.pass(20)
  full(town)
  await town.pass(150)
  town.world.incus.main.faults = () => null
  await town.pass(230)
  expect(town.posts).toMatchObject([
    { kind: 'alarm', title: expect.stringMatching(/^backups of 3 instances fail: No space left on device/) },
    { kind: 'recovery' },
  ])
  expect(town.posts[0]?.text).toContain('free space in the storage pool')
  expect((town.posts[0]?.minute ?? 99) - firstBad(town)).toBeLessThan(SOON)
})

test('ticks at several places at once, each with a stale KV, tell it once', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(20, [0, 1])
  town.world.incus.main.kill()
  await town.pass(150, [0, 1])
  town.world.incus.main.start()
  await town.pass(200, [1, 0])
  expect(town.posts.map(({ kind }) => kind)).toEqual(['alarm', 'recovery'])
  expect((town.posts[0]?.minute ?? 99) - firstBad(town)).toBeLessThan(SOON)
})

const TWO = { ...CHANNELS, other: { ...CHANNELS.ops, url: { secret: 'NOTIFY_OTHER' } } }

test('a channel that fails keeps nothing from the other one, which tells that too, and catches up', async () => {
  const town = await begin({ channels: TWO })
  await town.pass(20)
  town.answer.of = (channel) => (channel === 'ops' ? 500 : 200)
  town.world.incus.main.kill()
  await town.pass(120)
  const dead = town.titles('other').filter((title) => title.includes('notifications to "ops"'))
  expect(town.titles('other', 'alarm')).toEqual(['main gives no answer', ...dead])
  expect(dead).toEqual([
    expect.stringMatching(/^notifications to "ops" \(webhook\) have failed since .*: 500/),
  ])
  expect((await statusIn(town.world)).warnings).toContainEqual(
    expect.stringContaining('notifications to "ops"'),
  )
  const tries = town.posts.filter(({ channel }) => channel === 'ops')
  expect(tries.length).toBeLessThan(9)
  expect(new Set(tries.map(({ id }) => id)).size).toBe(1)
  town.answer.of = () => 200
  await town.pass(180)
  expect(town.titles('ops')).toEqual(['main gives no answer'])
  expect(town.titles('other', 'recovery')).toEqual([expect.stringContaining('notifications to "ops"')])
})

test('when it is forgotten what was told, it is told once more, and not at each tick', async () => {
  const town = await begin({})
  await town.pass(20)
  town.world.incus.main.kill()
  await town.pass(100)
  town.world.kv.wipe(['notices'])
  await town.pass(150, [1])
  expect(town.titles('ops')).toEqual(['main gives no answer', 'main gives no answer'])
})

test.each([['promises'], ['ledger'], ['promises', 'ledger'], ['config']])(
  'nothing is said to be over because %s and what else was known is lost',
  async (...keys) => {
    const town = await begin({})
    await town.pass(20)
    full(town)
    await town.pass(150)
    town.world.kv.wipe(keys)
    await town.pass(165)
    // But that nothing was known.
    const over = town.titles('ops', 'recovery').filter((title) => !title.includes('nothing is known'))
    expect(over).toEqual([])
  },
)

test('while KV takes no writes, each process tells it once', async () => {
  const town = await begin({})
  await town.pass(20)
  town.world.kv.refusing = true
  town.world.incus.main.kill()
  await town.pass(150)
  const titles = town.posts.map(({ title }) => title)
  expect(titles).toContainEqual(expect.stringContaining('does KV take writes?'))
  expect(new Set(titles.map((title) => title.replace(/\d+/g, '#'))).size).toBe(titles.length)
})

test('one that is no longer configured is told so, with what is wrong then', async () => {
  const town = await begin({})
  await town.pass(20)
  await town.world.apply({ policies: {} })
  await town.pass(30)
  expect(town.posts).toMatchObject([
    { kind: 'goodbye', title: expect.stringContaining('No notifications come here any more') },
  ])
  expect(town.posts[0]?.text).toContain('there are no policies, so nothing is backed up')
  await town.pass(60)
  expect(town.posts).toHaveLength(1)
})

test('nothing is written to KV while nothing is to be told', async () => {
  const town = await begin({})
  await town.pass(30)
  const before = town.world.kv.peek('notices')
  await town.pass(90)
  expect(town.world.kv.peek('notices')).toBe(before)
})
