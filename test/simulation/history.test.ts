/** The share of time in which promises were kept, against a count of what the status said each minute. */
import { expect, test } from 'vitest'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { minuteAfter, nextMinute } from './passing.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

type Count = { kept: number; all: number }

async function watch(world: World, counts: Map<string, Count>, ms: number): Promise<void> {
  for (let minute = 0; minute < ms / MINUTE; minute++) {
    const at = minuteAfter(world.clock.now())
    await world.tick(new Date(at))
    const { promises } = await statusIn(world, new Date(at + MINUTE / 2))
    for (const { kind, subject, state } of promises) {
      const count = counts.get(`${kind} ${subject}`) ?? { kept: 0, all: 0 }
      const isKept = state === 'kept' || state === 'pending'
      counts.set(`${kind} ${subject}`, { kept: count.kept + (isKept ? 1 : 0), all: count.all + 1 })
    }
  }
}

test('it is what a count of each minute gives, through outages of either server and of the ticks’ memory', async () => {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z') })
  for (const name of ['web', 'db']) write(seedInstance(world.incus.main, { name, running: true }), name, 20e6)
  await world.clock.advance(world.clock.now() + 10)
  const policy = { remotes: ['main'], schedule: '0 */2 * * *', keep: { last: 9 }, copy: { remote: 'backup' } }
  await world.apply({ policies: { often: policy } })
  const counts = new Map<string, Count>()
  await watch(world, counts, 7 * HOUR)
  world.incus.backup.kill()
  await watch(world, counts, 9 * HOUR)
  world.incus.backup.start()
  await watch(world, counts, 11 * HOUR)
  world.incus.main.kill()
  await watch(world, counts, 6 * HOUR)
  world.kv.wipe(['ledger'])
  world.incus.main.start()
  await watch(world, counts, 15 * HOUR)
  world.incus.main.kill()
  world.incus.backup.kill()
  await watch(world, counts, 5 * HOUR)
  const now = nextMinute(world)
  const { promises } = await statusIn(world, now)
  expect(promises).toHaveLength(4)
  for (const { kind, subject, keptShare } of promises) {
    const { kept, all } = counts.get(`${kind} ${subject}`) ?? { kept: 0, all: 1 }
    expect([subject, kind, keptShare?.toFixed(9)]).toEqual([subject, kind, (kept / all).toFixed(9)])
    expect(kept / all).toBeLessThan(kind === 'copy' ? 0.85 : 0.95)
    expect(kept / all).toBeGreaterThan(0.6)
  }
})

test('of a promise that an older one breaks, since the newest was deleted, it was kept until then', async () => {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z') })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 20e6)
  await world.clock.advance(world.clock.now() + 10)
  const policy = { remotes: ['main'], schedule: '0 */6 * * *', keep: { last: 9 }, copy: { remote: 'backup' } }
  await world.apply({ policies: { often: policy } })
  const counts = new Map<string, Count>()
  await watch(world, counts, 16 * HOUR)
  for (const incus of [world.incus.main, world.incus.backup])
    expect(instanceOf(incus, { name: 'web' }).snapshots.delete('often-20261120T1200Z')).toBe(true)
  const deleted = world.clock.now()
  await watch(world, counts, HOUR)
  const broken = (await statusIn(world)).promises.filter(({ state }) => state === 'broken')
  const [snapshot] = broken
  expect(snapshot?.reason).toMatch(/the newest one, often-20261120T1200Z, was gone at /)
  for (const { since } of broken) expect(Date.parse(since ?? '')).toBeGreaterThanOrEqual(deleted - MINUTE)
  await watch(world, counts, 9 * HOUR)
  const now = nextMinute(world)
  for (const { kind, subject, keptShare } of (await statusIn(world, now)).promises) {
    const { kept, all } = counts.get(`${kind} ${subject}`) ?? { kept: 0, all: 1 }
    expect([kind, keptShare?.toFixed(9)]).toEqual([kind, (kept / all).toFixed(9)])
    expect(kept / all).toBeGreaterThan(0.8)
  }
})

test('a policy that is tightened, paused, resumed or copied again breaks no promise for the time before', async () => {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z') })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 20e6)
  await world.clock.advance(world.clock.now() + 10)
  const policy = { remotes: ['main'], keep: { last: 40 }, copy: { remote: 'backup' } }
  const daily = { ...policy, schedule: '0 3 * * *' }
  const hourly = { ...policy, schedule: '0 * * * *' }
  const counts = new Map<string, Count>()
  for (const next of [
    daily,
    hourly,
    { ...hourly, paused: true },
    hourly,
    { ...hourly, copy: false },
    hourly,
    daily,
  ]) {
    await world.apply({ policies: { p: next } })
    await watch(world, counts, 29.5 * HOUR)
  }
  const now = nextMinute(world)
  const { promises } = await statusIn(world, now)
  expect(counts.get('snapshot main/default/web')).toEqual({ kept: 6 * 29.5 * 60, all: 6 * 29.5 * 60 })
  expect(counts.get('copy main/default/web')).toEqual({ kept: 5 * 29.5 * 60, all: 5 * 29.5 * 60 })
  expect(promises.map(({ keptShare }) => keptShare)).toEqual([1, 1])
})
