/** Late, first and changed: what is taken outside of its slot is taken once, and named for when it was. */
import { expect, test } from 'vitest'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-22T13:08:40Z')
const minute = (count: number): Date => new Date(Date.parse('2026-11-22T13:00:00Z') + count * 60_000)
const daily = (schedule: string) => ({
  policies: { daily: { remotes: ['main'], schedule, keep: { last: 99 } } },
})

function begin(): World {
  const world = createWorld({ start: START })
  write(seedInstance(world.incus.main, { name: 'web1', running: true }), 'web1', 1000)
  return world
}

const taken = (world: World): string[] => [...instanceOf(world.incus.main, { name: 'web1' }).snapshots.keys()]

test('a new schedule begins with a snapshot of now, and goes on with its next slot', async () => {
  const world = begin()
  await world.apply(daily('0 3 * * *'))
  for (let at = 9; at < 40; at++) await world.tick(minute(at), at % 2)
  expect(taken(world)).toEqual(['daily-20261122T1305Z'])
  for (let at = 13 * 60 + 58; at < 14 * 60 + 5; at++) await world.tick(minute(at))
  expect(taken(world)).toEqual(['daily-20261122T1305Z', 'daily-20261123T0300Z'])
})

test('an edited one takes nothing before its next slot', async () => {
  const world = begin()
  await world.apply(daily('0 3 * * *'))
  for (const at of [9, 10, 11]) await world.tick(minute(at))
  await world.clock.advance(minute(12))
  await world.apply(daily('30 4 * * *'))
  for (let at = 13; at < 60; at++) await world.tick(minute(at))
  expect(taken(world)).toEqual(['daily-20261122T1305Z'])
})

test('a policy that begins while its server is down has its first snapshot soon after it is back, and one only', async () => {
  const world = begin()
  world.incus.main.kill()
  const document = daily('0 3 * * *')
  await world.apply({ policies: { daily: { ...document.policies.daily, catchup: '10m' } } })
  for (let at = 9; at < 60; at++) await world.tickTogether(minute(at), [0, 1])
  world.incus.main.start()
  for (let at = 60; at < 120; at++) await world.tickTogether(minute(at), [0, 1])
  expect(taken(world)).toHaveLength(1)
  expect(taken(world)[0]).toMatch(/^daily-20261122T14(00|05|10|15)Z$/)
})

test('what was due under a schedule that is edited in an outage is caught up with', async () => {
  const world = begin()
  await world.apply(daily('0 14 * * *'))
  for (const at of [9, 10, 11]) await world.tick(minute(at))
  await world.clock.advance(minute(70))
  await world.apply(daily('30 4 * * *'))
  for (let at = 71; at < 90; at++) await world.tick(minute(at))
  expect(taken(world)).toEqual(['daily-20261122T1305Z', 'daily-20261122T1410Z'])
})

test('ticks at two places that overlap, without any ledger, take one late snapshot', async () => {
  const world = begin()
  await world.apply(daily('0 3 * * *'))
  // Nothing is slower: each creation takes longer than a tick.
  world.incus.main.faults = ({ method, path }) =>
    method === 'POST' && path.includes('/snapshots') ? { delayMs: 50_000 } : null
  for (let at = 9; at < 60; at++) {
    world.kv.wipe(['ledger'])
    await world.tickTogether(minute(at), [0, 1, 0])
  }
  expect(taken(world)).toEqual(['daily-20261122T1305Z'])
})

test('a server that was away over a slot is caught up with by one snapshot, which tells its moment', async () => {
  const world = begin()
  await world.apply(daily('0 14 * * *'))
  for (const at of [9, 10, 11]) await world.tick(minute(at))
  await world.clock.advance(minute(59))
  world.incus.main.kill()
  for (let at = 60; at < 81; at++) await world.tickTogether(minute(at), [0, 1])
  world.incus.main.start()
  for (let at = 81; at < 120; at++) await world.tickTogether(minute(at), [0, 1])
  const [first, late = '', ...more] = taken(world)
  expect([first, more]).toEqual(['daily-20261122T1305Z', []])
  expect(late).toMatch(/^daily-20261122T14(20|25)Z$/)
  const { slots } = JSON.parse(world.kv.peek('ledger') ?? '{}').policies.daily
  expect(slots[0]).toMatchObject({
    slot: '2026-11-22T14:00:00.000Z',
    outcome: 'served',
    reason: `taken late, under the name ${late}`,
  })
})

test.each(['daily-20260601T0000Z', 'daily-20000101T0000Z', 'daily-20990101T0000Z'])(
  '%s and no ledger: every minute of a policy of each minute is taken',
  async (name) => {
    const world = begin()
    await world.incus.main.handle({ method: 'POST', path: '/1.0/instances/web1/snapshots', body: { name } })
    await world.clock.advance(START.getTime() + 10)
    await world.apply(daily('* * * * *'))
    for (let at = 9; at < 15; at++) await world.tick(minute(at))
    expect(taken(world)).toEqual([
      name,
      ...[9, 10, 11, 12, 13, 14].map((at) => `daily-20261122T13${String(at).padStart(2, '0')}Z`),
    ])
    const { slots } = JSON.parse(world.kv.peek('ledger') ?? '{}').policies.daily
    expect(slots.map(({ outcome }: { outcome: string }) => outcome)).toEqual(Array(6).fill('served'))
  },
)
