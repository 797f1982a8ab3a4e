/** First copies to another server: pulled, pushed, refused, and seen while under way. */

import { beforeAll, describe, expect, test } from 'vitest'
import {
  exists,
  listSnapshots,
  readInstance,
  readOperation,
  settle,
  snapshotNames,
  startSnapshot,
  succeed,
  takeSnapshot,
} from './calls.ts'
import {
  type Copy,
  type Ended,
  fetchOffered,
  offer,
  pull,
  receive,
  settleBoth,
  startPull,
  startPush,
} from './copy.ts'
import type { World } from './incus.ts'
import { fullInstanceSchema, operationListSchema, volumeSchema } from './model.ts'
import type { ContractInstance } from './server.ts'
import { readMetadata, type Side } from './side.ts'

const DATE = '2040-01-02T03:04:05Z'

/** Rows of the volumes listing: name and date to the nanosecond. */
async function volumeDates(side: Side, it: ContractInstance): Promise<Map<string, string>> {
  const parameters = { pool: side.server.pool, type: 'container' }
  const reply = await side.ask('listVolumes', { parameters, query: { recursion: '1' } })
  const rows = readMetadata(reply, volumeSchema.array())
  const own = rows.filter(({ name }) => name.startsWith(`${it.name}/`))
  return new Map(own.map(({ name, created_at }) => [name.slice(it.name.length + 1), created_at]))
}

export function copyContract(world: World): void {
  const copyOf = (source: ContractInstance, more: Partial<Copy> = {}): Copy => ({
    ...{ from: world.main, to: world.backup, source },
    ...more,
  })

  describe('a copy', () => {
    let source: ContractInstance
    beforeAll(async () => {
      source = await world.createInstance('source', { config: { 'user.theirs': 'source' } })
      for (const [name, more] of Object.entries({ s1: { expires_at: DATE }, s2: {} })) {
        await world.main.server.write(source, name, 1000)
        await takeSnapshot(world.main, source, name, more)
      }
      await world.main.server.write(source, 'now', 1000)
    })

    test('pulled, has two operations that both tell of the instance', async () => {
      const copy = copyOf(source, { config: { 'user.ours': 'body' } })
      const offered = readOperation(await offer(copy))
      expect(offered).toMatchObject({
        ...{ class: 'websocket', description: 'Migrating instance', may_cancel: true },
        resources: { instances: [`/1.0/instances/${source.name}`] },
        metadata: {
          control: expect.stringMatching(/^[0-9a-f]{64}$/),
          fs: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      })
      const target = readOperation(await fetchOffered(copy, offered))
      expect(target).toMatchObject({
        ...{ class: 'task', description: 'Creating instance', may_cancel: false },
        resources: { instances: [`/1.0/instances/${source.name}`] },
      })
      const ended = await settleBoth(copy, { source: offered, target })
      expect([ended.source.status, ended.target.status]).toEqual(['Success', 'Success'])
    })

    test('brings the data of every snapshot and of the instance', async () => {
      const { server } = world.backup
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2'])
      expect(await server.readMarker(source, 's1')).toBe('s1')
      expect(await server.readMarker(source, 's2')).toBe('s2')
      expect(await server.readMarker(source)).toBe('now')
    })

    test("brings the snapshots' expiry", async () => {
      const expiry = (await listSnapshots(world.backup, source)).map(({ name, expires_at }) => [
        name,
        expires_at,
      ])
      expect(Object.fromEntries(expiry)).toEqual({ s1: DATE, s2: '0001-01-01T00:00:00Z' })
    })

    test('has the config of the body, not that of the source', async () => {
      const { config, status, devices } = await readInstance(world.backup, source)
      expect(config).toMatchObject({ 'user.ours': 'body' })
      expect(config).not.toHaveProperty(['user.theirs'])
      expect(status).toBe('Stopped')
      expect(devices).toEqual({ root: { type: 'disk', path: '/', pool: world.backup.server.pool } })
    })

    test('cuts the dates of snapshots to the second, and keeps them whole among the volumes', async () => {
      const dates = async (side: Side) =>
        (await listSnapshots(side, source)).map(({ created_at }) => created_at)
      const whole = await dates(world.main)
      expect(await dates(world.backup)).toEqual(whole.map((date) => date.replace(/\.\d+Z$/, 'Z')))
      expect(await volumeDates(world.backup, source)).toEqual(await volumeDates(world.main, source))
    })

    test('onto a name that is taken is refused at once, without refresh', async () => {
      const offered = readOperation(await offer(copyOf(source)))
      const reply = await fetchOffered(copyOf(source), offered)
      expect(reply.status).toBe(500)
      expect(reply.envelope.error).toMatch(
        /^Failed creating instance record: Add instance info to the database: .*UNIQUE constraint failed: /,
      )
      expect(
        (await world.main.ask('cancelOperation', { parameters: { operation: offered.id } })).status,
      ).toBe(200)
    })

    test('pushed, brings the same, and cannot be cancelled', async () => {
      const copy = copyOf(source, { target: { name: world.fresh('pushed') } })
      const started = await startPush(copy)
      expect(started.target).toMatchObject({ class: 'websocket', description: 'Creating instance' })
      expect(started.source).toMatchObject({
        class: 'task',
        description: 'Migrating instance',
        may_cancel: false,
      })
      const ended = await settleBoth(copy, started)
      expect([ended.source.status, ended.target.status]).toEqual(['Success', 'Success'])
      expect(await snapshotNames(world.backup, copy.target ?? source)).toEqual(['s1', 's2'])
      expect(await world.backup.server.readMarker(copy.target ?? source, 's2')).toBe('s2')
    })

    test('goes into another project, both ends by a client fenced into it', async () => {
      const mine = await world.createInstance('fenced', { project: 'fenced' })
      await takeSnapshot(world.main, mine, 's1')
      await pull(copyOf(mine, { target: mine, client: 'restricted' }))
      expect(await snapshotNames(world.backup, mine)).toEqual(['s1'])
    })

    test('of a running instance succeeds without its state', async () => {
      const it = { name: world.fresh('live') }
      await world.main.server.createInstance({ ...it, running: true })
      await takeSnapshot(world.main, it, 's1')
      await pull(copyOf(it))
      expect((await readInstance(world.backup, it)).status).toBe('Stopped')
      expect((await readInstance(world.main, it)).status).toBe('Running')
      await world.main.server.setRunning(it, false)
    })

    test.for<[string, object, object, number, RegExp]>([
      [
        'without a secret',
        { secrets: { control: 'x' } },
        {},
        500,
        /^Expected "fs" connection secret missing/,
      ],
      ['in an unknown mode', { mode: 'relay' }, {}, 501, /^Mode "relay" not implemented$/],
      ['with an unknown profile', {}, { profiles: ['nope'] }, 500, /Requested profile "nope" doesn't exist$/],
      [
        'under an impossible name',
        {},
        { name: 'a_b' },
        400,
        /^Invalid instance name: Name can only contain alphanumeric and hyphen characters$/,
      ],
    ])('is refused %s', async ([, how, more, status, error]) => {
      const target = { name: world.fresh('refused') }
      const pulled = {
        mode: 'pull',
        operation: 'https://127.0.0.1:9/1.0/operations/x',
        secrets: { control: 'x', fs: 'y' },
      }
      const reply = await receive(copyOf(source, { target }), { ...pulled, ...how }, more)
      expect(reply.status).toBe(status)
      expect(reply.envelope.error).toMatch(error)
      expect(await exists(world.backup, target)).toBe(false)
    })

    test('into an unknown project is refused', async () => {
      const reply = await receive(copyOf(source, { target: { name: 'x', project: 'nowhere' } }), {
        mode: 'push',
      })
      expect(reply.status).toBe(404)
      expect(reply.envelope.error).toBe('Failed loading project: Project not found')
    })

    test.for<[string, object, RegExp]>([
      [
        'from nobody',
        { operation: 'https://127.0.0.1:9/1.0/operations/x' },
        /Unable to connect to: 127\.0\.0\.1:9 /,
      ],
      [
        'from a server of another certificate',
        { certificate: '' },
        /x509: certificate signed by unknown authority$/,
      ],
    ])('%s fails in its operation, and leaves nothing', async ([, how, error]) => {
      const copy = copyOf(source, { target: { name: world.fresh('failed') } })
      const offered = readOperation(await offer(copy))
      const ended = await settle(world.backup, await fetchOffered(copy, offered, how))
      expect(ended.status).toBe('Failure')
      expect(ended.err).toMatch(error)
      expect(await exists(world.backup, copy.target ?? source)).toBe(false)
      await world.main.ask('cancelOperation', { parameters: { operation: offered.id } })
    })
  })

  describe('while a first copy is under way', () => {
    let source: ContractInstance
    let copy: Copy
    let started: Ended
    let ended: Promise<Ended>
    beforeAll(async () => {
      source = await world.createInstance('moving')
      for (const name of ['s1', 's2', 's3']) {
        await world.main.server.write(source, name, 1_200_000)
        await takeSnapshot(world.main, source, name)
      }
      await world.main.server.throttle(400_000)
      copy = copyOf(source)
      started = await startPull(copy)
      // Waited for from the start: an operation is forgotten 5 s after its end.
      ended = settleBoth(copy, started)
      await world.elapse(1.5)
      await world.main.server.throttle(null)
    })

    test.for(['main', 'backup'] as const)('the operations of %s tell', async (name) => {
      const query = { recursion: '1', 'all-projects': 'true' }
      const reply = await world[name].ask('listOperations', { query })
      const { running = [] } = readMetadata(reply, operationListSchema)
      const [id, description] =
        name === 'main' ? [started.source.id, 'Migrating instance'] : [started.target.id, 'Creating instance']
      const own = running.find((operation) => operation.id === id)
      expect(own).toMatchObject({
        ...{ description, status_code: 103, may_cancel: name === 'main' },
        resources: { instances: [`/1.0/instances/${source.name}`] },
        metadata: { fs_progress: expect.stringMatching(new RegExp(`^${source.name}/s1: .+`)) },
      })
    })

    test('the half-done target looks complete', async () => {
      expect((await readInstance(world.backup, source)).status).toBe('Stopped')
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2', 's3'])
      const full = await world.backup.ask('listInstances', { query: { recursion: '2' } })
      const found = readMetadata(full, fullInstanceSchema.array()).find(({ name }) => name === source.name)
      expect(found?.snapshots?.map(({ name }) => name).sort()).toEqual(['s1', 's2', 's3'])
      expect([...(await volumeDates(world.backup, source)).keys()].sort()).toEqual(['s1', 's2', 's3'])
      expect(await world.backup.server.readMarker(source, 's3')).toBeNull()
    })

    test('the target is neither deleted nor snapshotted', async () => {
      const removal = await world.backup.ask('deleteInstance', { parameters: { instance: source.name } })
      expect((await settle(world.backup, removal)).err).toBe(
        'Failed to create instance delete operation: Instance is busy running a "create" operation',
      )
      const snapshot = await settle(world.backup, await startSnapshot(world.backup, source, 'theirs'))
      expect(snapshot.err).toMatch(/backup\.yaml: no such file or directory$/)
    })

    test('the source takes snapshots, but no marks', async () => {
      await succeed(world.main, await startSnapshot(world.main, source, 'meanwhile'))
      const parameters = { instance: source.name }
      const mark = await world.main.ask('markInstance', {
        ...{ parameters, body: { config: { 'user.stapes.x': 'y' } } },
      })
      expect(mark.status).toBe(500)
      expect(mark.envelope.error).toBe(
        'Failed to create instance update operation: Instance is busy running a "migrate" operation',
      )
    })

    test('a second copy of the same source waits for the first, and fails', async () => {
      const target = { name: world.fresh('second') }
      const second = copyOf(source, { target })
      const ended = await settleBoth(second, await startPull(second))
      expect([ended.source.status, ended.target.status]).toEqual(['Failure', 'Failure'])
      expect(ended.source.err).toBe(
        'Failed migration on source: A matching non-reusable operation has now succeeded',
      )
      expect(await exists(world.backup, target)).toBe(false)
    })

    test('it ends well, without the snapshot that came too late', async () => {
      const { source: atSource, target: atTarget } = await ended
      expect([atSource.status, atTarget.status]).toEqual(['Success', 'Success'])
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2', 's3'])
      expect(await world.backup.server.readMarker(source, 's3')).toBe('s3')
    })
  })

  test('a mark set while a first copy is under way lifts its lock: the target can then be deleted', async () => {
    const source = await world.createInstance('unlocked')
    await world.main.server.write(source, 's1', 800_000)
    await takeSnapshot(world.main, source, 's1')
    await world.main.server.throttle(400_000)
    const copy = copyOf(source)
    const started = await startPull(copy)
    await world.elapse(1)
    await world.main.server.throttle(null)
    const parameters = { instance: source.name }
    const body = { config: { 'user.stapes.replica': 'early' } }
    expect((await world.backup.ask('markInstance', { parameters, body })).status).toBe(200)
    const removal = await world.backup.ask('deleteInstance', { parameters })
    expect((await settle(world.backup, removal)).status).toBe('Success')
    const ended = await settleBoth(copy, started)
    expect([ended.source.status, ended.target.status]).toEqual(['Failure', 'Failure'])
    expect(await exists(world.backup, source)).toBe(false)
  })
}
