/** Copies in relay mode: a client, here the relay's own bridge, joins the websockets of two servers' operations. */
import { beforeAll, describe, expect, test } from 'vitest'
import { endOf } from '../../relay/engine/bridging.ts'
import { createUpstreams, type RemoteConfig, type Upstreams } from '../../relay/upstreams.ts'
import { exists, readOperation, snapshotNames, succeed, takeSnapshot } from './calls.ts'
import { type Copy, type Ended, offer, receive, settleBoth } from './copy.ts'
import type { World } from './incus.ts'
import type { Operation } from './model.ts'
import type { ContractInstance } from './server.ts'
import type { Client, Side } from './side.ts'

export function relayedContract(world: World): void {
  describe('a copy through a relay', () => {
    let upstreams: Upstreams
    let fenced: Upstreams
    let source: ContractInstance
    beforeAll(async () => {
      const remote = ({ server: { url, fingerprint } }: Side): RemoteConfig => ({
        ...{ url, fingerprint, address: url },
      })
      const remotes = { main: remote(world.main), backup: remote(world.backup) }
      const open = (client: Client): Upstreams => {
        const { cert, key } = world.main.server.clients[client]
        return createUpstreams(remotes, { certificate: cert, key })
      }
      upstreams = open('trusted')
      fenced = open('restricted')
      source = await world.createInstance('relayed')
      for (const name of ['s1', 's2']) {
        await world.main.server.write(source, name, 1_200_000)
        await takeSnapshot(world.main, source, name)
      }
      return async () => {
        await Promise.all([upstreams.close(), fenced.close()])
      }
    })

    const copyOf = (more: Partial<Copy> = {}): Copy => ({
      ...{ from: world.main, to: world.backup, source },
      ...more,
    })
    const begin = async (copy: Copy): Promise<Ended> => {
      const offered = readOperation(await offer(copy))
      return { source: offered, target: readOperation(await receive(copy, { mode: 'push' })) }
    }
    const end = (remote: string, operation: Operation) => {
      const found = endOf(remote, operation.id, { metadata: operation })
      if (!found.ok) throw new Error(found.error.message)
      return found.value
    }
    const join = async (
      started: Ended,
      { signal = new AbortController().signal, onMany = () => {}, by = upstreams } = {},
    ) => {
      let passed = 0
      const ends = { source: end('main', started.source), target: end('backup', started.target) }
      const onData = (bytes: number): void => {
        passed += bytes
        if (passed > 100_000) onMany()
      }
      const came = await by.bridge(ends, { onData, signal })
      return { came, passed }
    }

    test('brings every snapshot with its data', async () => {
      const started = await begin(copyOf())
      const [ended, { came, passed }] = await Promise.all([settleBoth(copyOf(), started), join(started)])
      expect([ended.source.status, ended.target.status]).toEqual(['Success', 'Success'])
      expect(came).toEqual({ ok: true, value: null })
      expect(passed).toBeGreaterThan(200_000)
      expect(await snapshotNames(world.backup, source)).toEqual(['s1', 's2'])
      for (const name of ['s1', 's2']) expect(await world.backup.server.readMarker(source, name)).toBe(name)
    })

    test('refreshes what is there', async () => {
      await world.main.server.write(source, 's3', 1000)
      await takeSnapshot(world.main, source, 's3')
      const copy = copyOf({ refresh: true })
      const started = await begin(copy)
      const [ended] = await Promise.all([settleBoth(copy, started), join(started)])
      expect([ended.source.status, ended.target.status]).toEqual(['Success', 'Success'])
      expect(await world.backup.server.readMarker(source, 's3')).toBe('s3')
    })

    test('brings a custom volume just so', async () => {
      const volume = world.fresh('relayed-volume')
      const { pool } = world.main.server
      await world.main.server.createVolume(volume)
      await world.main.server.writeVolume(volume, 's1', 300_000)
      const parameters = { pool, volume }
      const taken = await world.main.ask('createVolumeSnapshot', { parameters, body: { name: 's1' } })
      await succeed(world.main, taken)
      const offered = { name: volume, migration: true, volume_only: false }
      const body = {
        ...{ name: volume, type: 'custom', content_type: 'filesystem', config: {} },
        source: { type: 'migration', mode: 'push', volume_only: false },
      }
      const started = {
        source: readOperation(await world.main.ask('sendVolume', { parameters, body: offered })),
        target: readOperation(
          await world.backup.ask('receiveVolume', { parameters: { pool: world.backup.server.pool }, body }),
        ),
      }
      const [ended] = await Promise.all([settleBoth(copyOf(), started), join(started)])
      expect([ended.source.status, ended.target.status]).toEqual(['Success', 'Success'])
      expect(await world.backup.server.readVolumeMarker(volume, 's1')).toBe('s1')
    })

    test('may be made by a client that is fenced into a project', async () => {
      const project = { project: 'fenced' }
      const source = await world.createInstance('relayed-fenced', project)
      await world.main.server.write(source, 'now', 1000)
      const copy = copyOf({ source, target: { ...project, name: source.name }, client: 'restricted' })
      const started = await begin(copy)
      const [ended, { came }] = await Promise.all([settleBoth(copy, started), join(started, { by: fenced })])
      expect([ended.source.status, ended.target.status]).toEqual(['Success', 'Success'])
      expect(came.ok).toBe(true)
      expect(await world.backup.server.readMarker(source)).toBe('now')
    })

    test('that is cut in the middle fails on both sides, and leaves no new target', async () => {
      const target = { name: world.fresh('cut') }
      const copy = copyOf({ target })
      await world.main.server.throttle(400_000)
      const started = await begin(copy)
      const ended = settleBoth(copy, started)
      const controller = new AbortController()
      let onMany = (): void => {}
      const many = new Promise<void>((resolve) => {
        onMany = resolve
      })
      const joined = join(started, { signal: controller.signal, onMany })
      await many
      await world.elapse(1.5)
      await world.main.server.throttle(null)
      controller.abort()
      expect((await joined).came).toMatchObject({ ok: false, error: { code: 'cancelled' } })
      const { source: atSource, target: atTarget } = await ended
      expect([atSource.status, atTarget.status]).toEqual(['Failure', 'Failure'])
      expect(await exists(world.backup, target)).toBe(false)
    })

    test('by a wrong secret isn’t begun', async () => {
      const target = { name: world.fresh('strange') }
      const started = await begin(copyOf({ target }))
      const wrong = { ...started.source.metadata, control: '0'.repeat(64) }
      const { came } = await join({ ...started, source: { ...started.source, metadata: wrong } })
      expect(came).toMatchObject({ ok: false, error: { code: 'unreachable' } })
      expect(JSON.stringify(came)).not.toContain(started.target.metadata?.control)
      await world.main.ask('cancelOperation', { parameters: { operation: started.source.id } })
    })
  })
}
