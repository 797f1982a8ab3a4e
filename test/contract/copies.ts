/** First copies to another server: pulled, pushed, and refused. */

import { beforeAll, describe, expect, test } from 'vitest'
import {
  exists,
  listSnapshots,
  readInstance,
  readOperation,
  settle,
  snapshotNames,
  takeSnapshot,
  volumeDates,
} from './calls.ts'
import { type Copy, fetchOffered, offer, pull, receive, settleBoth, startPush } from './copy.ts'
import type { World } from './incus.ts'
import { NESTED } from './model.ts'
import type { ContractInstance } from './server.ts'
import type { Side } from './side.ts'

const DATE = '2040-01-02T03:04:05Z'

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
      const isNested = world.has(NESTED)
      const volumes = await volumeDates(world.main, source, isNested)
      expect(volumes.size).toBe(whole.length)
      expect(await volumeDates(world.backup, source, isNested)).toEqual(volumes)
    })

    test('onto a name that is taken is refused at once, without refresh', async () => {
      const offered = readOperation(await offer(copyOf(source)))
      const reply = await fetchOffered(copyOf(source), offered)
      expect(reply.status).toBe(500)
      expect(reply.envelope.error).toMatch(
        world.has(NESTED)
          ? /^Failed creating instance record: Add instance info to the database: This "Instance" entry already exists$/
          : /^Failed creating instance record: Add instance info to the database: .*UNIQUE constraint failed: /,
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
}
