/** How Incus describes an instance, a custom volume or a bucket in an archive, read and written. */
import { type Document, parseDocument } from 'yaml'
import { z } from 'zod'
import { parseSource, parseVolumeSource, type SourceDetails } from '../../shared/incus/source.ts'
import type {
  BucketDescription,
  Description,
  Held,
  InstanceDescription,
  VolumeDescription,
} from '../engine/exports.ts'
import { odd } from './frames.ts'

const strings = z.record(z.string(), z.string())
const devices = z.record(z.string(), strings)

/** All values are texts here: what another reader would take for a number is one there as well. */
const base = { optimized: z.string().optional(), snapshots: z.array(z.unknown()).optional() }

const instanceSchema = z.object({
  ...base,
  type: z.enum(['container', 'virtual-machine']),
  config: z.object({
    container: z.object({
      architecture: z.string(),
      config: strings.optional(),
      devices: devices.optional(),
      expanded_devices: devices.optional(),
      profiles: z.array(z.string()).optional(),
      description: z.string().optional(),
    }),
  }),
})

const volumeSchema = z.object({
  ...base,
  type: z.literal('custom'),
  config: z.object({
    volume: z.object({
      config: strings.optional(),
      description: z.string().optional(),
      content_type: z.enum(['filesystem', 'block']),
      created_at: z.string(),
    }),
  }),
})

/** Without the keys' secrets: nobody needs them here. */
const bucketSchema = z.object({
  ...base,
  type: z.literal('bucket'),
  config: z.object({
    bucket: z.object({ config: strings.optional(), description: z.string().optional() }),
    bucket_keys: z
      .array(z.object({ name: z.string(), role: z.string(), description: z.string().optional() }))
      .optional(),
  }),
})

const indexSchema = z.discriminatedUnion('type', [instanceSchema, volumeSchema, bucketSchema])

/** `text`: of the archive's index. */
export function parseIndex(text: string): Omit<Held, 'manifest'> {
  const document = parseDocument(text, { schema: 'failsafe', version: '1.1', uniqueKeys: true, strict: true })
  const [wrong = null] = [...document.errors, ...document.warnings]
  if (wrong !== null) throw odd(`its index can't be read, at ${wrong.pos[0]}`)
  const parsed = indexSchema.safeParse(plainOf(document))
  if (!parsed.success) throw odd(`its index has another form, at ${parsed.error.issues[0]?.path.join('.')}`)
  const { optimized, snapshots = [] } = parsed.data
  if (snapshots.length > 0) throw odd('it holds snapshots')
  const { data } = parsed
  if (data.type === 'bucket') {
    const { bucket, bucket_keys: keys = [] } = data.config
    return {
      details: bucketDetails(bucket.config ?? {}, bucket.description ?? ''),
      optimized: optimized === 'true',
      keys: keys.map(({ name, role, description = '' }) => ({ name, role, description })),
    }
  }
  const details =
    data.type === 'custom'
      ? parseVolumeSource(data.config.volume, [])
      : parseSource({ ...data.config.container, type: data.type }, [])
  if (!details.ok) throw odd(details.error)
  return { details: details.value, optimized: optimized === 'true' }
}

function plainOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    throw odd('its index refers to parts of itself')
  }
}

const bucketDetails = (config: Record<string, string>, description: string): SourceDetails => ({
  ...{ architecture: '', type: 'bucket', contentType: '', uuid: null, description, location: '' },
  ...{ profiles: [], config, expanded: {}, devices: {}, expandedDevices: {}, rootDevice: '', root: {} },
  snapshots: [],
})

/** `details`: what takes the place of Incus's own file; null: there is none. `content`: what a volume holds. */
export type Described = { index: string; details: string | null; content?: string }

/** Incus reads the index to know what comes, and the details to make the instance. JSON is YAML, too. */
export function describe(description: Description): Described {
  if ('bucket' in description) return describeBucket(description)
  return 'volume' in description ? describeVolume(description) : describeInstance(description)
}

/** A bucket is made of the index alone, its keys included. */
function describeBucket({ to, bucket, keys, pool, driver }: BucketDescription): Described {
  const { name } = bucket
  const itself = { ...bucket, s3_url: '', location: 'none', project: to.project }
  const config = {
    bucket: itself,
    bucket_keys: keys.map(({ accessKey, secretKey, ...key }) => ({
      ...key,
      'access-key': accessKey,
      'secret-key': secretKey,
    })),
  }
  return {
    index: render({ name, backend: driver, pool, type: 'bucket', config }),
    details: null,
    content: 'bucket',
  }
}

/** A volume is made of the index alone. Its date tells it from others, so it is a new one. */
function describeVolume({ to, volume, pool, driver, madeAt }: VolumeDescription): Described {
  const { name } = volume
  const index = { name, backend: driver, pool, optimized: false, optimized_header: false, type: 'custom' }
  const details = {
    ...{ ...volume, type: 'custom', used_by: [], location: 'none' },
    ...{ project: to.project, created_at: madeAt },
  }
  return {
    index: render({ ...index, config: { volume: details } }),
    details: null,
    content: volume.content_type,
  }
}

function describeInstance({ to, body, pool, root, driver, madeAt }: InstanceDescription): Described {
  const { config, devices: own, ...rest } = body
  const { type } = rest
  const [project, name] = [to.project, to.instance]
  const container = {
    ...{ ...rest, config, devices: own, stateful: false, created_at: madeAt, name },
    expanded_config: config,
    expanded_devices: { ...own, ...root },
    ...{ status: 'Stopped', status_code: 102, last_used_at: '1970-01-01T00:00:00Z', location: 'none' },
    project,
  }
  const details = {
    container,
    pool: {
      ...{ config: {}, description: '', name: pool, driver, used_by: [], status: 'Created' },
      locations: ['none'],
    },
    volume: {
      ...{ config: {}, description: '', name, type, used_by: [], location: 'none', project },
      content_type: type === 'container' ? 'filesystem' : 'block',
      created_at: madeAt,
    },
  }
  const index = { name, backend: driver, pool, optimized: false, optimized_header: false, type }
  return { index: render({ ...index, config: details }), details: render(details) }
}

/** Without characters that YAML doesn't take as they are. */
const render = (value: unknown): string =>
  JSON.stringify(value, null, 1).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
