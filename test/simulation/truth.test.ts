/** What the status says of a copy is what the last look saw, and a message promises nothing that nobody does. */
import { describe, expect, test } from 'vitest'
import { run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { nextMinute } from './passing.ts'
import { createWorld, type World } from './world.ts'

const WEB = { name: 'web' }
const KEY = 'main/default/web>backup/default/web'
const HOUR = 60
const DAY = 24 * HOUR
const copy = { remote: 'backup' }
const DAILY = { schedule: '0 3 * * *', keep: { daily: 5 }, copy }
const HOURLY = { schedule: '@hourly', keep: { last: 6 } }
// All begins on a Friday, and the slot is on Sundays.
const WEEKLY = { schedule: '0 3 * * 0', keep: { weekly: 5 }, copy }

type Scene = { world: World; pass(minutes: number): Promise<string[]> }

async function begin(policies: Record<string, object>): Promise<Scene> {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z') })
  const { incus, clock } = world
  write(seedInstance(incus.main, { ...WEB, running: true }), 'web 0', 60e6)
  await clock.advance(clock.now() + 10)
  await world.apply({ defaults: { remotes: ['main'] }, policies })
  let turn = 0
  return {
    world,
    async pass(minutes) {
      const told = new Set<string>()
      for (let minute = 0; minute < minutes; minute++) {
        if (minute % HOUR === 0) write(instanceOf(incus.main, WEB), `web ${++turn}`, 60e6)
        const ran = await world.tick(nextMinute(world))
        if ('threw' in ran) told.add(ran.threw)
        else if ('problems' in ran) for (const problem of ran.problems) told.add(problem)
      }
      return [...told]
    },
  }
}

const copied = ({ world }: Scene) => copiesOf(ledgerIn(world))[KEY]
/** Without what is noted of its source meanwhile. */
const told = (scene: Scene) => {
  const { state, attempts, newest, verified, at } = copied(scene) ?? {}
  return { state, attempts, newest, verified, at }
}

describe.each([
  ['daily', { daily: DAILY, hourly: HOURLY }, DAY + 4 * HOUR + 57],
  ['weekly', { weekly: WEEKLY, hourly: HOURLY }, 2 * DAY + 4 * HOUR + 57],
])('a %s copy is verified, and nothing new is to be sent', (_, policies, before) => {
  test('three minutes without the backup server are told, and make no failure of it', async () => {
    const scene = await begin(policies)
    await scene.pass(before)
    const known = told(scene)
    expect(known.state).toBe('verified')
    scene.world.incus.backup.kill()
    const problems = await scene.pass(4)
    expect(problems).toEqual([
      expect.stringMatching(/ECONNREFUSED.*verified up to the newest snapshot when seen last/),
    ])
    expect(told(scene)).toEqual(known)
    scene.world.incus.backup.start()
    expect(await scene.pass(HOUR)).toEqual([])
    expect(told(scene)).toEqual(known)
  })

  test('a lost ledger knows it again at the next look, with few writes', async () => {
    const scene = await begin(policies)
    await scene.pass(before)
    const { kv, relay } = scene.world
    const known = copied(scene)
    kv.wipe(['ledger'])
    relay.kill()
    await scene.pass(5)
    const [newest] = [...instanceOf(scene.world.incus.backup, WEB).snapshots.keys()].sort().slice(-1)
    expect(copied(scene)).toMatchObject({
      ...{ state: 'verified', attempts: 0, newest },
      ...{ verified: known?.verified, least: 0 },
    })
    const { at } = copied(scene) ?? {}
    const { writes } = kv.counts
    await scene.pass(3 * HOUR)
    expect(copied(scene)?.at).toBe(at)
    // Three in the hour of each slot, and the heartbeat's.
    expect(kv.counts.writes - writes).toBeLessThan(3 * 20)
  })
})

test('the relay is killed right after the mark was written: the next look says that it is verified', async () => {
  const scene = await begin({ daily: DAILY })
  const { world, pass } = scene
  await pass(DAY + 2 * HOUR)
  let killed = false
  world.weather.now = (remote, { method, body }) => {
    if (!killed && remote === 'backup' && method === 'PATCH' && marksVerified(body)) {
      killed = true
      queueMicrotask(() => world.relay.kill())
    }
    return null
  }
  await pass(90)
  expect(killed).toBe(true)
  expect(copied(scene)).toMatchObject({ state: 'verified', attempts: 0, newest: 'daily-20261121T0300Z' })
  expect(copied(scene)?.retryAt).toBeUndefined()
})

const marksVerified = (body: unknown): boolean =>
  JSON.stringify(body ?? {}).includes('"user.stapes.copying":""')

async function ask(world: World, request: BackupRequest): Promise<Run> {
  const at = new Date(world.clock.now())
  const [io] = world.places
  if (io === undefined) throw new Error('there is no place')
  return world.clock.settle(run({ kind: 'run', at, request }, io))
}

const asked = { instance: 'main/default/web', snapshot: 'q-20261120T0300Z', reason: 'asked for' }
const HOLD = `user.stapes.hold.${asked.snapshot}`

test('a release that a running copy keeps from being done says so, and to ask again', async () => {
  const scene = await begin({ q: { schedule: '0 */3 * * *', keep: {}, expiry: '2d', copy } })
  const { world, pass } = scene
  await pass(7 * HOUR)
  await ask(world, { do: 'hold', note: 'for the auditor', ...asked })
  await pass(115)
  world.incus.main.bandwidth = 60e6 / 5400
  await pass(20)
  expect(copied(scene)?.state).toBe('running')

  const why = expect.stringMatching(/busy running.*nothing was changed: ask again when that has ended/)
  expect(await ask(world, { do: 'release', ...asked })).toMatchObject({
    results: [{ state: 'refused', reason: why }],
    problems: [why],
  })
  expect(instanceOf(world.incus.main, WEB).config[HOLD]).toBe('for the auditor')

  world.incus.main.bandwidth = null
  await pass(2 * HOUR)
  expect(await ask(world, { do: 'release', ...asked })).toMatchObject({ results: [{ state: 'done' }] })
  expect(instanceOf(world.incus.main, WEB).config[HOLD] ?? '').toBe('')
})

test('a release that was done in part says so', async () => {
  const { world, pass } = await begin({ q: { schedule: '0 */3 * * *', keep: {}, expiry: '2d' } })
  await pass(7 * HOUR)
  await ask(world, { do: 'hold', note: 'for the auditor', ...asked })
  world.incus.main.faults = ({ method, path }) =>
    method !== 'GET' && path.includes('/snapshots/')
      ? { before: { status: 500, error: 'Instance is busy running a "migrate" operation' } }
      : null
  const why = expect.stringMatching(/a part of it was done, and nothing does the rest by itself/)
  expect(await ask(world, { do: 'release', ...asked })).toMatchObject({ results: [{ reason: why }] })
})
