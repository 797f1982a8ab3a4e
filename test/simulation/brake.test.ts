/** The brake: what a source that was taken over, a changed policy and a wrong clock would remove stays. */
import { describe, expect, test } from 'vitest'
import { planOnly, run } from '../../functions/run.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { hasData, instanceOf, readMarker, seedInstance, write } from '../emulator/scene.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { nextMinute } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { statusIn, warningsOf } from './status.ts'
import { createWorld, type Ticked, type World } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const WEB = { name: 'web' }
const keyOf = (name: string): string => `main/default/${name}>backup/default/${name}`
const POLICY = { remotes: ['main'], schedule: '*/15 * * * *', keep: { last: 8 }, copy: { remote: 'backup' } }

async function begin(policy: object = {}): Promise<World> {
  const world = createWorld({ start })
  for (const name of ['db', 'web'])
    write(seedInstance(world.incus.main, { name, running: true }), `${name} 0`, 20e6)
  await world.apply({ policies: { q: { ...POLICY, ...policy } } })
  return world
}

/** A tick at each minute; with `each`, something before it. */
async function pass(world: World, ms: number, each?: (minute: number) => unknown): Promise<Ticked[]> {
  const ran: Ticked[] = []
  for (let minute = 0; minute < ms / MINUTE; minute++) {
    await each?.(minute)
    ran.push(await world.tick(nextMinute(world), minute))
  }
  return ran
}

const removeOn = async (world: World, remote: 'main' | 'backup', snapshot: string): Promise<void> => {
  await world.incus[remote].handle({ method: 'DELETE', path: `/1.0/instances/web/snapshots/${snapshot}` })
  await world.clock.advance(world.clock.now() + 2000)
}

/** Plans it, and does that plan. */
async function allow(world: World, request: BackupRequest): Promise<string[]> {
  const [io] = world.places
  if (io === undefined) throw new Error('there is no place')
  const at = new Date(world.clock.now())
  const plan = await world.clock.settle(planOnly({ kind: 'run', at, request }, io))
  await world.clock.settle(run({ kind: 'run', at, request }, io))
  return (plan?.actions ?? []).map(({ kind }) => kind)
}

const names = (world: World, remote: 'main' | 'backup', name = 'web'): string[] =>
  [...instanceOf(world.incus[remote], { name }).snapshots.keys()].sort()

/** Each verified snapshot of the copy with what it holds. */
const backup = (world: World): [string, string | null][] =>
  names(world, 'backup').map((name) => [name, readMarker(world.incus.backup, WEB, name)])

const newest = (world: World, name: string): string => copiesOf(ledgerIn(world))[keyOf(name)]?.newest ?? ''

describe('a source that was taken over', () => {
  test('deletes its old snapshots and takes new ones of other data: for days the backup has all that was verified', async () => {
    const world = await begin()
    await pass(world, 3 * HOUR, (minute) => write(instanceOf(world.incus.main, WEB), `web ${minute}`, 20e6))
    const before = backup(world)
    expect(before.length).toBeGreaterThan(7)
    const last = newest(world, 'web')
    for (const name of names(world, 'main').filter((one) => one < last)) await removeOn(world, 'main', name)
    write(instanceOf(world.incus.main, WEB), 'encrypted', 20e6)
    const other = newest(world, 'db')
    await pass(world, 2 * DAY, async (minute) => {
      if (minute % 240 !== 7) return
      const body = {
        name: `q-${new Date(world.clock.now()).toISOString().slice(0, 16).replace(/[-:]/g, '')}Z`,
      }
      await world.incus.main.handle({ method: 'POST', path: '/1.0/instances/web/snapshots', body })
    })
    expect(backup(world).filter(([name]) => before.some(([one]) => one === name))).toEqual(before)
    expect(before.every(([name]) => hasData(world.incus.backup, WEB, name))).toBe(true)
    const [first = '', ...others] = await warningsOf(world)
    expect(first).toMatch(/^main\/default\/web: \d+ of \d+ verified snapshots of its copy on backup are gone/)
    expect(first).toContain('/backup allow main/default/web')
    // What follows from it, and no second time why.
    expect(others).toEqual([
      expect.stringMatching(/^main\/default\/web has no verified copy on .* q promises/),
    ])
    expect(others[0]).not.toContain('gone from the source')
    expect(newest(world, 'db') > other).toBe(true)
    expect(names(world, 'main', 'db')).toHaveLength(9)

    expect(await allow(world, { do: 'allow', instances: ['web'], reason: 'allowed by ann' })).toContain(
      'copy',
    )
    await pass(world, 40 * MINUTE)
    expect(await warningsOf(world)).toEqual([])
    expect(newest(world, 'web') > last).toBe(true)
  })

  test('and ledger and relay have forgotten at once what expired: the copy waits, and nothing is lost', async () => {
    const world = await begin()
    await pass(world, 3 * HOUR)
    const before = backup(world)
    world.kv.wipe(['ledger'])
    world.relay.forget()
    await removeOn(world, 'main', names(world, 'main')[2] ?? '')
    await pass(world, 6 * HOUR)
    expect(backup(world)).toEqual(expect.arrayContaining(before))
    const told = (await warningsOf(world)).join('\n')
    expect(told).toContain('/backup allow main/default/web')
    expect(told).toContain('/backup allow main/default/db')
    for (const name of ['db', 'web'])
      await allow(world, { do: 'allow', instances: [name], reason: 'allowed by ann' })
    await pass(world, 40 * MINUTE)
    expect(await warningsOf(world)).toEqual([])
  })

  test('deletes all of them: nobody can allow a refresh, and what keeps the copy is told', async () => {
    const world = await begin()
    await pass(world, 3 * HOUR)
    const before = backup(world)
    for (const name of names(world, 'main')) await removeOn(world, 'main', name)
    await pass(world, 6 * HOUR)
    await allow(world, { do: 'allow', instances: ['web'], reason: 'allowed by ann' })
    await pass(world, HOUR)
    expect(backup(world)).toEqual(before)
    expect((await warningsOf(world))[0]).toContain('run "incus rename web web-kept" on backup')
  })
})

test('a policy that suddenly keeps less: nothing expires until somebody allows it, and then only there', async () => {
  const world = await begin({ keep: { last: 40 }, copy: false })
  await pass(world, 11 * HOUR)
  await world.clock.advance(world.clock.now() + 2000)
  const before = names(world, 'main')
  expect(before.length).toBeGreaterThan(39)
  await world.apply({ policies: { q: { ...POLICY, keep: { last: 3 }, copy: false } } })
  await pass(world, 2 * HOUR)
  expect(names(world, 'main')).toEqual(expect.arrayContaining(before))
  expect(await warningsOf(world)).toEqual([
    expect.stringMatching(/nothing of policy q expires on main\/default\/db until somebody confirms it/),
    expect.stringMatching(/nothing of policy q expires on main\/default\/web until somebody confirms it/),
  ])
  const request = { do: 'allow', instances: ['web'], reason: 'allowed by ann' } as const
  // Away from a slot: a tick elsewhere that reads an older ledger forgets it, and asks again.
  await pass(world, 5 * MINUTE)
  await allow(world, request)
  // The relay leaves half of them for a day, whoever allows it.
  const half = names(world, 'main').length
  expect(half).toBeLessThan(before.length / 2 + 10)
  expect(names(world, 'main', 'db').length).toBeGreaterThan(40)
  expect((await warningsOf(world)).join('\n')).toContain('main/default/db')
  // The rest goes on the days after, without being asked for again.
  await pass(world, 2 * DAY + HOUR)
  expect(names(world, 'main').length).toBeLessThan(half / 2)
  expect(names(world, 'main', 'db').length).toBeGreaterThan(40)
})

test('a server whose clock jumps 40 days ahead expires its own: the copy keeps what was verified', async () => {
  const world = await begin({ keep: {}, expiry: '30d' })
  await pass(world, 3 * HOUR)
  const before = backup(world)
  expect(before.length).toBeGreaterThan(7)
  world.incus.main.skewMs = 40 * DAY
  await pass(world, 6 * HOUR)
  world.incus.main.skewMs = 0
  await pass(world, 6 * HOUR)
  expect(backup(world)).toEqual(expect.arrayContaining(before))
})

test('two ticks at each minute: nothing is held back, and retention goes on', async () => {
  const world = await begin()
  for (let minute = 1; minute <= 240; minute++)
    await world.tickTogether(new Date(start.getTime() + minute * MINUTE), [0, 1])
  const { conditions } = await statusIn(world)
  expect(conditions.filter(({ id }) => id.startsWith('brake'))).toEqual([])
  expect(names(world, 'main')).toHaveLength(9)
})

test('a copy that takes hours: what has come meanwhile goes as in a rotation', async () => {
  const world = await begin()
  await pass(world, HOUR)
  world.incus.main.bandwidth = 3000
  await pass(world, 6 * HOUR, (minute) => write(instanceOf(world.incus.main, WEB), `web ${minute}`, 60e6))
  expect(names(world, 'main').length).toBeGreaterThan(20)
  world.incus.main.bandwidth = 100e6
  world.incus.backup.kill()
  await pass(world, 2 * MINUTE)
  world.incus.backup.start()
  await pass(world, 90 * MINUTE)
  expect(await warningsOf(world)).toEqual([])
  // The relay leaves half of what was there for a day.
  await pass(world, DAY)
  expect(await warningsOf(world)).toEqual([])
  expect(names(world, 'main')).toHaveLength(9)
})
