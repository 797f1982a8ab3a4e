/**
 * What Incus sends, key by key. Every reply that the suite reads goes through these schemas, so that a missing
 * key is a failure wherever it appears. A new one is none: each version adds some.
 */

import { z } from 'zod'

/** RFC 3339 in UTC, whole seconds or up to nanoseconds. */
const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
/** A date that a client gave keeps the client's offset. */
const given = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/)
const config = z.record(z.string(), z.string())
const devices = z.record(z.string(), config)

/** `expires_at` of what never expires. */
export const NEVER = '0001-01-01T00:00:00Z'

export const envelopeSchema = z.looseObject({
  type: z.enum(['sync', 'async', 'error']),
  status: z.enum(['', 'Success', 'Operation created']),
  status_code: z.number(),
  operation: z.string(),
  error_code: z.number(),
  error: z.string(),
  metadata: z.unknown(),
})
export type Envelope = z.infer<typeof envelopeSchema>

export const operationSchema = z.looseObject({
  id: z.uuid(),
  class: z.enum(['task', 'websocket', 'token']),
  description: z.string(),
  created_at: instant,
  updated_at: instant,
  status: z.string(),
  status_code: z.number(),
  resources: z.record(z.string(), z.array(z.string())),
  metadata: z.record(z.string(), z.unknown()).nullable(),
  may_cancel: z.boolean(),
  err: z.string(),
  location: z.literal('none'),
})
export type Operation = z.infer<typeof operationSchema>

/** Operations by lower-case status; a status without operations has no key. */
export const operationListSchema = z.partialRecord(
  z.enum(['running', 'success', 'failure', 'cancelled', 'pending', 'cancelling']),
  z.array(operationSchema),
)

export const snapshotSchema = z.looseObject({
  name: z.string(),
  created_at: instant,
  expires_at: given,
  last_used_at: instant,
  stateful: z.boolean(),
  size: z.number(),
  architecture: z.string(),
  ephemeral: z.boolean(),
  profiles: z.array(z.string()),
  config,
  devices,
  expanded_config: config,
  expanded_devices: devices,
})
export type Snapshot = z.infer<typeof snapshotSchema>

export const instanceSchema = z.looseObject({
  name: z.string(),
  project: z.string(),
  type: z.enum(['container', 'virtual-machine']),
  status: z.string(),
  status_code: z.number(),
  location: z.literal('none'),
  description: z.string(),
  architecture: z.string(),
  created_at: instant,
  last_used_at: instant,
  ephemeral: z.boolean(),
  stateful: z.boolean(),
  profiles: z.array(z.string()),
  config,
  devices,
  expanded_config: config,
  expanded_devices: devices,
})
export type Instance = z.infer<typeof instanceSchema>

/** recursion=2. */
export const fullInstanceSchema = instanceSchema.extend({
  backups: z.array(z.unknown()).nullable(),
  state: z.record(z.string(), z.unknown()).nullable(),
  snapshots: z.array(snapshotSchema).nullable(),
})

export const poolSchema = z.looseObject({
  name: z.string(),
  driver: z.string(),
  description: z.string(),
  status: z.literal('Created'),
  locations: z.array(z.literal('none')),
  /** Null to a restricted client. */
  config: config.nullable(),
  used_by: z.array(z.string()),
})

export const extensionsSchema = z.object({ api_extensions: z.array(z.string()) })

/**
 * From 6.0.6, 6.19 and 7.0 on snapshots stand inside their volume's row. Nothing names the other changes of those
 * days (waits, texts, rights), so they are told by this extension too.
 */
export const NESTED = 'storage_volume_full'

/** A row of a pool's volumes: an instance, or, without `NESTED`, `instance/snapshot`. */
export const volumeSchema = z.looseObject({
  name: z.string(),
  type: z.enum(['container', 'virtual-machine']),
  content_type: z.enum(['filesystem', 'block']),
  project: z.string(),
  location: z.literal('none'),
  description: z.string(),
  created_at: instant,
  used_by: z.array(z.string()),
  config,
})

/** With `NESTED`, by recursion=2. */
export const fullVolumeSchema = volumeSchema.extend({
  backups: z.array(z.unknown()).nullable(),
  state: z.record(z.string(), z.unknown()).nullable(),
  /** Null stands for none, and for a member that is away. */
  snapshots: z
    .array(
      z.looseObject({
        name: z.string(),
        description: z.string(),
        created_at: instant,
        expires_at: given.nullable(),
        config,
        content_type: z.string(),
      }),
    )
    .nullable(),
})
