/** Instances, snapshots, volumes, projects and operations as lists. */

import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readInstance, readOperation, startSnapshot, succeed, takeSnapshot } from './calls.ts'
import type { World } from './incus.ts'
import {
  fullInstanceSchema,
  fullVolumeSchema,
  instanceSchema,
  NESTED,
  operationListSchema,
  volumeSchema,
} from './model.ts'
import type { ContractInstance } from './server.ts'
import { readMetadata } from './side.ts'

const texts = z.record(z.string(), z.string())
const profileSchema = z.looseObject({
  ...{ name: z.string(), description: z.string() },
  ...{ config: texts, devices: z.record(z.string(), texts) },
})
const urls = z.array(z.string())
const PROJECT = 'listed'

export function listingContract(world: World): void {
  describe('in lists', () => {
    let bare: ContractInstance
    let kept: ContractInstance
    let elsewhere: ContractInstance
    beforeAll(async () => {
      await world.main.server.createProject(PROJECT)
      bare = await world.createInstance('bare')
      kept = await world.createInstance('kept')
      elsewhere = await world.createInstance('elsewhere', { project: PROJECT })
      await takeSnapshot(world.main, kept, 's1')
      await takeSnapshot(world.main, elsewhere, 's1')
    })

    test('instances are URLs, those of other projects with the project', async () => {
      const here = readMetadata(await world.main.ask('listInstances'), urls)
      expect(here).toContain(`/1.0/instances/${bare.name}`)
      expect(here.join()).not.toContain(elsewhere.name)
      const all = await world.main.ask('listInstances', { query: { 'all-projects': 'true' } })
      expect(readMetadata(all, urls)).toEqual(
        expect.arrayContaining([
          `/1.0/instances/${bare.name}`,
          `/1.0/instances/${elsewhere.name}?project=${PROJECT}`,
        ]),
      )
    })

    test('with recursion=1 they are objects without snapshots', async () => {
      const query = { recursion: '1', 'all-projects': 'true' }
      const listed = readMetadata(await world.main.ask('listInstances', { query }), instanceSchema.array())
      const found = listed.find(({ name }) => name === elsewhere.name)
      expect(found).toMatchObject({
        project: PROJECT,
        status: 'Stopped',
        type: 'container',
        location: 'none',
      })
    })

    test('with recursion=2 they have snapshots, and null stands for none', async () => {
      const query = { recursion: '2' }
      const listed = readMetadata(
        await world.main.ask('listInstances', { query }),
        fullInstanceSchema.array(),
      )
      const of = (name: string) => listed.find((instance) => instance.name === name)
      expect(of(kept.name)?.snapshots?.map(({ name }) => name)).toEqual(['s1'])
      expect(of(bare.name)?.snapshots).toBeNull()
      expect(of(bare.name)?.state).not.toBeNull()
    })

    test('expanded_config has what the profiles say, config only what stands on the instance', async () => {
      await world.main.server.putProfile('daily', { 'user.stapes.policy': 'daily', 'user.both': 'profile' })
      const it = await world.createInstance('profiled', { config: { 'user.both': 'own' } })
      await world.main.server.setProfiles(it, ['default', 'daily'])
      const seen = await readInstance(world.main, it)
      expect(seen.profiles).toEqual(['default', 'daily'])
      expect(seen.expanded_config).toMatchObject({ 'user.stapes.policy': 'daily', 'user.both': 'own' })
      expect(seen.config['user.both']).toBe('own')
      expect(seen.config).not.toHaveProperty(['user.stapes.policy'])
      expect(seen.expanded_devices).toMatchObject({ root: { type: 'disk', pool: world.main.server.pool } })
      expect(seen.devices).toEqual({})
    })

    test('an unknown project has no instances, and knows none', async () => {
      const list = await world.main.ask('listInstances', { query: { project: 'nowhere', recursion: '1' } })
      expect(list.status).toBe(200)
      expect(list.envelope.metadata).toEqual([])
      const parameters = { instance: bare.name }
      const one = await world.main.ask('getInstance', { parameters, query: { project: 'nowhere' } })
      expect(one.status).toBe(404)
      expect(one.envelope.error).toMatch(/Project not found$/)
    })

    test("an unknown instance's snapshots are an empty list, as objects a 404", async () => {
      const parameters = { instance: 'nobody' }
      const plain = await world.main.ask('listSnapshots', { parameters })
      expect([plain.status, plain.envelope.metadata]).toEqual([200, []])
      const objects = await world.main.ask('listSnapshots', { parameters, query: { recursion: '1' } })
      expect(objects.status).toBe(404)
      expect(objects.envelope.error).toMatch(
        /^Failed to fetch instance "nobody" in project(Name)? "default": Instance not found$/,
      )
    })

    test('no snapshots are an empty list in both forms', async () => {
      const parameters = { instance: bare.name }
      const objects = await world.main.ask('listSnapshots', { parameters, query: { recursion: '1' } })
      expect(objects.envelope.metadata).toEqual([])
      expect((await world.main.ask('listSnapshots', { parameters })).envelope.metadata).toEqual([])
    })

    test('URLs are raw, those in operations are percent-encoded', async () => {
      const it = await world.createInstance('odd')
      const started = await startSnapshot(world.main, it, 'a%b')
      const { resources } = readOperation(started)
      expect(resources.instances_snapshots).toEqual([`/1.0/instances/${it.name}/snapshots/a%25b`])
      await succeed(world.main, started)
      const listed = await world.main.ask('listSnapshots', { parameters: { instance: it.name } })
      expect(readMetadata(listed, urls)).toEqual([`/1.0/instances/${it.name}/snapshots/a%b`])
    })

    test("a pool's volumes are all instances and snapshots, to the nanosecond", async () => {
      const parameters = { pool: world.main.server.pool, type: 'container' }
      const query = { recursion: '1', 'all-projects': 'true' }
      const rows = readMetadata(
        await world.main.ask('listVolumes', { parameters, query }),
        volumeSchema.array(),
      )
      const of = (project: string, name: string) =>
        rows.find((row) => row.project === project && row.name === name)
      expect(of('default', bare.name)).toMatchObject({ used_by: [`/1.0/instances/${bare.name}`] })
      expect(of(PROJECT, `${elsewhere.name}/s1`) !== undefined).toBe(!world.has(NESTED))
      if (world.has(NESTED)) return
      expect(of('default', `${kept.name}/s1`)).toMatchObject({ type: 'container', used_by: [], config: {} })
      expect(of('default', `${kept.name}/s1`)?.created_at).toMatch(/\.\d{6,9}Z$/)
    })

    test('with recursion=2 each later volume has its snapshots, and null stands for none', async () => {
      const parameters = { pool: world.main.server.pool, type: 'container' }
      const query = { recursion: '2', 'all-projects': 'true' }
      const reply = await world.main.ask('listVolumes', { parameters, query })
      if (!world.has(NESTED)) {
        const names = readMetadata(reply, volumeSchema.array()).map(({ name }) => name)
        expect(names).toContain(`${kept.name}/s1`)
        return
      }
      const rows = readMetadata(reply, fullVolumeSchema.array())
      const of = (it: ContractInstance) => rows.find(({ name }) => name === it.name)
      expect(of(kept)?.snapshots).toMatchObject([
        { name: 's1', created_at: expect.stringMatching(/\.\d{6,9}Z$/), expires_at: null },
      ])
      expect(of(elsewhere)?.snapshots).toHaveLength(1)
      // What tells it from a volume that was not read.
      expect(of(bare)).toMatchObject({ snapshots: null, backups: [], state: { usage: expect.anything() } })
    })

    test('the snapshots of one volume are rows by themselves, called by both names', async () => {
      const query = { recursion: '1', project: PROJECT }
      const of = async (volume: string, more: object = query) => {
        const parameters = { pool: world.main.server.pool, type: 'container', volume }
        return world.main.ask('listVolumeSnapshots', { parameters, query: { recursion: '1', ...more } })
      }
      const names = z.array(z.looseObject({ name: z.string() }))
      expect(readMetadata(await of(elsewhere.name), names).map(({ name }) => name)).toEqual([
        `${elsewhere.name}/s1`,
      ])
      expect(readMetadata(await of(bare.name, {}), names)).toEqual([])
      expect((await of('nobody', {})).status).toBe(404)
    })

    test('one volume is the row of the listing', async () => {
      const parameters = { pool: world.main.server.pool, type: 'container', volume: elsewhere.name }
      const reply = await world.main.ask('getVolume', {
        ...{ parameters, query: { project: PROJECT, recursion: '1' } },
      })
      const row = readMetadata(reply, world.has(NESTED) ? fullVolumeSchema : volumeSchema)
      expect(row).toMatchObject({ name: elsewhere.name, project: PROJECT })
      expect('snapshots' in row).toBe(world.has(NESTED))
      const stranger = { ...parameters, volume: 'nobody' }
      expect((await world.main.ask('getVolume', { parameters: stranger })).status).toBe(404)
    })

    test('without all-projects the volumes are those of one project', async () => {
      const parameters = { pool: world.main.server.pool, type: 'container' }
      const query = { recursion: '1', project: PROJECT }
      const rows = readMetadata(
        await world.main.ask('listVolumes', { parameters, query }),
        volumeSchema.array(),
      )
      const snapshots = world.has(NESTED) ? [] : [`${elsewhere.name}/s1`]
      expect(rows.map(({ name }) => name).sort()).toEqual([elsewhere.name, ...snapshots])
    })

    test('an unknown pool is a 404', async () => {
      const parameters = { pool: 'puddle', type: 'container' }
      const reply = await world.main.ask('listVolumes', { parameters })
      expect([reply.status, reply.envelope.error]).toEqual([404, 'Storage pool not found'])
    })

    test('projects are URLs or objects', async () => {
      expect(readMetadata(await world.main.ask('listProjects'), urls)).toContain(`/1.0/projects/${PROJECT}`)
      const objects = await world.main.ask('listProjects', { query: { recursion: '1' } })
      const schema = z.array(z.object({ name: z.string(), description: z.string(), used_by: urls }))
      expect(readMetadata(objects, schema).map(({ name }) => name)).toContain('default')
    })

    test("a project's URL is percent-encoded, its name in the object is not", async () => {
      await world.main.server.createProject('odd%c,d')
      expect(readMetadata(await world.main.ask('listProjects'), urls)).toContain('/1.0/projects/odd%25c%2Cd')
      const objects = await world.main.ask('listProjects', { query: { recursion: '1' } })
      const names = readMetadata(objects, z.array(z.looseObject({ name: z.string() })))
      expect(names.map(({ name }) => name)).toContain('odd%c,d')
    })

    test('profiles are objects of config and devices, those of `default` where a project has none', async () => {
      await world.main.server.putProfile('listed', { 'user.x': 'y' })
      const named = async (project: string) => {
        const reply = await world.main.ask('listProfiles', { query: { recursion: '1', project } })
        return readMetadata(reply, profileSchema.array()).find(({ name }) => name === 'listed')
      }
      expect((await named('default'))?.config).toEqual({ 'user.x': 'y' })
      expect((await named(PROJECT))?.config).toEqual({ 'user.x': 'y' })
    })

    test('operations stand under their status, those of other projects only when asked for', async () => {
      const started = readOperation(await startSnapshot(world.main, elsewhere, 'listed'))
      await succeed(world.main, started)
      const ids = async (query: Record<string, string>) => {
        const reply = await world.main.ask('listOperations', { query: { recursion: '1', ...query } })
        return readMetadata(reply, operationListSchema).success?.map(({ id }) => id) ?? []
      }
      expect(await ids({ 'all-projects': 'true' })).toContain(started.id)
      expect(await ids({ project: PROJECT })).toContain(started.id)
      expect(await ids({})).not.toContain(started.id)
      const plain = await world.main.ask('listOperations', { query: { 'all-projects': 'true' } })
      expect(plain.envelope.metadata).toMatchObject({
        success: expect.arrayContaining([`/1.0/operations/${started.id}`]),
      })
    })

    test('one project and all projects at once is refused', async () => {
      const query = { project: PROJECT, 'all-projects': 'true' }
      const reply = await world.main.ask('listOperations', { query })
      expect(reply.status).toBe(400)
      expect(reply.envelope.error).toBe('Cannot specify a project when requesting all projects')
    })
  })
}
