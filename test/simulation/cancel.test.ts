/** Long work that somebody cancels: nothing good is lost, nothing half made stays, and nothing begins again at once. */
import { describe, expect, test } from 'vitest'
import { type Io, run } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { TransferMode } from '../../shared/incus/transfer-mode.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { hasData, instanceOf, readMarker, write } from '../emulator/scene.ts'
import { clonesOf, copiesOf, exportsOf } from '../long-work.ts'
import { DAY, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import { settledRelay } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 4 * DAY)
const REPLICA = 'main/default/web>backup/default/web'
const OLD = 'web as it was'

const later = ({ world }: Simulation, ms: number): Date => new Date(world.clock.now() + ms)
const minutes = (simulation: Simulation, many: number): Promise<void> =>
  simulation.pass(later(simulation, many * MINUTE), 'ticked')
const ask = ({ world }: Simulation, request: BackupRequest): Promise<Run> =>
  world.clock.settle(run({ kind: 'run', at: new Date(world.clock.now()), request }, world.places[0] as Io))
const cancel = (simulation: Simulation, instance = 'web'): Promise<Run> =>
  ask(simulation, { do: 'cancel', instance, reason: 'asked for' })
const ledgerOf = ({ world }: Simulation) => JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>
const wait = ({ world }: Simulation, ms: number): Promise<void> =>
  world.clock.advance(new Date(world.clock.now() + ms))
const verifiedOn = ({ world }: Simulation): string[] =>
  (instanceOf(world.incus.backup, { name: 'web' }).config['user.stapes.verified'] ?? '')
    .split(' ')
    .map((one) => one.split('@')[0] ?? '')
const namesOn = ({ world }: Simulation): string[] => [
  ...(world.incus.main.state.projects.get('default')?.instances.keys() ?? []),
]

/** The first copies are verified; since then it has changed. */
async function begin(transferMode: TransferMode = 'pull'): Promise<Simulation> {
  const simulation = await simulate(usual(start, until, transferMode))
  const { world, pass } = simulation
  write(instanceOf(world.incus.main, { name: 'web' }), OLD, 600e6)
  await pass(new Date('2026-11-20T06:15:00Z'))
  for (const incus of [world.incus.main, world.incus.backup]) {
    incus.copyMs = 200_000
    incus.restoreMs = 60_000
  }
  return simulation
}

/** The second day's copy runs. */
async function copying(transferMode: TransferMode = 'pull'): Promise<Simulation> {
  const simulation = await begin(transferMode)
  await simulation.pass(new Date('2026-11-21T02:59:00Z'))
  for (let round = 0; round < 30; round += 1) {
    await minutes(simulation, 1)
    if (copiesOf(ledgerOf(simulation))[REPLICA]?.state === 'running') return simulation
  }
  throw new Error('no copy began')
}

describe('a copy that is cancelled', () => {
  test.each([1, 20_000, 90_000])(
    '%s ms after it was seen running goes no further, and the next slot makes it',
    async (ms) => {
      const simulation = await copying()
      const before = verifiedOn(simulation)
      await wait(simulation, ms)
      const ran = await cancel(simulation)
      expect(ran).toMatchObject({
        refusal: null,
        results: [{ state: 'done', line: { sign: '×', about: 'main/default/web', what: `copy ${REPLICA}` } }],
      })
      await minutes(simulation, 6)
      const entry = copiesOf(ledgerOf(simulation))[REPLICA]
      expect(entry).toMatchObject({ state: 'failed', reason: 'it was cancelled' })
      expect(entry?.retryAt).toBeUndefined()
      await simulation.pass(new Date('2026-11-22T02:50:00Z'))
      expect(copiesOf(ledgerOf(simulation))[REPLICA]).toEqual(entry)
      expect(verifiedOn(simulation)).toEqual(before)
      for (const name of before.filter((one) => one.startsWith('daily-')))
        expect(hasData(simulation.world.incus.backup, { name: 'web' }, name)).toBe(true)
      await simulation.pass(new Date('2026-11-22T03:40:00Z'))
      expect(copiesOf(ledgerOf(simulation))[REPLICA]).toMatchObject({ state: 'verified', attempts: 0 })
      expect(copiesOf(ledgerOf(simulation))[REPLICA]?.cancelled).toBeUndefined()
      expect(verifiedOn(simulation)).toContain('daily-20261122T0300Z')
    },
  )

  test('begins again when somebody asks for it', async () => {
    const simulation = await copying()
    await cancel(simulation)
    await minutes(simulation, 6)
    expect(await ask(simulation, { do: 'copy', instances: ['web'], reason: 'asked for' })).toMatchObject({
      results: [{ state: 'started' }],
    })
    await minutes(simulation, 6)
    expect(verifiedOn(simulation)).toContain('daily-20261121T0300Z')
  })

  test('although the relay dies then, isn’t made at once', async () => {
    const simulation = await copying()
    // KV takes one write a second.
    await wait(simulation, 5_000)
    await cancel(simulation)
    simulation.world.relay.kill()
    await minutes(simulation, 10)
    expect(copiesOf(ledgerOf(simulation))[REPLICA]).toMatchObject({ state: 'failed' })
    expect(verifiedOn(simulation)).not.toContain('daily-20261121T0300Z')
    await simulation.pass(new Date('2026-11-22T03:40:00Z'))
    expect(verifiedOn(simulation)).toContain('daily-20261122T0300Z')
  })

  test('and that Incus doesn’t stop counts where it arrives whole', async () => {
    const simulation = await copying('push')
    await wait(simulation, 20_000)
    await cancel(simulation)
    await minutes(simulation, 6)
    const { state } = copiesOf(ledgerOf(simulation))[REPLICA] ?? {}
    expect(verifiedOn(simulation).includes('daily-20261121T0300Z')).toBe(state === 'verified')
    await simulation.pass(new Date('2026-11-22T03:40:00Z'))
    expect(verifiedOn(simulation)).toContain('daily-20261122T0300Z')
  })
})

const clone: BackupRequest = {
  ...{ do: 'clone', instance: 'main/default/web', snapshot: 'daily-20261120T0300Z', as: 'old-web' },
  ...{ from: 'backup', reason: 'asked for' },
}

describe('a new instance that is cancelled', () => {
  test.each([1, 5_000, 30_000])('%s ms after it was asked for is gone, and not made again', async (ms) => {
    const simulation = await begin()
    const before = namesOn(simulation)
    await ask(simulation, clone)
    await wait(simulation, ms)
    expect(await cancel(simulation, 'old-web')).toMatchObject({ results: [{ state: 'done' }] })
    await minutes(simulation, 5)
    expect(namesOn(simulation)).toEqual(before)
    expect(clonesOf(ledgerOf(simulation))['main/default/old-web']).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('it was cancelled'),
    })
    await simulation.pass(later(simulation, 3 * HOUR))
    expect(namesOn(simulation)).toEqual(before)
  })
})

test('an export that is cancelled leaves nothing, and is not made again', async () => {
  const simulation = await begin()
  const before = namesOn(simulation)
  await ask(simulation, {
    do: 'export',
    instance: 'main/default/web',
    to: 'nas',
    reason: 'asked for',
  } as BackupRequest)
  await wait(simulation, 5_000)
  expect(await cancel(simulation)).toMatchObject({ results: [{ state: 'done' }] })
  await minutes(simulation, 10)
  expect(namesOn(simulation)).toEqual(before)
  expect([...simulation.world.stores.made.keys()]).toEqual([])
  expect(exportsOf(ledgerOf(simulation))['main/default/web>nas']).toMatchObject({ state: 'failed' })
})

test('a restore in place is never cancelled, whoever asks', async () => {
  const simulation = await begin()
  const { world } = simulation
  const restore = { do: 'restore', instance: 'web', snapshot: 'daily-20261120T0300Z', reason: 'asked for' }
  await ask(simulation, restore as BackupRequest)
  await wait(simulation, 20_000)
  expect(await cancel(simulation)).toMatchObject({
    results: [],
    refusal: { code: 'forbidden', reason: expect.stringContaining('partly old and partly new') },
  })
  const relay = settledRelay(world)
  const seen = await relay.inventory({ remotes: ['main'] })
  const id = seen.ok ? (seen.value.jobs.find((job) => job.id.startsWith('restore '))?.id ?? '') : ''
  const ref = { remote: 'main', project: 'default', instance: 'web' }
  const { answers } = await relay.batch([{ id: 'x', steps: [{ do: 'cancel', ref, job: id }] }])
  expect(answers.get('x')).toMatchObject([{ ok: false, error: { code: 'not-allowed' } }])
  await minutes(simulation, 4)
  expect(readMarker(world.incus.main, { name: 'web' })).not.toBeNull()
})

test('where nothing runs, that is said', async () => {
  const simulation = await begin()
  expect(await cancel(simulation)).toMatchObject({ results: [], refusal: { code: 'not-found' } })
})
