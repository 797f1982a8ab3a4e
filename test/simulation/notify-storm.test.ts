/**
 * Whatever breaks, by chance: what is broken is told while any channel works, nothing twice without a cause, and
 * what is over once.
 */
import { expect, test } from 'vitest'
import { begin, CHANNELS, type Post, type Town } from './notify-town.ts'
import { seededRandom } from './random.ts'
import { statusIn } from './status.ts'

const CHANNELS_OF_TWO = { ...CHANNELS, other: { ...CHANNELS.ops, url: { secret: 'NOTIFY_OTHER' } } }
const HOURS = 7
const CALM = 3
/** Minutes that something may be critical before somebody knows: KV's minute, a tick, and another that was in the way. */
const SOON = 4

type Storm = { town: Town; works: Map<string, boolean>; wiped: number[] }

/** Some minutes of one kind of weather. */
function change({ town, works, wiped }: Storm, random: () => number, minute: number): void {
  const { world, answer } = town
  const roll = (odds: number): boolean => random() < odds
  for (const remote of ['main', 'backup'] as const) {
    const incus = world.incus[remote]
    if (roll(0.02)) incus.kill()
    else if (roll(0.06)) incus.start()
  }
  if (roll(0.03)) world.relay.up = false
  else if (roll(0.2)) world.relay.up = true
  const full = ({ method, path }: { method: string; path: string }) =>
    method === 'POST' && path.includes('/snapshots')
      ? { before: { status: 500, error: 'No space left on device' } }
      : null
  if (roll(0.04)) world.incus.main.faults = full
  else if (roll(0.08)) world.incus.main.faults = () => null
  for (const channel of ['ops', 'other']) {
    const isUp = works.get(channel) ?? true
    works.set(channel, isUp ? !roll(channel === 'ops' ? 0.02 : 0.002) : roll(0.05))
  }
  answer.of = (channel) => (works.get(channel) === true ? 200 : random() < 0.5 ? 500 : 404)
  if (roll(0.01)) world.kv.wipe(['promises'])
  if (roll(0.01)) world.kv.wipe(['ledger'])
  if (roll(0.005)) {
    world.kv.wipe(['notices'])
    wiped.push(minute)
  }
}

function calm({ town, works }: Storm): void {
  const { world, answer } = town
  world.incus.main.start()
  world.incus.backup.start()
  world.incus.main.faults = () => null
  world.relay.up = true
  for (const channel of works.keys()) works.set(channel, true)
  answer.of = () => 200
}

/** Read from what came alone: alarms that somebody was told, and that were not said to be over. */
function follow(posts: readonly Post[], wiped: readonly number[]): string[] {
  const open = new Map<string, { severity: string; minute: number }>()
  const wrong: string[] = []
  for (const { kind, alarms, severity, minute, title } of posts) {
    const known = alarms.map((id) => open.get(id))
    const since = Math.min(...known.map((one) => one?.minute ?? Number.POSITIVE_INFINITY))
    // Once more after it was forgotten.
    const isForgotten = wiped.some((at) => at >= since)
    if (kind === 'alarm') {
      const isNews = known.some(
        (one) => one === undefined || (one.severity === 'warning' && severity === 'critical'),
      )
      if (!isNews && !isForgotten) wrong.push(`${minute}: told twice: ${title}`)
      for (const id of alarms) open.set(id, { severity, minute })
    }
    if (kind === 'reminder' && minute - since < 6 * 60) wrong.push(`${minute}: too soon again: ${title}`)
    if (kind !== 'recovery') continue
    if (known.includes(undefined)) wrong.push(`${minute}: over, though never told: ${title}`)
    for (const id of alarms) open.delete(id)
  }
  return [
    ...wrong,
    ...[...open.keys()].filter(() => wiped.length === 0).map((id) => `never said to be over: ${id}`),
  ]
}

/** Minutes in which something was critical for a while, and no channel was in alarm though one worked all the time. */
function untold({ town, wiped }: Storm, up: readonly string[][]): string[] {
  const { seen, posts } = town
  return seen.flatMap(({ minute }, at) => {
    const before = seen.slice(Math.max(0, at - SOON), at + 1)
    if (before.length <= SOON || before.some(({ health }) => health !== 'bad')) return []
    const working = ['ops', 'other'].filter((channel) =>
      before.every((one) => up[one.minute]?.includes(channel) === true),
    )
    const isRecovering = (channel: string): boolean =>
      posts.some((one) => one.channel === channel && one.status !== 200 && minute - one.minute < 45)
    const mute = working.filter((channel) => !isRecovering(channel) && !inAlarm(posts, channel, minute))
    const isForgotten = wiped.some((one) => minute - one < SOON)
    return mute.length > 0 && !isForgotten ? [`${minute}: ${mute.join(', ')} know of nothing`] : []
  })
}

function inAlarm(posts: readonly Post[], channel: string, minute: number): boolean {
  const open = new Set<string>()
  for (const post of posts) {
    if (post.channel !== channel || post.status !== 200 || post.minute > minute) continue
    if (post.kind === 'alarm') for (const id of post.alarms) open.add(id)
    if (post.kind === 'recovery') for (const id of post.alarms) open.delete(id)
  }
  // That another channel fails is no news of backups.
  return [...open].some((id) => !id.startsWith('channel '))
}

test.each([1, 2, 3, 4, 5, 6])('storm %i', async (seed) => {
  const random = seededRandom(seed)
  const town = await begin({ instances: ['db', 'web'], channels: CHANNELS_OF_TWO })
  const storm: Storm = {
    town,
    works: new Map([
      ['ops', true],
      ['other', true],
    ]),
    wiped: [],
  }
  const up: string[][] = []
  for (let minute = 1; minute <= (HOURS + CALM) * 60; minute++) {
    if (minute > HOURS * 60) calm(storm)
    else if (minute > 5) change(storm, random, minute)
    up[minute] = [...storm.works].flatMap(([name, works]) => (works ? [name] : []))
    const places = random() < 0.2 ? [0, 1] : [random() < 0.5 ? 0 : 1]
    await town.tick(minute, places)
  }
  await town.drain()
  for (const channel of ['ops', 'other']) {
    const mine = town.posts.filter((one) => one.channel === channel && one.status === 200)
    expect(follow(mine, storm.wiped)).toEqual([])
  }
  expect(untold(storm, up)).toEqual([])
  expect((await statusIn(town.world)).health).not.toBe('bad')
  expect(town.posts.length).toBeGreaterThan(4)
})
