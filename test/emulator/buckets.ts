/**
 * Buckets, as 7.0.2 has them with its own server: their keys, their backups as files, and what is made of such a file. Its bugs with them:
 * a backup leaves out one object of each thousand, is compressed whatever was asked for, and can't be deleted. 6.0.4 makes none without MinIO.
 */
import { gzipSync } from 'node:zlib'
import { parse, stringify } from 'yaml'
import { entry, filesIn } from './archive.ts'
import { mayUse } from './auth.ts'
import { config, field, record, section, text } from './body.ts'
import { type Moment, never, parseDate } from './dates.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { fileReply } from './lab-instances.ts'
import type { Call, EmbeddedIncus, Upload } from './server.ts'
import { type Config, findPool, findProject, stamp } from './state.ts'

type Key = { name: string; description: string; role: string; 'access-key': string; 'secret-key': string }

export type Bucket = {
  project: string
  pool: string
  name: string
  description: string
  config: Config
  keys: Key[]
  objects: Map<string, string>
  backups: Map<string, { createdAt: string; expires: Moment; file: Uint8Array }>
}

const bucketsIn = (server: EmbeddedIncus, pool: string): Map<string, Bucket> =>
  findPool(server.state, pool).buckets

export function findBucket(server: EmbeddedIncus, { parameters, project }: Call): Bucket {
  const { pool = '', bucket = '' } = parameters
  const found = bucketsIn(server, pool).get(`${project}/${bucket}`)
  if (found === undefined) throw new Refusal(404, 'Storage bucket not found')
  return found
}

const urlOf = ({ pool, name }: Pick<Bucket, 'pool' | 'name'>): string =>
  `/1.0/storage-pools/${pool}/buckets/${name}`

const viewOf = (server: EmbeddedIncus, { name, description, config: set, project }: Bucket) => ({
  ...{ config: { ...set }, description, name, location: 'none', project },
  s3_url: server.bucketsAddress === '' ? '' : `https://${server.bucketsAddress}/${name}`,
})

export function listBuckets(server: EmbeddedIncus, call: Call): Reply {
  const { pool = '' } = call.parameters
  const all = call.query['all-projects'] === 'true'
  const seen = [...bucketsIn(server, pool).values()].filter(
    ({ project }) => mayUse(call.access, project) && (all || project === call.project),
  )
  return sync(call.query.recursion === '1' ? seen.map((one) => viewOf(server, one)) : seen.map(urlOf))
}

export const getBucket = (server: EmbeddedIncus, call: Call): Reply =>
  sync(viewOf(server, findBucket(server, call)))

/** By name alone, as stapes asks. */
export function listBucketKeys(server: EmbeddedIncus, call: Call): Reply {
  const found = findBucket(server, call)
  return sync(found.keys.map(({ name }) => `${urlOf(found)}/keys/${name}`))
}

/** A description that isn't repeated is emptied. */
export function patchBucket(server: EmbeddedIncus, call: Call): Reply {
  const found = findBucket(server, call)
  const body = record(call.body)
  found.description = text(body, 'description')
  for (const [key, value] of Object.entries(config(body)))
    if (value === '') delete found.config[key]
    else found.config[key] = value
  return sync({})
}

const KEY_CHARS = 20

export function addBucket(
  server: EmbeddedIncus,
  place: Pick<Bucket, 'pool' | 'project' | 'name'>,
  more: Partial<Bucket> = {},
): Bucket {
  if (!server.face.servesBuckets)
    throw new Refusal(
      500,
      "Failed creating storage bucket: Failed connecting to bucket: Couldn't find the MinIO client tool",
    )
  const admin = { name: 'admin', description: 'Admin user', role: 'admin' }
  const made: Bucket = {
    ...place,
    ...{ description: '', config: {}, objects: new Map(), backups: new Map() },
    keys: [{ ...admin, 'access-key': server.hex(KEY_CHARS).toUpperCase(), 'secret-key': server.hex(40) }],
    ...more,
  }
  bucketsIn(server, place.pool).set(`${place.project}/${place.name}`, made)
  return made
}

/** By one of its keys. */
export function readObjects(
  server: EmbeddedIncus,
  { pool, project, name }: Pick<Bucket, 'pool' | 'project' | 'name'>,
  accessKey: string,
): Record<string, string> {
  const found = bucketsIn(server, pool).get(`${project}/${name}`)
  if (found?.keys.some((key) => key['access-key'] === accessKey) !== true) throw new Error('access denied')
  return Object.fromEntries(found.objects)
}

/** The product sends files; the lab also makes empty ones. */
export function createBucket(server: EmbeddedIncus, call: Call): Reply {
  if (call.upload !== undefined) return importBucket(server, call, call.upload)
  const { pool = '' } = call.parameters
  const body = record(call.body)
  const more = { description: text(body, 'description'), config: config(body) }
  addBucket(server, { pool, project: call.project, name: text(body, 'name') }, more)
  return sync({})
}

export function deleteBucket(server: EmbeddedIncus, call: Call): Reply {
  const { project, pool, name } = findBucket(server, call)
  bucketsIn(server, pool).delete(`${project}/${name}`)
  return sync({})
}

const operationOn = (description: string, call: Call, url: string) => ({
  description,
  project: call.project,
  resources: {
    storage_buckets: [call.project === 'default' ? url : `${url}?project=${call.project}`],
  },
})

export function createBucketBackup(server: EmbeddedIncus, call: Call): Reply {
  const found = findBucket(server, call)
  const limits = findProject(server.state, found.project).config
  if (limits.restricted === 'true' && limits['restricted.backups'] !== 'allow')
    throw new Refusal(500, `Project "${found.project}" doesn't allow for backup creation`)
  const body = record(call.body)
  const name = text(body, 'name')
  return server.operations.task(operationOn('Creating bucket backup', call, urlOf(found)), {
    begin: () => {
      if (found.backups.has(name)) throw new Refusal(500, `Backup "${found.name}/${name}" already exists`)
      if (found.keys.length === 0) throw new Refusal(500, 'Backup create: Storage bucket key not found')
      if (server.bucketsAddress === '')
        throw new Refusal(500, 'Backup create: The server is lacking a storage buckets listener address')
    },
    ms: server.snapshotMs,
    end: () => {
      const createdAt = stamp(server.now(), server.options.random)
      const expires = parseDate(text(body, 'expires_at')) ?? never
      const file = gzipSync(archiveOf(found, findPool(server.state, found.pool).driver))
      found.backups.set(name, { createdAt, expires, file })
    },
  })
}

const BLOCK = 512
/** Objects that its server lists at once. */
const PAGE = 1000

function archiveOf(bucket: Bucket, driver: string): Uint8Array {
  const { name, pool, project, description, config: set, keys, objects } = bucket
  const itself = { config: set, description, name, s3_url: '', location: 'none', project }
  const index = { name, backend: driver, pool, type: 'bucket', config: { bucket: itself, bucket_keys: keys } }
  const listed = [...objects].sort(([one], [other]) => (one < other ? -1 : 1))
  const held = listed.filter((_, at) => at % (PAGE + 1) !== PAGE)
  return Buffer.concat([
    entry('backup/index.yaml', Buffer.from(stringify(index, { aliasDuplicateObjects: false }))),
    ...held.map(([key, value]) => entry(`backup/bucket/${key}`, Buffer.from(value))),
    Buffer.alloc(2 * BLOCK),
  ])
}

function findBackup(server: EmbeddedIncus, call: Call) {
  const found = findBucket(server, call)
  // Incus looks once an hour.
  for (const [name, { expires }] of found.backups)
    if (expires.ms !== null && expires.ms <= server.now()) found.backups.delete(name)
  const backup = found.backups.get(call.parameters.backup ?? '')
  if (backup === undefined) throw new Refusal(404, 'Storage bucket backup not found')
  return { found, backup }
}

export const exportBucketBackup = (server: EmbeddedIncus, call: Call): Reply =>
  fileReply(findBackup(server, call).backup.file, call.range)

/** It looks for it without its bucket's name, and never finds it. */
export function deleteBucketBackup(server: EmbeddedIncus, call: Call): Reply {
  const { found } = findBackup(server, call)
  return server.operations.task(operationOn('Deleting bucket backup', call, urlOf(found)), {
    end: () => {
      throw new Refusal(500, 'Storage volume backup not found')
    },
  })
}

/** All by what the file says; it is there from the first moment, and goes again where that fails. */
function importBucket(server: EmbeddedIncus, call: Call, upload: Upload): Reply {
  const { pool = '' } = call.parameters
  const { project } = call
  const files = filesIn(upload.bytes)
  const index = files.get('backup/index.yaml')
  if (index === undefined) throw new Refusal(400, 'Unsupported compression')
  const described = section(record(parse(Buffer.from(index).toString())), 'config')
  const itself = section(described, 'bucket')
  const name = upload.name || text(itself, 'name')
  const place = { pool, project, name }
  const url = `/1.0/storage-pools/${pool}/buckets/bucket/${name}`
  const keys = field(described, 'bucket_keys') as Key[] | undefined
  let made: Bucket | null = null
  const refuse = (why: string): never => {
    if (made !== null) bucketsIn(server, pool).delete(`${project}/${name}`)
    throw new Refusal(500, `Create storage bucket from backup: ${why}`)
  }
  return server.operations.task(operationOn('Restoring bucket backup', call, url), {
    begin: () => {
      if (bucketsIn(server, pool).has(`${project}/${name}`))
        refuse(
          `Failed inserting storage bucket "${name}" for project "${project}" in pool "${pool}" into database: A bucket for that name already exists`,
        )
      const more = { description: text(itself, 'description'), config: config(itself), keys: [] }
      made = addBucket(server, place, more)
      const taken = new Set(
        [...bucketsIn(server, pool).values()].flatMap((one) => one.keys.map((key) => key['access-key'])),
      )
      if ((keys ?? []).some((key) => taken.has(key['access-key'])))
        refuse('A bucket key using that access key already exists on this server')
      made.keys = [...(keys ?? [])]
      if (made.keys.length === 0) refuse('Storage bucket key not found')
      if (!made.keys.some(({ role }) => role === 'admin')) refuse('No storage bucket admin key found')
      if (server.bucketsAddress === '') refuse('The server is lacking a storage buckets listener address')
    },
    ms: server.copyMs,
    end: () => {
      const prefix = 'backup/bucket/'
      for (const [path, bytes] of files)
        if (path.startsWith(prefix))
          made?.objects.set(path.slice(prefix.length), Buffer.from(bytes).toString())
    },
  })
}
