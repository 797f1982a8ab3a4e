/** A world whose ticks tell people, who have channels of their own, with what came to each. */
import { type Notifier, notify } from '../../functions/notify/notify.ts'
import type { Outgoing } from '../../functions/notify/service.ts'
import type { Sent } from '../../shared/notify/settle.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-22T03:00:10Z')
const MINUTE = 60_000
const at = (minutes: number): Date => new Date(START.getTime() + minutes * MINUTE)

export type Post = {
  minute: number
  channel: string
  kind: string
  severity: string
  alarms: string[]
  title: string
  text: string
  id: string
  status: number
}

export type Town = {
  world: World
  posts: Post[]
  /** What the status said after each minute's ticks. */
  seen: { minute: number; health: string }[]
  /** What a channel answers. */
  answer: { of: (channel: string) => number }
  /** One minute's ticks; what they tell may take longer. */
  tick(minute: number, places: readonly number[]): Promise<void>
  /** Until all of it is told. */
  drain(): Promise<void>
  /** Ticks each minute up to there, at these places at once. */
  pass(minutes: number, places?: readonly number[]): Promise<void>
  titles(channel: string, kind?: string): string[]
}

export const CHANNELS = {
  ops: { type: 'webhook', url: { secret: 'NOTIFY_OPS' }, key: { secret: 'NOTIFY_KEY' } },
}
const VAULT: Record<string, string> = {
  NOTIFY_OPS: 'https://hooks.example.org/ops',
  NOTIFY_OTHER: 'https://hooks.example.org/other',
  NOTIFY_KEY: 'a key to sign with, long enough',
}

export async function begin({
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
    const said = JSON.parse(body) as Post
    const minute = (world.clock.now() - START.getTime()) / MINUTE
    posts.push({ ...said, minute, channel, status })
    return { status, text: '', retryAfter: null }
  }
  const memories = world.places.map(() => new Map<string, Sent>())
  const calms = world.places.map(() => ({ read: '', until: 0 }))
  const unwrittens = world.places.map((): Notifier['unwritten'] => ({ open: {} }))
  let nonces = 0
  const notifierAt = (place: number): Notifier => {
    const io = world.places[place]
    const memory = memories[place]
    const calm = calms[place]
    const unwritten = unwrittens[place]
    if (io === undefined || memory === undefined || calm === undefined || unwritten === undefined)
      throw new Error('no such place')
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
      ...{
        state: { get: io.state.get, put },
        known: io.state,
        post,
        wait,
        memory,
        calm,
        unwritten,
        settled: 65_000,
      },
      vault: (name) => VAULT[name],
      now: () => new Date(world.clock.now()),
      nonce: () => `nonce ${nonces++}`,
      wrong: () => [],
    }
  }
  const going = new Set<Promise<void>>()
  const step = async (to: number): Promise<void> => {
    await world.clock.advance(to)
    await untilSigned()
  }
  const tick = async (minute: number, places: readonly number[]): Promise<void> => {
    const due = at(minute).getTime()
    while (going.size > 0 && world.clock.now() + 5_000 < due) await step(world.clock.now() + 5_000)
    if (world.clock.now() < due) await step(due)
    for (const place of places) {
      await world.tick(at(minute), place)
      // KV takes one write a second to a key.
      if (places.length > 1) await step(world.clock.now() + 1_500)
    }
    seen.push({ minute, health: (await statusIn(world)).health })
    for (const place of places) {
      const told = notify(notifierAt(place))
      going.add(told)
      void told.finally(() => going.delete(told))
    }
  }
  const drain = async (): Promise<void> => {
    while (going.size > 0) await step(world.clock.now() + 5_000)
  }
  return {
    world,
    posts,
    seen,
    answer,
    tick,
    drain,
    async pass(minutes, places = [0]) {
      for (let next = minuteAfter(world); next <= minutes; next = minuteAfter(world)) await tick(next, places)
      await drain()
    },
    titles: (channel, kind) =>
      posts
        .filter((one) => one.channel === channel && one.status === 200 && (kind ?? one.kind) === one.kind)
        .map(({ title }) => title),
  }
}

/** Digests and signatures that are being made: by another thread, for which the virtual time must stand still. */
let unsigned = 0

for (const name of ['digest', 'importKey', 'sign'] as const) {
  const make = crypto.subtle[name].bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>
  const counted = async (...args: unknown[]): Promise<unknown> => {
    unsigned++
    try {
      return await make(...args)
    } finally {
      unsigned--
    }
  }
  Object.defineProperty(crypto.subtle, name, { value: counted, configurable: true })
}

/** What follows from one may begin another. */
async function untilSigned(): Promise<void> {
  for (let calm = 0; calm < 3; calm = unsigned > 0 ? 0 : calm + 1)
    await new Promise((resolve) => (unsigned > 0 ? setTimeout(resolve, 1) : setImmediate(resolve)))
}

const minuteAfter = ({ clock }: World): number => Math.floor((clock.now() - START.getTime()) / MINUTE) + 1
