/** Copies between servers that can't reach each other: the relay stands between them. */
import { expect, test } from 'vitest'
import { type Io, run } from '../../functions/run.ts'
import type { TransferMode } from '../../shared/incus/transfer-mode.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import type { JobReport } from '../../shared/relay/protocol.ts'
import { hasData, instanceOf, write } from '../emulator/scene.ts'
import { clonesOf, copiesOf } from '../long-work.ts'
import { DAY, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import { settledRelay } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 3 * DAY)
const REPLICA = 'main/default/web>backup/default/web'

async function begin(transferMode: TransferMode): Promise<Simulation> {
  const simulation = await simulate(usual(start, until, transferMode))
  const { main } = simulation.world.incus
  main.options.network.isApart = true
  write(instanceOf(main, { name: 'web' }), 'web as it was', 600e6)
  return simulation
}

const ledgerOf = ({ world }: Simulation) => JSON.parse(world.kv.peek('ledger') ?? '{}') as Partial<Ledger>
const entryOf = (simulation: Simulation) => copiesOf(ledgerOf(simulation))[REPLICA]
const wait = ({ world }: Simulation, ms: number) => world.clock.advance(new Date(world.clock.now() + ms))
const verifiedOn = ({ world }: Simulation): string =>
  instanceOf(world.incus.backup, { name: 'web' }).config['user.stapes.verified'] ?? ''
const minutes = (simulation: Simulation, many: number) =>
  simulation.pass(new Date(simulation.world.clock.now() + many * MINUTE), 'ticked')

/** The second day's copy is sent, at 10 MB/s, and takes some minutes besides. */
async function copying(): Promise<Simulation> {
  const simulation = await begin('relay')
  const { main } = simulation.world.incus
  await simulation.pass(new Date('2026-11-21T02:59:00Z'))
  write(instanceOf(main, { name: 'web' }), 'web on the next day', 600e6)
  main.bandwidth = 10e6
  main.copyMs = 200_000
  for (let round = 0; round < 30; round += 1) {
    await minutes(simulation, 1)
    if (entryOf(simulation)?.state === 'running') return simulation
  }
  throw new Error('no copy began')
}

async function reportOf({ world }: Simulation): Promise<JobReport | undefined> {
  const seen = await settledRelay(world).inventory({ remotes: ['main'] })
  return seen.ok ? seen.value.jobs.find(({ id }) => id.startsWith(REPLICA)) : undefined
}

test('what neither pull nor push can do: first copies and refreshes are made and verified', async () => {
  for (const mode of ['pull', 'push'] as const) {
    const apart = await begin(mode)
    await apart.pass(new Date('2026-11-20T03:40:00Z'))
    expect([mode, entryOf(apart)?.state]).not.toEqual([mode, 'verified'])
  }
  const simulation = await begin('relay')
  await simulation.pass(new Date('2026-11-21T03:40:00Z'))
  expect(entryOf(simulation)).toMatchObject({ state: 'verified', attempts: 0 })
  for (const name of ['daily-20261120T0300Z', 'daily-20261121T0300Z']) {
    expect(verifiedOn(simulation)).toContain(name)
    expect(hasData(simulation.world.incus.backup, { name: 'web' }, name)).toBe(true)
  }
})

test('the secrets of a migration go nowhere but to the server that made them', async () => {
  const simulation = await begin('relay')
  const { incus, kv, weather } = simulation.world
  const secrets: string[] = []
  for (const { migrations } of [incus.main, incus.backup]) {
    const set = migrations.set.bind(migrations)
    migrations.set = (id, migration) => {
      secrets.push(migration.secrets.control, migration.secrets.fs)
      return set(id, migration)
    }
  }
  const seen: unknown[] = []
  weather.now = (_, request) => {
    seen.push(request)
    return null
  }
  await simulation.pass(new Date('2026-11-20T03:40:00Z'))
  expect(entryOf(simulation)?.state).toBe('verified')
  expect(secrets).toHaveLength(24)
  const all = JSON.stringify([seen, kv.peek('ledger'), await reportOf(simulation)])
  for (const secret of secrets) expect(all).not.toContain(secret)
})

test('how much went through the relay is told while it does', async () => {
  const simulation = await copying()
  await wait(simulation, 150_000)
  const { progress } = (await reportOf(simulation)) ?? {}
  expect(progress).toMatch(/^\d+\.\d\dMB \(\d+\.\d\dMB\/s\)$/)
})

test.each([1, 20_000])(
  'a relay that is killed %s ms later ends both sides, and the next try makes it',
  async (ms) => {
    const simulation = await copying()
    const { incus, relay } = simulation.world
    await wait(simulation, ms)
    relay.kill()
    await wait(simulation, 1)
    expect([incus.main.transfers.size, incus.backup.transfers.size]).toEqual([0, 0])
    await minutes(simulation, 15)
    expect(entryOf(simulation)).toMatchObject({ state: 'verified' })
    expect(verifiedOn(simulation)).toContain('daily-20261121T0300Z')
    expect(hasData(incus.backup, { name: 'web' }, 'daily-20261121T0300Z')).toBe(true)
  },
)

test('a cancelled one ends at once on both sides, and what was verified stays', async () => {
  const simulation = await copying()
  const { world } = simulation
  const before = verifiedOn(simulation)
  const ran = await world.clock.settle(
    run(
      {
        ...{ kind: 'run', at: new Date(world.clock.now()) },
        request: { do: 'cancel', instance: 'web', reason: 'asked for' },
      },
      world.places[0] as Io,
    ),
  )
  expect(ran).toMatchObject({ refusal: null, results: [{ state: 'done' }] })
  expect([world.incus.main.transfers.size, world.incus.backup.transfers.size]).toEqual([0, 0])
  await minutes(simulation, 6)
  expect(entryOf(simulation)).toMatchObject({ state: 'failed', reason: 'it was cancelled' })
  expect(verifiedOn(simulation)).toBe(before)
})

test('a new instance comes back through the relay, as the copy went', async () => {
  const simulation = await begin('relay')
  await simulation.pass(new Date('2026-11-20T03:40:00Z'))
  const { world } = simulation
  await world.clock.settle(
    run(
      {
        ...{ kind: 'run', at: new Date(world.clock.now()) },
        request: {
          ...{ do: 'clone', instance: 'main/default/web', snapshot: 'daily-20261120T0300Z', as: 'old-web' },
          ...{ from: 'backup', reason: 'asked for' },
        },
      },
      world.places[0] as Io,
    ),
  )
  await minutes(simulation, 5)
  expect(clonesOf(ledgerOf(simulation))['main/default/old-web']).toMatchObject({ state: 'done' })
  expect(instanceOf(world.incus.main, { name: 'old-web' }).disk.marker).toBe('web as it was')
})
