/** Who may see what: the trusted client, the one fenced into a project, the stranger. */

import { createHash, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { inProject, readOperation, startSnapshot } from './calls.ts'
import type { World } from './incus.ts'
import { instanceSchema, NESTED, operationListSchema, volumeSchema } from './model.ts'
import type { ContractInstance } from './server.ts'
import { readMetadata } from './side.ts'

const FENCED = 'fenced'

const serverSchema = z.object({
  auth: z.enum(['trusted', 'untrusted']),
  /** Null to a stranger of later versions. */
  api_extensions: z.array(z.string()).nullable(),
  auth_user_name: z.string().optional(),
  auth_user_method: z.string().optional(),
  environment: z
    .object({
      certificate: z.string(),
      certificate_fingerprint: z.string(),
      server: z.literal('incus'),
      server_clustered: z.literal(false),
      server_name: z.string(),
      server_version: z.string().regex(/^\d+\.\d+/),
      project: z.string(),
    })
    .partial()
    .optional(),
})

export function authContract(world: World): void {
  describe('to the trusted client', () => {
    test('the server tells who it is and whom it sees', async () => {
      const { server } = world.main
      const seen = readMetadata(await world.main.ask('getServer'), serverSchema)
      expect(seen.auth).toBe('trusted')
      expect(seen.auth_user_method).toBe('tls')
      expect(seen.auth_user_name).toBe(fingerprintOf(server.clients.trusted.cert))
      expect(seen.environment?.certificate_fingerprint).toBe(server.fingerprint)
      expect(fingerprintOf(seen.environment?.certificate ?? '')).toBe(server.fingerprint)
    })

    test('the server names its extensions', async () => {
      const { api_extensions } = readMetadata(await world.main.ask('getServer'), serverSchema)
      expect(api_extensions).toEqual(
        expect.arrayContaining(['snapshot_expiry_creation', 'operations_get_query_all_projects']),
      )
      expect(api_extensions).toContain('custom_volume_refresh_exclude_older_snapshots')
      const isLater = world.has(NESTED)
      expect(api_extensions?.includes('backup_s3_upload')).toBe(isLater)
      expect(api_extensions?.includes('direct_backup')).toBe(isLater)
    })
  })

  describe('to a stranger', () => {
    test('the server admits to be there, and that it does not trust', async () => {
      const reply = await world.main.ask('getServer', { client: 'untrusted' })
      expect(reply.status).toBe(200)
      const seen = readMetadata(reply, serverSchema)
      expect(seen.auth).toBe('untrusted')
      expect(seen).not.toHaveProperty('environment')
      expect(seen.api_extensions === null).toBe(world.has(NESTED))
    })

    test.for([
      ['instances', '/1.0/instances', 403, 'not authorized'],
      ['operations', '/1.0/operations', 403, 'not authorized'],
      ['the wait for an operation', '/1.0/operations/none/wait', 403, 'not authorized'],
      ['what does not exist', '/1.0/nothing', 404, 'not found'],
    ] as const)('%s are refused', async ([, path, status, error]) => {
      const reply = await world.main.raw('GET', path, null, 'untrusted')
      expect(reply.status).toBe(status)
      expect(reply.envelope).toMatchObject({ type: 'error', error_code: status, error })
    })
  })

  describe('to a client fenced into a project', () => {
    let mine: ContractInstance
    let foreign: ContractInstance
    beforeAll(async () => {
      mine = await world.createInstance('mine', { project: FENCED })
      foreign = await world.createInstance('foreign')
    })
    const client = 'restricted'

    test('snapshots of its own instances succeed', async () => {
      const parameters = { instance: mine.name }
      const body = { name: 's1' }
      const started = await world.main.ask('createSnapshot', {
        ...{ parameters, query: inProject(mine), body, client },
      })
      const { id, resources } = readOperation(started)
      expect(resources.instances_snapshots).toEqual([
        `/1.0/instances/${mine.name}/snapshots/s1?project=${FENCED}`,
      ])
      const ended = await world.main.ask('waitOperation', { parameters: { operation: id }, client })
      expect(readOperation(ended).status_code).toBe(200)
    })

    test("a foreign project's instance is a 403, its lists are a 500, or empty", async () => {
      const parameters = { instance: foreign.name }
      const one = await world.main.ask('getInstance', { parameters, client })
      expect(one.status).toBe(403)
      expect(one.envelope.error).toBe('User does not have permission for project "default"')
      const list = await world.main.ask('listInstances', { query: { recursion: '1' }, client })
      const refused = [500, 'User does not have permissions for project "default"', null]
      expect([list.status, list.envelope.error, list.envelope.metadata]).toEqual(
        world.has(NESTED) ? [200, '', []] : refused,
      )
    })

    test('lists over all projects hold only its own', async () => {
      const query = { 'all-projects': 'true', recursion: '1' }
      const instances = await world.main.ask('listInstances', { query, client })
      const projects = readMetadata(instances, instanceSchema.array()).map(({ project }) => project)
      expect(new Set(projects)).toEqual(new Set([FENCED]))
      expect(readMetadata(await world.main.ask('listProjects', { client }), z.array(z.string()))).toEqual([
        `/1.0/projects/${FENCED}`,
      ])
    })

    test('operations over all projects are only its own', async () => {
      await startSnapshot(world.main, foreign, 's1')
      const query = { 'all-projects': 'true', recursion: '1' }
      const reply = await world.main.ask('listOperations', { query, client })
      const resources = Object.values(readMetadata(reply, operationListSchema)).flatMap((operations) =>
        operations.flatMap((operation) => Object.values(operation.resources).flat()),
      )
      expect(resources).not.toEqual([])
      expect(resources.filter((url) => !url.endsWith(`?project=${FENCED}`))).toEqual([])
    })

    test("but the volumes over all projects are everybody's", async () => {
      const parameters = { pool: world.main.server.pool, type: 'container' }
      const query = { 'all-projects': 'true', recursion: '1' }
      const all = await world.main.ask('listVolumes', { parameters, query, client })
      const names = readMetadata(all, volumeSchema.array()).map(({ project, name }) => `${project}/${name}`)
      expect(names).toContain(`${FENCED}/${mine.name}`)
      expect(names).toContain(`default/${foreign.name}`)
      const unnamed = await world.main.ask('listVolumes', { parameters, query: { recursion: '1' }, client })
      expect([unnamed.status, unnamed.envelope.metadata]).toEqual(world.has(NESTED) ? [200, []] : [403, null])
    })

    test("any operation's id opens it, up to 6.0.5", async () => {
      const { id } = readOperation(await startSnapshot(world.main, foreign, 's2'))
      const reply = await world.main.ask('getOperation', { parameters: { operation: id }, client })
      if (world.has(NESTED)) expect(reply.status).toBe(403)
      else expect(readOperation(reply).id).toBe(id)
    })
  })
}

const fingerprintOf = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')
