/** What a server shows to the relay's certificate, for the proposal of a policy. Nothing is changed. */
import * as z from 'zod/mini'
import type { ClientCertificate } from '../../relay/pinning.ts'
import { own } from '../../shared/own.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { SeenInstance, SeenPool, SeenServer } from '../../shared/setup/propose.ts'
import type { RelayFile } from '../trust/relay-file.ts'
import { type Ask, atRemote } from '../trust/remote.ts'

const projectsSchema = z.array(z.object({ name: z.string() }))

const poolSchema = z.object({ driver: z.string() })

const spaceSchema = z.object({ space: z.object({ used: z.number(), total: z.number() }) })

const diskSchema = z.looseObject({
  type: z.optional(z.string()),
  path: z.optional(z.string()),
  pool: z.optional(z.string()),
  source: z.optional(z.string()),
})

const profilesSchema = z.array(z.object({ devices: z.nullable(z.record(z.string(), diskSchema)) }))

const instancesSchema = z.array(
  z.object({
    name: z.string(),
    type: z.enum(['container', 'virtual-machine']),
    status: z.string(),
    expanded_config: z.nullable(z.record(z.string(), z.string())),
    expanded_devices: z.nullable(z.record(z.string(), diskSchema)),
    state: z.optional(
      z.nullable(
        z.object({
          disk: z.optional(z.nullable(z.record(z.string(), z.object({ usage: z.optional(z.number()) })))),
        }),
      ),
    ),
  }),
)

export const lookAt = (
  file: RelayFile,
  client: ClientCertificate,
  remote: string,
): Promise<Result<SeenServer, string>> =>
  atRemote(file, remote, client, async ({ ask, isTrusted, url }) => {
    if (!isTrusted) return err(`${url} doesn't trust the relay's certificate`)
    const projects = (await read(ask, '/1.0/projects?recursion=1', projectsSchema)).map(({ name }) => name)
    if (projects.length === 0) return err(`${url} shows no project to the relay's certificate`)
    const instances: SeenInstance[] = []
    const pools = new Set<string>()
    for (const project of projects) {
      instances.push(...(await instancesIn(ask, project)))
      for (const pool of await profilePools(ask, project)) pools.add(pool)
    }
    for (const { pool } of instances) if (pool !== '') pools.add(pool)
    return ok({ remote, projects, instances, pools: await readPools(ask, pools) })
  })

/** Throws, which `atRemote` reports with the remote's name. */
async function read<T>(ask: Ask, path: string, schema: z.ZodMiniType<T>): Promise<T> {
  const { status, metadata, error } = await ask('GET', path)
  const parsed = schema.safeParse(metadata)
  if (status !== 200 || !parsed.success)
    throw new Error(`GET ${path} was answered by ${status}${error === '' ? '' : ` (${error})`}`)
  return parsed.data
}

async function instancesIn(ask: Ask, project: string): Promise<SeenInstance[]> {
  const query = `recursion=2&project=${encodeURIComponent(project)}`
  const listed = await read(ask, `/1.0/instances?${query}`, instancesSchema)
  return listed.map(({ name, type, status, expanded_config: config, expanded_devices: devices, state }) => {
    const disks = Object.entries(devices ?? {}).filter(([, { type: of }]) => of === 'disk')
    const [device, root] = disks.find(([, { path }]) => path === '/') ?? ['root', undefined]
    const usage = own(state?.disk ?? undefined, device)?.usage ?? 0
    const { 'snapshots.schedule': schedule = '' } = config ?? {}
    return {
      ...{ project, name, type, status, pool: root?.pool ?? '' },
      // Where the driver can't say it, Incus says 0, or less.
      bytes: usage > 0 ? usage : null,
      volumes: disks.filter(([, { path, pool = '' }]) => path !== '/' && pool !== '').length,
      hasOwnSchedule: schedule !== '' && schedule !== '@never',
    }
  })
}

/** Of the disks that new instances and copies get; not all of them where the project has its profiles from another one. */
async function profilePools(ask: Ask, project: string): Promise<string[]> {
  const path = `/1.0/profiles?recursion=1&project=${encodeURIComponent(project)}`
  const profiles = await read(ask, path, profilesSchema)
  return profiles
    .flatMap(({ devices }) => Object.values(devices ?? {}))
    .flatMap(({ type, pool = '' }) => (type === 'disk' && pool !== '' ? [pool] : []))
}

/** A restricted certificate may read each pool, and not list them. One that can't be read is absent. */
async function readPools(ask: Ask, names: Iterable<string>): Promise<Record<string, SeenPool>> {
  const found: [string, SeenPool][] = []
  for (const name of names) {
    const path = `/1.0/storage-pools/${encodeURIComponent(name)}`
    const [pool, resources] = [await ask('GET', path), await ask('GET', `${path}/resources`)]
    const [driver, space] = [poolSchema.safeParse(pool.metadata), spaceSchema.safeParse(resources.metadata)]
    if (!driver.success) continue
    const free = space.success ? space.data.space.total - space.data.space.used : null
    found.push([name, { driver: driver.data.driver, free }])
  }
  return Object.fromEntries(found)
}
