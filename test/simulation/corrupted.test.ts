/** KV holds something else than what was written, or a clock was ahead when it was: no tick is the worse for it. */
import { describe, expect, test } from 'vitest'
import { applyConfig } from '../../functions/api/apply.ts'
import { statusOf } from '../../functions/api/status.ts'
import { findConfig } from '../../functions/state/config.ts'
import { readKnown } from '../../functions/state/known.ts'
import { readLedger } from '../../functions/state/ledger.ts'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { createWorld, type Ticked, type World } from './world.ts'

const START = new Date('2026-11-22T03:00:10Z')
const minutes = (count: number): Date => new Date(START.getTime() + count * 60_000)
const document = {
  policies: {
    hourly: { remotes: ['main'], schedule: '@hourly', keep: { hourly: 3 }, copy: { remote: 'backup' } },
  },
}

async function begun(): Promise<World> {
  const world = createWorld({ start: START })
  write(seedInstance(world.incus.main, { name: 'web1', running: true }), 'web1', 1000)
  await world.apply(document)
  for (const minute of [0, 1, 2, 3]) await world.tick(minutes(minute))
  return world
}

const snapshots = (world: World): string[] => [
  ...instanceOf(world.incus.main, { name: 'web1' }).snapshots.keys(),
]

async function statusIn(world: World, now: Date) {
  const state = world.kv.place()
  return statusOf(await findConfig(state), await readKnown(state, now), now)
}

const ledgerOf = (world: World) => JSON.parse(world.kv.peek('ledger') ?? 'null')

/** With other members than it has. */
const withMember = (world: World, members: object): string =>
  JSON.stringify({ ...ledgerOf(world), wakeAt: '2026-11-22T03:05:00.000Z', ...members })

const problemsOf = (ticked: Ticked): string[] => {
  if (!('state' in ticked) || ticked.state !== 'ran') throw new Error(`no run: ${JSON.stringify(ticked)}`)
  return ticked.problems
}

const SHAPES: Record<string, (world: World) => string> = {
  'no JSON': () => '{"wakeAt":',
  nothing: () => '',
  null: () => 'null',
  'a list': () => '[]',
  'a text': () => '"ledger"',
  'an empty object': () => '{}',
  'a list of policies': (world) => withMember(world, { policies: [] }),
  'no policies': (world) => withMember(world, { policies: null }),
  'a policy that is null': (world) => withMember(world, { policies: { hourly: null } }),
  'a policy that is a text': (world) => withMember(world, { policies: { hourly: 'served' } }),
  'a policy of nothing': (world) => withMember(world, { policies: { hourly: {} } }),
  'a date that is none': (world) =>
    withMember(world, { policies: { hourly: { accounted: 'NaN', open: null, slots: [] } } }),
  'a number for a date': (world) =>
    withMember(world, { policies: { hourly: { accounted: 5, open: null, slots: [] } } }),
  'no slots': (world) =>
    withMember(world, { policies: { hourly: { ...ledgerOf(world).policies.hourly, slots: 'none' } } }),
  'an open slot without tries': (world) =>
    withMember(world, {
      policies: {
        hourly: { ...ledgerOf(world).policies.hourly, open: { slot: '2026-11-22T03:00:00.000Z' } },
      },
    }),
  'an open slot that is none': (world) =>
    withMember(world, {
      policies: { hourly: { ...ledgerOf(world).policies.hourly, open: { slot: 'x', attempts: [] } } },
    }),
  'doubts that are no list': (world) =>
    withMember(world, {
      policies: { hourly: { ...ledgerOf(world).policies.hourly, doubtful: { web1: true } } },
    }),
  'a policy called __proto__': (world) =>
    withMember(world, {}).replace('"policies":{', '"policies":{"__proto__":{"accounted":"x"},'),
  'no copies': (world) => withMember(world, { copies: null }),
  'a copy that is null': (world) =>
    withMember(world, { copies: { 'main/default/web1>backup/default/web1': null } }),
  'a copy without a date': (world) =>
    withMember(world, {
      copies: { 'main/default/web1>backup/default/web1': { state: 'running', attempts: 0 } },
    }),
  'a copy under a key that is none': (world) =>
    withMember(world, {
      copies: {
        x: { state: 'running', attempts: 0, at: '2026-11-22T03:00:00.000Z', operation: 'x', remote: 'main' },
      },
    }),
  'restores that are texts': (world) => withMember(world, { restores: { 'main/default/web1': 'running' } }),
  'a restore of nothing': (world) => withMember(world, { restores: { '': {} } }),
  'no runs': (world) => withMember(world, { runs: 0 }),
  'a moment to wake at that is none': (world) => withMember(world, { wakeAt: 5 }),
  'a moment to wake at in the year 9999': (world) => withMember(world, { wakeAt: '9999' }),
}

describe.each(Object.entries(SHAPES))('a ledger: %s', (_, corrupt) => {
  test('is survived, told where something is lost, healed by the next write, and the slots go on', async () => {
    const world = await begun()
    await world.clock.advance(minutes(5))
    world.kv.restore('ledger', corrupt(world))
    const told = (await statusIn(world, minutes(5))).warnings
    const ran = await world.tick(minutes(6))
    expect(ran).toMatchObject({ state: 'ran' })
    const problems = problemsOf(ran).filter((problem) => problem.includes('in KV could not be read'))
    expect(problems).toEqual(told.filter((warning) => warning.includes('in KV could not be read')))
    const { ledger, lost } = await readLedger(world.kv.place(), minutes(6))
    expect(lost).toEqual([])
    expect(ledger?.wakeAt).toMatch(/^2026-11-22T0(3:07|4:00)/)
    expect(ledger?.runs.flatMap((run) => run.problems)).toEqual(problems)
    for (const minute of [60, 61, 62, 63])
      expect(await world.tick(minutes(minute))).not.toHaveProperty('threw')
    expect(snapshots(world)).toEqual(['hourly-20261122T0300Z', 'hourly-20261122T0400Z'])
    expect(ledgerOf(world).work['copy main/default/web1>backup/default/web1']).toMatchObject({
      state: 'verified',
      newest: 'hourly-20261122T0400Z',
    })
  })
})

test('what is whole is told of to nobody', async () => {
  const world = await begun()
  world.kv.restore('ledger', withMember(world, {}))
  await world.clock.advance(minutes(5))
  expect(problemsOf(await world.tick(minutes(6)))).toEqual([])
})

describe.each([
  '{"policies":',
  'null',
  '[]',
  '{}',
  '"x"',
  '{"version":"v","document":{},"config":{"policies":7}}',
])('an applied configuration that is %s', (text) => {
  test('stops the work loudly, and is healed by applying it again', async () => {
    const world = await begun()
    world.kv.restore('config', text)
    await world.clock.advance(minutes(60))
    const unreadable = expect.stringMatching(
      /applied configuration can't be read.*apply your stapes\.jsonc again/,
    )
    expect(await world.tick(minutes(60))).toEqual({ state: 'unconfigured', problems: [unreadable] })
    expect((await statusIn(world, minutes(60))).warnings).toEqual([unreadable])
    expect(snapshots(world)).toEqual(['hourly-20261122T0300Z'])
    await world.clock.advance(minutes(64))
    await world.apply(document)
    expect(await world.tick(minutes(65))).toMatchObject({ state: 'ran', taken: 1, problems: [] })
    expect(snapshots(world).at(-1)).toBe('hourly-20261122T0405Z')
  })
})

describe('a clock that was ahead', () => {
  test.each([
    { ahead: 20, name: 'twenty minutes' },
    { ahead: 10 * 60, name: 'ten hours' },
    { ahead: 366 * 24 * 60, name: 'a year' },
  ])('by $name for three ticks costs no slot after that', async ({ ahead }) => {
    const world = await begun()
    const { places } = world
    // The clock of the Worker alone: Incus has its own.
    const { run } = await import('../../functions/run.ts')
    for (const minute of [10, 11, 12]) {
      await world.clock.advance(minutes(minute))
      const [place] = places
      if (place === undefined) throw new Error('no place')
      await world.clock.settle(run({ kind: 'cron', at: minutes(minute + ahead) }, place))
    }
    for (let minute = 13; minute <= 243; minute++)
      expect(await world.tick(minutes(minute))).not.toHaveProperty('threw')
    const names = snapshots(world).filter((name) => name <= 'hourly-20261122T0700Z')
    expect(names.slice(-3)).toEqual([
      'hourly-20261122T0500Z',
      'hourly-20261122T0600Z',
      'hourly-20261122T0700Z',
    ])
    expect(ledgerOf(world).policies.hourly.slots[0]).toMatchObject({
      slot: '2026-11-22T07:00:00.000Z',
      outcome: 'served',
    })
  })
})

test('an applied configuration of which a part is damaged is mended by applying the same again', async () => {
  const world = await begun()
  const stored = JSON.parse(world.kv.peek('config') ?? '{}')
  world.kv.restore('config', JSON.stringify({ ...stored, pauses: { hourly: 'until tomorrow' } }))
  await world.clock.advance(minutes(60))
  expect(problemsOf(await world.tick(minutes(60)))).toEqual([expect.stringContaining('the pause of hourly')])
  expect((await statusIn(world, minutes(60))).policies.hourly?.paused).toBe(true)
  await world.clock.advance(minutes(61))
  await world.apply(document)
  expect(problemsOf(await world.tick(minutes(62)))).toEqual([])
  expect((await statusIn(world, minutes(62))).policies.hourly?.paused).toBe(false)
})

test('a configuration applied by a clock that was ahead is looked at by the next tick', async () => {
  const world = await begun()
  const [place] = world.places
  if (place === undefined) throw new Error('no place')
  await world.clock.advance(minutes(10))
  const other = { policies: { daily: { remotes: ['main'], schedule: '0 3 * * *' } } }
  expect(await applyConfig(other, place, minutes(10 + 600), false)).toMatchObject({ ok: true })
  expect(await world.tick(minutes(11))).toMatchObject({ state: 'ran' })
  expect((await statusIn(world, minutes(11.5))).warnings).toEqual([])
  expect(Object.keys(ledgerOf(world).policies)).toEqual(['daily'])
})
