/** Restoring the disk alone, in the whole product: its settings stay, whatever crashes, and nothing is taken for it where the server can't. */
import { describe, expect, test } from 'vitest'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { requestRestore } from '../../shared/work/restore/request.ts'
import type { Version } from '../emulator/faces.ts'
import { instanceOf, readMarker, seedInstance, write } from '../emulator/scene.ts'
import { restoresOf } from '../long-work.ts'
import { ask } from './asking.ts'
import { pass } from './passing.ts'
import { restoreStep } from './restore-step.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { countIn, RELAY_KILLED, SERVER_KILLED, type Strike, strikeAt } from './strikes.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
const SNAPSHOT = 'hourly-20261120T0100Z'
const [OLD, NEW] = ['as it was', 'as it is']
const HOLD = `user.stapes.hold.${SNAPSHOT}`

/** Since the snapshot its disk and its settings have changed. */
async function begin(version: Version = '7.0.2'): Promise<World> {
  const world = createWorld({ start: START, versions: { main: version, backup: version } })
  const { main } = world.incus
  write(seedInstance(main, { name: 'web', running: true }), OLD, 1000)
  await world.apply({ policies: { hourly: { remotes: ['main'], schedule: '@hourly', keep: { last: 9 } } } })
  await pass(world, HOUR + 5 * MINUTE)
  write(web(world), NEW, 1000)
  Object.assign(web(world).config, { 'limits.memory': '2GiB', [HOLD]: 'for the auditor' })
  main.snapshotMs = 5_000
  main.restoreMs = 10_000
  return world
}

const web = (world: World) => instanceOf(world.incus.main, { name: 'web' })
const wish = { do: 'restore', instance: 'main/default/web', snapshot: SNAPSHOT, diskOnly: true } as const
const noted = (world: World) =>
  restoresOf(JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>)['main/default/web']
const safeties = (world: World): (string | null)[] =>
  [...web(world).snapshots.values()]
    .filter(({ name, disk }) => name.startsWith('before-restore-') && disk.held === 'whole')
    .map(({ disk }) => disk.marker)

function expectRestored(world: World, why = ''): void {
  const { status, config } = web(world)
  expect([readMarker(world.incus.main, { name: 'web' }), status], why).toEqual([OLD, 'Running'])
  expect(config, why).toMatchObject({ 'limits.memory': '2GiB', [HOLD]: 'for the auditor' })
  expect(config['user.stapes.restoring'] ?? '', why).toBe('')
  expect(config['user.stapes.restored'], why).toMatch(/^before-restore-/)
  expect(safeties(world), why).toContain(NEW)
  // A lost ledger needs to know nothing of it.
  expect(noted(world) ?? { state: 'done', diskOnly: true }, why).toMatchObject({
    state: 'done',
    diskOnly: true,
  })
}

test('its settings stay, and the marks with them; the state before is kept', async () => {
  const world = await begin()
  const ran = await ask(world, wish)
  expect(JSON.stringify(ran)).toContain(`the disk becomes that of ${SNAPSHOT}, its settings stay`)
  await pass(world, 3 * MINUTE)
  expectRestored(world)
})

describe('a server that does not know it', () => {
  test('is asked for nothing: the request is refused, with what to do', async () => {
    const world = await begin('6.0.4')
    const ran = await ask(world, wish)
    expect(ran.refusal).toMatchObject({
      code: 'disk-only',
      reason: expect.stringContaining('which Incus knows from 6.0.6 and 6.22 on'),
    })
    expect(readMarker(world.incus.main, { name: 'web' })).toBe(NEW)
  })

  test('gets it from nobody, for it would restore the settings as well', async () => {
    const world = await begin('6.0.4')
    const relay = world.places[0]?.relay ?? expect.fail()
    const ref = { remote: 'main', project: 'default', instance: 'web' }
    const step = restoreStep({
      ref,
      snapshot: SNAPSHOT,
      diskOnly: true,
      holds: { [HOLD]: 'for the auditor' },
    })
    const { answers } = await world.clock.settle(relay.batch([{ id: 'x', steps: [step] }]))
    expect(JSON.stringify([...answers.values()])).toContain('doesn’t know how to restore the disk alone')
    expect(safeties(world)).toEqual([])
  })
})

test('it is not for machines whose memory is wanted, too', () => {
  const { do: _, ...given } = wish
  const both = requestRestore.read({ ...given, stateful: true }, 'requested by ann')
  expect(both).toMatchObject({ ok: false, error: expect.stringContaining('either with its memory or') })
})

test('where somebody removed its mark meanwhile, it is told that nothing is known, and nothing else is done', async () => {
  const world = await begin()
  await ask(world, wish)
  await world.clock.advance(world.clock.now() + 7_000)
  world.incus.main.kill()
  world.incus.main.start()
  delete web(world).config['user.stapes.restoring']
  await pass(world, 5 * MINUTE)
  expect(noted(world)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('somebody removed its mark'),
  })
  expect(web(world).config['user.stapes.restored']).toBeUndefined()
})

test('what it has written since the end of a restore that nobody saw is kept before it is restored once more', async () => {
  const world = await begin()
  await ask(world, wish)
  // Incus ends it while the relay is gone.
  await world.clock.advance(world.clock.now() + 8_000)
  world.relay.kill()
  await world.clock.advance(world.clock.now() + 15_000)
  expect([readMarker(world.incus.main, { name: 'web' }), web(world).status]).toEqual([OLD, 'Running'])
  write(web(world), 'since then', 1000)
  await pass(world, 5 * MINUTE)
  expectRestored(world)
  expect(safeties(world)).toEqual([NEW, 'since then'])
  expect(web(world).config['user.stapes.restored']?.split(' ')).toHaveLength(2)
})

const STRIKES: Strike[] = [
  RELAY_KILLED,
  SERVER_KILLED,
  [
    'the relay is killed, and the ledger is lost',
    ({ relay, kv }) => {
      relay.kill()
      kv.forget(['ledger'])
    },
  ],
]

const isOfIt = (_: string, { path }: { path: string }): boolean => /\/web(\/|\?|$)|operations\//.test(path)

test.each(STRIKES)('at each request, %s: it is finished, or was never begun', async (_, strike) => {
  const counted = await begin()
  const count = countIn(counted, isOfIt)
  await ask(counted, wish)
  await counted.clock.advance(counted.clock.now() + MINUTE / 2)
  const requests = count()
  expect(requests).toBeGreaterThan(8)
  for (let struck = 1; struck <= requests; struck++) {
    const world = await begin()
    strikeAt(world, [struck, strike], isOfIt)
    await ask(world, wish)
    await pass(world, 20 * MINUTE)
    const isDone = readMarker(world.incus.main, { name: 'web' }) === OLD
    if (isDone) expectRestored(world, `request ${struck}`)
    else {
      expect(readMarker(world.incus.main, { name: 'web' }), `request ${struck}`).toBe(NEW)
      expect(web(world)).toMatchObject({ status: 'Running', config: { 'limits.memory': '2GiB' } })
    }
  }
})
