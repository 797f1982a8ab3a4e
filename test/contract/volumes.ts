/** Custom volumes and their snapshots: where Incus answers otherwise than for instances. */
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { RouteName } from '../../shared/incus/routes.ts'
import { readOperation, succeed } from './calls.ts'
import type { World } from './incus.ts'
import { NESTED, NEVER } from './model.ts'
import { type Reply, readMetadata } from './side.ts'

const texts = z.record(z.string(), z.string())
const rowSchema = z.looseObject({
  ...{ name: z.string(), type: z.literal('custom'), content_type: z.string(), project: z.string() },
  ...{ location: z.string(), description: z.string(), created_at: z.string(), config: texts },
  used_by: z.array(z.string()),
  snapshots: z.array(z.looseObject({ name: z.string(), expires_at: z.string().nullable() })).nullish(),
})
const snapshotSchema = z.looseObject({
  ...{ name: z.string(), created_at: z.string(), description: z.string(), config: texts },
  expires_at: z.string().nullable(),
})

const VOLUME = 'contract-data'

export function volumeContract(world: World): void {
  describe('a custom volume', () => {
    let user: string
    const ask = (
      route: RouteName,
      {
        snapshot,
        type,
        ...more
      }: { snapshot?: string; type?: string; body?: unknown; headers?: Record<string, string> } = {},
      query: Record<string, string> = {},
    ): Promise<Reply> => {
      const { pool } = world.main.server
      const parameters = {
        ...{ pool, volume: VOLUME },
        ...(snapshot === undefined ? {} : { snapshot }),
        ...(type === undefined ? {} : { type }),
      }
      return world.main.ask(route, { parameters, query, ...more })
    }
    const take = async (name: string, body: object = {}): Promise<Reply> =>
      ask('createVolumeSnapshot', { body: { name, ...body } })
    const snapshots = async () =>
      readMetadata(
        await ask('listVolumeSnapshots', { type: 'custom' }, { recursion: '1' }),
        snapshotSchema.array(),
      )
    const rows = async (recursion: string) =>
      readMetadata(
        await ask('listVolumes', { type: 'custom' }, { recursion, 'all-projects': 'true' }),
        rowSchema.array(),
      )
    const volume = async () => readMetadata(await ask('getVolume', { type: 'custom' }), rowSchema)

    beforeAll(async () => {
      const it = await world.createInstance('with-volume')
      user = it.name
      await world.main.server.attachVolume(it, VOLUME)
      await succeed(world.main, await take('s1'))
    })

    test('has a snapshot described and renamed, and keeps its end', async () => {
      await succeed(world.main, await take('described', { expires_at: '2040-01-02T03:04:05Z' }))
      const body = { description: 'before the upgrade' }
      expect((await ask('patchVolumeSnapshot', { snapshot: 'described', body })).status).toBe(200)
      const renamed = await ask('renameVolumeSnapshot', { snapshot: 'described', body: { name: 'renamed' } })
      await succeed(world.main, renamed)
      const row = (await snapshots()).find(({ name }) => name.endsWith('renamed'))
      expect(row).toMatchObject({ ...body, expires_at: '2040-01-02T03:04:05Z' })
      await succeed(world.main, await ask('deleteVolumeSnapshot', { snapshot: 'renamed' }))
    })

    test('is in one of the pools that are listed as URLs', async () => {
      const pools = readMetadata(await world.main.ask('listPools'), z.array(z.string()))
      expect(pools).toContain(`/1.0/storage-pools/${world.main.server.pool}`)
    })

    test('names the instances that use it', async () => {
      const row = (await rows('1')).find(({ name }) => name === VOLUME)
      expect(row).toMatchObject({ project: 'default', used_by: [`/1.0/instances/${user}`] })
    })

    test('has its snapshots among the rows, or inside its own', async () => {
      const all = await rows(world.has(NESTED) ? '2' : '1')
      const own = all.find(({ name }) => name === VOLUME)
      if (world.has(NESTED)) expect(own?.snapshots).toMatchObject([{ name: 's1', expires_at: null }])
      else expect(all.map(({ name }) => name)).toContain(`${VOLUME}/s1`)
      expect(all.some(({ name }) => name.includes('/'))).toBe(!world.has(NESTED))
    })

    test('has the volume in the names of its own list, and null for no expiry', async () => {
      expect(await snapshots()).toMatchObject([{ name: `${VOLUME}/s1`, expires_at: null }])
      const one = readMetadata(await ask('getVolumeSnapshot', { snapshot: 's1' }), snapshotSchema)
      expect(one).toMatchObject({ name: 's1', expires_at: NEVER })
    })

    test('names volume and snapshot in the operations on them', async () => {
      const started = await take('s2')
      const { resources } = readOperation(started)
      const url = `/1.0/storage-pools/${world.main.server.pool}/volumes/custom/${VOLUME}`
      expect(resources).toMatchObject({
        storage_volumes: [url],
        storage_volume_snapshots: [`${url}/snapshots/s2`],
      })
      await succeed(world.main, started)
      const again = await take('s2')
      expect([again.status, again.envelope.error]).toEqual([409, 'Snapshot "s2" already in use'])
    })

    test('that three ask a snapshot of at once has it once', async () => {
      const started = await Promise.all([1, 2, 3].map(() => take('race')))
      for (const one of started.filter(({ status }) => status === 202))
        await succeed(world.main, one).catch(() => null)
      expect((await snapshots()).filter(({ name }) => name === `${VOLUME}/race`)).toHaveLength(1)
    })

    test('loses its description by a change that does not repeat it', async () => {
      const body = { config: { 'user.stapes.hold.s1': 'why' }, description: 'of the shop' }
      const changed = await ask('markVolume', { body })
      expect([changed.status, changed.envelope.type]).toEqual([200, 'sync'])
      expect(await volume()).toMatchObject({ description: 'of the shop', config: body.config })
      await ask('markVolume', { body: { config: { 'user.stapes.hold.s1': '' } } })
      expect(await volume()).toMatchObject({ description: '' })
      expect((await volume()).config).not.toHaveProperty(['user.stapes.hold.s1'])
    })

    test('has the expiry of a snapshot set at once, while that is as it was seen', async () => {
      const date = '2040-01-02T03:04:05Z'
      const seen = await ask('getVolumeSnapshot', { snapshot: 's1' })
      const headers = { 'if-match': String(seen.headers.etag) }
      const patch = (expires: string) =>
        ask('patchVolumeSnapshot', {
          ...{ snapshot: 's1', headers },
          body: { expires_at: expires, description: 'kept' },
        })
      const changed = await patch(date)
      expect([changed.status, changed.envelope.type]).toEqual([200, 'sync'])
      expect((await snapshots())[0]).toMatchObject({ expires_at: date, description: 'kept' })
      expect((await patch(NEVER)).status).toBe(412)
      const never = { expires_at: NEVER, description: 'kept' }
      expect((await ask('patchVolumeSnapshot', { snapshot: 's1', body: never })).status).toBe(200)
      expect((await snapshots())[0]).toMatchObject({ expires_at: null, description: 'kept' })
    })

    test('loses a snapshot by DELETE, and does not know it after that', async () => {
      await succeed(world.main, await ask('deleteVolumeSnapshot', { snapshot: 's2' }))
      expect((await snapshots()).map(({ name }) => name)).not.toContain(`${VOLUME}/s2`)
      const again = await ask('deleteVolumeSnapshot', { snapshot: 's2' })
      expect([again.status, again.envelope.error]).toEqual([404, 'Storage pool volume not found'])
      const unknown = await ask('getVolumeSnapshot', { snapshot: 's2' })
      expect(unknown.status).toBe(404)
    })
  })
}
