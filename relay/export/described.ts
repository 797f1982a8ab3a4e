/** How Incus describes an instance in an archive, read and written. */
import { type Document, parseDocument } from 'yaml'
import { z } from 'zod'
import { parseSource } from '../../shared/incus/source.ts'
import type { Description, Held } from '../engine/exports.ts'
import { odd } from './frames.ts'

const strings = z.record(z.string(), z.string())
const devices = z.record(z.string(), strings)

/** All values are texts here: what another reader would take for a number is one there as well. */
const indexSchema = z.object({
  optimized: z.string().optional(),
  type: z.enum(['container', 'virtual-machine']),
  snapshots: z.array(z.unknown()).optional(),
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

/** `text`: of the archive's index. */
export function parseIndex(text: string): Omit<Held, 'manifest'> {
  const document = parseDocument(text, { schema: 'failsafe', version: '1.1', uniqueKeys: true, strict: true })
  const [wrong = null] = [...document.errors, ...document.warnings]
  if (wrong !== null) throw odd(`its index can't be read, at ${wrong.pos[0]}`)
  const parsed = indexSchema.safeParse(plainOf(document))
  if (!parsed.success) throw odd(`its index has another form, at ${parsed.error.issues[0]?.path.join('.')}`)
  const { type, config, optimized, snapshots = [] } = parsed.data
  if (snapshots.length > 0) throw odd('it holds snapshots')
  const details = parseSource({ ...config.container, type }, [])
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

/** Incus reads the index to know what comes, and the details to make the instance. JSON is YAML, too. */
export function describe({ to, body, pool, root, driver, madeAt }: Description): {
  index: string
  details: string
} {
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
