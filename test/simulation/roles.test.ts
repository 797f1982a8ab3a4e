/** An upgrade from a version without roles, or a configuration of the relay that names no target. */
import { describe, expect, test } from 'vitest'
import { run } from '../../functions/run.ts'
import type { Job } from '../../shared/relay/protocol.ts'
import { hasData, instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { openWorker, SECRETS } from '../fuzz/worker.ts'
import { copiesOf } from '../long-work.ts'
import { ledgerIn } from './invariant.ts'
import { nextMinute } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { warningsOf } from './status.ts'
import { createWorld, settledRelay, type World } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const WEB = { name: 'web' }
const KEY = 'main/default/web>backup/default/web'
const CONFIG = {
  policies: { q: { remotes: ['main'], schedule: '@hourly', keep: { last: 14 }, copy: { remote: 'backup' } } },
}
const WARNING = /^policy q: nothing is copied to backup, .* set "role": "target" for backup in relay.jsonc/

async function begin(given: Omit<Parameters<typeof createWorld>[0], 'start'> = {}): Promise<World> {
  const world = createWorld({ start, ...given })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web 0', 20e6)
  await world.apply(CONFIG)
  return world
}

async function pass(world: World, ms: number): Promise<void> {
  for (let minute = 0; minute < ms / MINUTE; minute++) await world.tick(nextMinute(world), minute)
}

/** The Worker's HTTP API, with a state of its own. */
function apiOf(world: World) {
  const worker = openWorker({ world, relay: settledRelay(world) })
  return async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${SECRETS.api}` }
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
    const response = await worker.send(path, init)
    return (await response?.json()) as Record<string, unknown>
  }
}

const names = (world: World, remote: 'main' | 'backup'): string[] =>
  [...instanceOf(world.incus[remote], WEB).snapshots.keys()].sort()

const entryOf = (world: World) => copiesOf(ledgerIn(world))[KEY]

describe('a relay that was upgraded, and has no role for the backup server', () => {
  test('for three days: what is on the copy stays on the source, and with the role the next tick copies, without a person', async () => {
    const world = await begin()
    // Not amid a slot: what has just expired on the source is still on the copy then.
    await pass(world, 30 * HOUR + 20 * MINUTE)
    expect(await warningsOf(world)).toEqual([])
    const before = names(world, 'backup')
    expect(before.length).toBeGreaterThan(13)
    world.relay.configure({ role: 'source', minRetention: 0 })
    await pass(world, 3 * DAY)
    const common = names(world, 'main').filter((name) => before.includes(name))
    expect(common.length).toBeGreaterThan(13)
    expect(await warningsOf(world)).toEqual([
      expect.stringMatching(WARNING),
      expect.stringMatching(/^main\/default\/web has no verified copy on .* as young as q promises/),
    ])
    expect(entryOf(world)).toMatchObject({ state: 'failed', attempts: 0 })

    world.relay.configure({ role: 'target', minRetention: DAY / 1000 })
    await pass(world, 2 * MINUTE)
    expect(entryOf(world)?.state).toMatch(/started|running|verified/)
    await pass(world, 30 * MINUTE)
    expect(await warningsOf(world)).toEqual([])
    expect(entryOf(world)).toMatchObject({ state: 'verified', newest: names(world, 'main').at(-1) })
    expect(before.filter((name) => !hasData(world.incus.backup, WEB, name))).toEqual([])
    // What piled up meanwhile goes again, and the brake takes it for no attack.
    await pass(world, 2 * DAY)
    expect(await warningsOf(world)).toEqual([])
    await pass(world, 4 * DAY)
    expect(names(world, 'main').length).toBe(24)
    expect(await warningsOf(world)).toEqual([])
  })

  test('removes nothing of a copy for anybody: without its role it is not known how long that stays', async () => {
    const world = await begin()
    await pass(world, 20 * HOUR + 20 * MINUTE)
    world.relay.configure({ role: 'source', minRetention: 0 })
    await pass(world, 2 * MINUTE)
    const [io] = world.places
    const before = names(world, 'backup')
    const ref = { remote: 'backup', project: 'default', instance: 'web' }
    const expiresAt = new Date(world.clock.now() + MINUTE).toISOString()
    const jobs = before.slice(0, 2).map(
      (snapshot, at): Job => ({
        id: `j${at}`,
        steps: [at === 0 ? { do: 'expire', ref, snapshot } : { do: 'set-expiry', ref, snapshot, expiresAt }],
      }),
    )
    const { answers } = await world.clock.settle(io?.relay.batch(jobs) ?? Promise.reject())
    for (const { id } of jobs)
      expect(answers.get(id)).toMatchObject([
        { ok: false, error: { message: expect.stringContaining('"backup" is not a backup target') } },
      ])
    await pass(world, 5 * MINUTE)
    expect(names(world, 'backup')).toEqual(before)
  })

  test('is told before all else: as it is applied, in a dry run, by a run and by the status', async () => {
    const world = createWorld({ start, role: 'source' })
    write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web 0', 20e6)
    const api = apiOf(world)
    const first = { warnings: [expect.stringMatching(WARNING)] }
    expect(await api('POST', '/api/plan', { document: CONFIG })).toMatchObject(first)
    expect(await api('PUT', '/api/config', CONFIG)).toMatchObject(first)
    const plan = await api('POST', '/api/plan', {})
    expect(plan).toMatchObject(first)
    expect(plan.text).toContain('policy q\n  ! nothing is copied to backup')
    expect(await api('POST', '/api/run', {})).toMatchObject({
      problems: expect.arrayContaining([expect.stringMatching(WARNING)]),
    })
    const { health, warnings } = await api('GET', '/api/status')
    expect(health).toBe('bad')
    expect(warnings).toEqual([...first.warnings, expect.stringContaining('has no verified copy on')])
  })
})

test('a removal by hand that a person allows while the relay still keeps the copy: it is remembered until the refresh may begin', async () => {
  const world = await begin({ minRetention: (12 * HOUR) / 1000 })
  await pass(world, 8 * HOUR)
  const [lost = ''] = names(world, 'backup').slice(-3)
  await world.incus.main.handle({ method: 'DELETE', path: `/1.0/instances/web/snapshots/${lost}` })
  // Away from a slot: a tick elsewhere that reads an older ledger forgets it, and asks again.
  await pass(world, 2 * HOUR + 7 * MINUTE)
  const [told = ''] = await warningsOf(world)
  const until = /the refresh waits until (\S+) in any case/.exec(told)?.[1] ?? ''
  expect(Date.parse(until)).toBeGreaterThan(world.clock.now())
  const [io] = world.places
  if (io === undefined) throw new Error('there is no place')
  const request = { do: 'allow', instances: ['web'], reason: 'allowed by ann' } as const
  const ran = await world.clock.settle(run({ kind: 'run', at: new Date(world.clock.now()), request }, io))
  expect(ran).toMatchObject({ results: [{ state: 'done' }], problems: [expect.stringContaining(until)] })
  await pass(world, HOUR)
  expect(await warningsOf(world)).toEqual([
    expect.stringMatching(`no verified copy .* promises, .*the refresh waits until ${until}`),
  ])
  expect(names(world, 'backup')).toContain(lost)
  await pass(world, Date.parse(until) - world.clock.now() + 20 * MINUTE)
  expect(await warningsOf(world)).toEqual([])
  expect(names(world, 'backup')).not.toContain(lost)
  expect(entryOf(world)).toMatchObject({ state: 'verified', newest: names(world, 'main').at(-1) })
})
