/** Copies of custom volumes between two servers: as those of instances, but that Incus locks nothing. */
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readOperation, settle, succeed } from './calls.ts'
import type { World } from './incus.ts'
import { NESTED, type Operation } from './model.ts'
import { type Reply, readMetadata, type Side } from './side.ts'

const texts = z.record(z.string(), z.string())
const volumeSchema = z.looseObject({
  ...{ name: z.string(), content_type: z.string(), description: z.string(), config: texts },
})
const snapshotSchema = z.looseObject({
  ...{ name: z.string(), created_at: z.string(), description: z.string() },
  expires_at: z.string().nullable(),
})

type How = {
  refresh?: boolean
  excludeOlder?: boolean
  /** Of the two bodies. */
  volumeOnly?: { sent?: boolean; received?: boolean }
  config?: Record<string, string>
  content?: string
}

export function volumeCopyContract(world: World): void {
  const poolOf = ({ server: { pool } }: Side) => ({ pool })

  const make = async (prefix: string): Promise<string> => {
    const name = world.fresh(prefix)
    await world.main.server.createVolume(name)
    return name
  }
  const write = (volume: string, marker: string, bytes = 1000) =>
    world.main.server.writeVolume(volume, marker, bytes)
  const take = async (side: Side, volume: string, name: string, more: object = {}): Promise<void> => {
    const parameters = { ...poolOf(side), volume }
    await succeed(side, await side.ask('createVolumeSnapshot', { parameters, body: { name, ...more } }))
  }
  const snapshots = async (side: Side, volume: string) => {
    const parameters = { ...poolOf(side), volume, type: 'custom' }
    const reply = await side.ask('listVolumeSnapshots', { parameters, query: { recursion: '1' } })
    return readMetadata(reply, snapshotSchema.array()).map((one) => ({
      ...one,
      name: one.name.slice(volume.length + 1),
    }))
  }
  const names = async (side: Side, volume: string) =>
    (await snapshots(side, volume)).map(({ name }) => name).sort()
  const read = (side: Side, volume: string): Promise<Reply> =>
    side.ask('getVolume', { parameters: { ...poolOf(side), volume, type: 'custom' } })
  const markerOf = (volume: string, snapshot?: string) =>
    world.backup.server.readVolumeMarker(volume, snapshot)

  const offer = async (volume: string, { volumeOnly = {} }: How): Promise<Operation> => {
    const body = { name: volume, migration: true, volume_only: volumeOnly.sent ?? false }
    return readOperation(
      await world.main.ask('sendVolume', { parameters: { ...poolOf(world.main), volume }, body }),
    )
  }
  const receive = (volume: string, how: How, origin: object): Promise<Reply> => {
    const { refresh = false, excludeOlder = false, volumeOnly = {}, config = {}, content } = how
    const source = {
      ...{ type: 'migration', volume_only: volumeOnly.received ?? false, ...origin },
      ...(refresh ? { refresh, refresh_exclude_older: excludeOlder } : {}),
    }
    const body = { name: volume, type: 'custom', content_type: content ?? 'filesystem', config, source }
    return world.backup.ask('receiveVolume', { parameters: poolOf(world.backup), body })
  }
  const reach = (side: Side, { id, metadata }: Operation) => ({
    operation: `${side.server.url}/1.0/operations/${id}`,
    secrets: { control: metadata?.control, fs: metadata?.fs },
    certificate: side.server.certificate,
  })
  const start = async (volume: string, how: How = {}) => {
    const sent = await offer(volume, how)
    const reply = await receive(volume, how, { mode: 'pull', ...reach(world.main, sent) })
    return { sent, received: readOperation(reply) }
  }
  const pull = async (volume: string, how: How = {}): Promise<void> => {
    await succeed(world.backup, (await start(volume, how)).received)
  }

  describe('a copy of a custom volume', () => {
    let volume: string
    beforeAll(async () => {
      volume = await make('shipped')
      await write(volume, 'one')
      await take(world.main, volume, 's1', { expires_at: '2040-01-02T03:04:05Z' })
      await world.elapse(1.1)
      await write(volume, 'two')
      await take(world.main, volume, 's2')
      await pull(volume, { config: { 'user.stapes.owner': 'x', 'zfs.blocksize': '8KiB' } })
    })

    test('has the config that was asked for, without what the target’s driver does not know', async () => {
      const { config, content_type } = readMetadata(await read(world.backup, volume), volumeSchema)
      expect([config, content_type]).toEqual([{ 'user.stapes.owner': 'x' }, 'filesystem'])
    })

    test('has the snapshots with their dates, to the nanosecond, their expiries and their data', async () => {
      const pick = async (side: Side) =>
        (await snapshots(side, volume)).map(({ name, created_at, expires_at }) => [
          name,
          created_at,
          expires_at,
        ])
      expect(await pick(world.backup)).toEqual(await pick(world.main))
      expect([await markerOf(volume, 's1'), await markerOf(volume, 's2'), await markerOf(volume)]).toEqual([
        'one',
        'two',
        'two',
      ])
    })

    test('is not made twice', async () => {
      const { id, metadata } = await offer(volume, {})
      const again = await receive(
        volume,
        {},
        { mode: 'pull', ...reach(world.main, { id, metadata } as never) },
      )
      expect([again.status, again.envelope.error]).toEqual([409, 'Volume by that name already exists'])
      const cancelled = await world.main.ask('cancelOperation', { parameters: { operation: id } })
      expect(cancelled.status).toBe(world.has(NESTED) ? 200 : 400)
    })

    test('keeps its config in a refresh, gets what is new, and loses what the source does not have', async () => {
      const patch = { expires_at: '2041-01-02T03:04:05Z', description: 'kept' }
      const parameters = { ...poolOf(world.backup), volume, snapshot: 's2' }
      await world.backup.ask('patchVolumeSnapshot', { parameters, body: patch })
      await take(world.backup, volume, 'theirs')
      await world.elapse(1.1)
      await write(volume, 'three')
      await take(world.main, volume, 's3')
      await pull(volume, { refresh: true, excludeOlder: true, config: { 'user.stapes.owner': 'y' } })
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
      const there = await snapshots(world.backup, volume)
      expect(there.find(({ name }) => name === 's2')).toMatchObject(patch)
      expect(await markerOf(volume, 's3')).toBe('three')
      const { config } = readMetadata(await read(world.backup, volume), volumeSchema)
      expect(config).toEqual({ 'user.stapes.owner': 'x' })
    })

    test('gets no older snapshots again, unless it is told to', async () => {
      const parameters = { ...poolOf(world.backup), volume, snapshot: 's2' }
      await succeed(world.backup, await world.backup.ask('deleteVolumeSnapshot', { parameters }))
      await pull(volume, { refresh: true, excludeOlder: true })
      expect(await names(world.backup, volume)).toEqual(['s1', 's3'])
      await pull(volume, { refresh: true })
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
    })

    test('loses all snapshots where the source sends the volume alone', async () => {
      await pull(volume, { refresh: true, volumeOnly: { received: true } })
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
      await pull(volume, { refresh: true, volumeOnly: { sent: true } })
      expect(await names(world.backup, volume)).toEqual([])
    })

    test('is refreshed also under a running instance that has it', async () => {
      const user = { name: world.fresh('standby') }
      await world.backup.server.createInstance(user)
      await world.backup.server.useVolume(user, volume)
      await pull(volume, { refresh: true })
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
      const parameters = { ...poolOf(world.backup), volume }
      const refused = await world.backup.ask('deleteVolume', { parameters })
      expect([refused.status, refused.envelope.error]).toEqual([400, 'The storage volume is still in use'])
    })
  })

  test('a volume is pushed', async () => {
    const volume = await make('pushed')
    await take(world.main, volume, 's1')
    const target = readOperation(await receive(volume, {}, { mode: 'push' }))
    const body = { name: volume, migration: true, volume_only: false, target: reach(world.backup, target) }
    const sent = await world.main.ask('sendVolume', { parameters: { ...poolOf(world.main), volume }, body })
    await Promise.all([succeed(world.main, sent), succeed(world.backup, target)])
    expect(await names(world.backup, volume)).toEqual(['s1'])
    expect(
      (await world.backup.ask('deleteVolume', { parameters: { ...poolOf(world.backup), volume } })).status,
    ).toBe(200)
    expect((await read(world.backup, volume)).status).toBe(404)
  })

  test('nothing is left of a copy that nobody sends', async () => {
    const volume = world.fresh('nobody')
    const nowhere = {
      ...{ operation: 'https://127.0.0.1:9/1.0/operations/x', secrets: { control: 'a', fs: 'b' } },
      certificate: world.main.server.certificate,
    }
    const ended = await settle(world.backup, await receive(volume, {}, { mode: 'pull', ...nowhere }))
    expect(ended.err).toMatch(/^Error transferring storage volume: .*control.*127\.0\.0\.1:9/)
    expect((await read(world.backup, volume)).status).toBe(404)
    const secretless = await receive(volume, {}, { mode: 'pull', ...nowhere, secrets: {} })
    expect([secretless.status, secretless.envelope.error]).toEqual([
      500,
      'Expected "control" connection secret missing from migration sink target request',
    ])
  })

  test('a new volume is made of a snapshot on the same server, with the config that is asked for', async () => {
    const volume = await make('original')
    await write(volume, 'then')
    await take(world.main, volume, 's1')
    await write(volume, 'now')
    const name = world.fresh('anew')
    const config = { 'user.stapes.restoring-as': 'x' }
    const source = { type: 'copy', name: `${volume}/s1`, pool: world.main.server.pool, project: 'default' }
    const body = { name, type: 'custom', content_type: 'filesystem', config, source }
    const started = await world.main.ask('receiveVolume', { parameters: poolOf(world.main), body })
    expect(readOperation(started)).toMatchObject({ description: 'Copying storage volume', resources: {} })
    await succeed(world.main, started)
    expect(await world.main.server.readVolumeMarker(name)).toBe('then')
    expect(await snapshots(world.main, name)).toEqual([])
    expect(readMetadata(await read(world.main, name), volumeSchema).config).toEqual(config)
    const again = await world.main.ask('receiveVolume', { parameters: poolOf(world.main), body })
    expect([again.status, again.envelope.error]).toEqual([409, 'Volume by that name already exists'])
  })

  test('one that is deleted while it is made takes the next one of its name along', async () => {
    const volume = world.fresh('original')
    const name = world.fresh('anew')
    const { backup } = world
    await backup.server.createVolume(volume)
    await backup.server.writeVolume(volume, 'then', 1_200_000)
    await take(backup, volume, 's1')
    const parameters = poolOf(backup)
    const source = { type: 'copy', name: `${volume}/s1`, pool: backup.server.pool, project: 'default' }
    const config = { 'user.stapes.restoring-as': 'x' }
    const body = { name, type: 'custom', content_type: 'filesystem', config, source }
    await backup.server.throttle(400_000)
    const first = readOperation(await backup.ask('receiveVolume', { parameters, body }))
    const ended = settle(backup, first)
    await world.elapse(1)
    await backup.ask('deleteVolume', { parameters: { ...parameters, volume: name } })
    const second = await backup.ask('receiveVolume', { parameters, body })
    expect(second.status).toBe(202)
    const after = settle(backup, second)
    await world.elapse(4)
    await backup.server.throttle(null)
    expect((await ended).err).toContain('exit status 23')
    expect((await after).status).toBe('Failure')
    expect((await read(backup, name)).status).toBe(404)
  })

  describe('while it runs', () => {
    const slowly = async (volume: string, how: How = {}) => {
      await world.main.server.throttle(400_000)
      const started = await start(volume, how)
      // Null: the server went down meanwhile.
      const ended = settle(world.backup, started.received).catch(() => null)
      await world.elapse(1.5)
      await world.main.server.throttle(null)
      return { ...started, ended }
    }
    const three = async (prefix: string): Promise<string> => {
      const volume = await make(prefix)
      for (const name of ['s1', 's2', 's3']) {
        await write(volume, name, 1_000_000)
        await take(world.main, volume, name)
        await world.elapse(1.1)
      }
      return volume
    }

    test('its target looks complete, takes marks and snapshots, and both sides name the volume', async () => {
      const volume = await three('moving')
      const { sent, received, ended } = await slowly(volume)
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
      expect(await markerOf(volume, 's3')).toBeNull()
      const parameters = { ...poolOf(world.backup), volume }
      const mark = await world.backup.ask('markVolume', {
        parameters,
        body: { config: { 'user.stapes.owner': 'x' } },
      })
      expect(mark.status).toBe(200)
      const url = [`/1.0/storage-pools/${world.main.server.pool}/volumes/custom/${volume}`]
      expect([sent, received]).toMatchObject([
        { description: 'Migrating storage volume', resources: { storage_volumes: url } },
        { description: 'Copying storage volume', resources: { storage_volumes: url }, may_cancel: false },
      ])
      expect(sent.may_cancel).toBe(world.has(NESTED))
      await take(world.main, volume, 'meanwhile')
      expect((await ended)?.status).toBe('Success')
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
      expect(await markerOf(volume, 's3')).toBe('s3')
    })

    test('a snapshot that goes from the source arrives empty, and nobody says so', async () => {
      const volume = await three('emptied')
      const { ended } = await slowly(volume)
      const parameters = { ...poolOf(world.main), volume, snapshot: 's3' }
      await succeed(world.main, await world.main.ask('deleteVolumeSnapshot', { parameters }))
      expect((await ended)?.status).toBe('Success')
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
      expect([await markerOf(volume, 's2'), await markerOf(volume, 's3')]).toEqual(['s2', null])
    })

    test('its target can be deleted, and then it fails', async () => {
      const volume = await three('removed')
      const { ended } = await slowly(volume)
      const removal = await world.backup.ask('deleteVolume', {
        parameters: { ...poolOf(world.backup), volume },
      })
      expect(removal.status).toBe(world.has(NESTED) ? 500 : 200)
      expect((await ended)?.err).toMatch(/^Error transferring storage volume: /)
      expect((await read(world.backup, volume)).status).toBe(404)
    })

    test('a refresh that a kill of its source ends keeps what was there', async () => {
      const volume = await three('cut')
      await pull(volume)
      await write(volume, 's4', 1_000_000)
      await take(world.main, volume, 's4')
      const { ended } = await slowly(volume, { refresh: true, excludeOlder: true })
      await world.main.server.kill()
      await world.main.server.start()
      expect((await ended)?.err).toMatch(/^Error transferring storage volume: /)
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
      expect([await markerOf(volume, 's3'), await markerOf(volume)]).toEqual(['s3', 's3'])
    })

    test('a kill of its target leaves snapshots without data, which no refresh brings', async () => {
      const volume = await three('torn')
      const { ended } = await slowly(volume)
      await world.backup.server.kill()
      await world.backup.server.start()
      await ended
      expect(await names(world.backup, volume)).toEqual(['s1', 's2', 's3'])
      expect([await markerOf(volume, 's2'), await markerOf(volume, 's3')]).toEqual([null, null])
      // The source's daemon notices late that nobody is there any more.
      await world.elapse(1)
      await pull(volume, { refresh: true })
      expect([await markerOf(volume, 's3'), await markerOf(volume)]).toEqual([null, 's3'])
      const parameters = { ...poolOf(world.backup), volume, snapshot: 's3' }
      await succeed(world.backup, await world.backup.ask('deleteVolumeSnapshot', { parameters }))
      await pull(volume, { refresh: true })
      expect(await markerOf(volume, 's3')).toBe('s3')
    })
  })
}
