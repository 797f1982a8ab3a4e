/** A source instance in full, as a copy of it needs it: read just before a transfer starts. */
import * as z from 'zod/mini'
import { own } from '../own.ts'
import { err, ok, type Result } from '../result.ts'
import type { InstanceRecord, SnapshotPair } from './inventory.ts'

const strings = z.record(z.string(), z.string())

const instance = z.object({
  architecture: z.string(),
  type: z.enum(['container', 'virtual-machine']),
  description: z.nullish(z.string()),
  location: z.nullish(z.string()),
  profiles: z.nullish(z.array(z.string())),
  config: z.nullish(strings),
  devices: z.nullish(z.record(z.string(), strings)),
  expanded_config: z.nullish(strings),
  expanded_devices: z.nullish(z.record(z.string(), strings)),
})

const snapshots = z.array(
  z.object({
    name: z.string(),
    expires_at: z.string(),
    created_at: z.optional(z.string()),
    config: z.nullish(strings),
  }),
)

export type SourceDetails = {
  architecture: string
  type: InstanceRecord['type']
  /** Of a volume: `filesystem` or `block`; of an instance empty. */
  contentType: string
  /** Which one it is, whatever it is called; null: its server doesn't say. */
  uuid: string | null
  description: string
  /** Cluster member that holds it; `none` outside of a cluster. */
  location: string
  profiles: string[]
  /** The instance's own, without its profiles'. */
  config: Record<string, string>
  /** With its profiles'. */
  expanded: Record<string, string>
  devices: Record<string, Record<string, string>>
  /** With its profiles'. */
  expandedDevices: Record<string, Record<string, string>>
  /** Name of the root disk's device, and its settings, wherever they come from. */
  rootDevice: string
  root: Record<string, string>
  /** `expiresAt` as Incus writes it; year 1 means never. */
  snapshots: Expiring[]
}

/** Incus's "never". */
export const NEVER = '0001-01-01T00:00:00Z'

export const expiresAtOf = (text: string): Date | null => {
  const date = new Date(text)
  return date.getUTCFullYear() <= 1 ? null : date
}

/** From `GET /1.0/instances/N` and `GET …/snapshots?recursion=1` (their metadata). */
export function parseSource(one: unknown, list: unknown): Result<SourceDetails, string> {
  const parsed = instance.safeParse(one)
  if (!parsed.success)
    return err(`Incus described the instance unexpectedly: ${z.prettifyError(parsed.error)}`)
  const taken = parseExpiries(list)
  if (!taken.ok) return taken
  const {
    architecture,
    type,
    description,
    location,
    profiles,
    config,
    devices,
    expanded_config,
    expanded_devices,
  } = parsed.data
  const root = Object.entries(expanded_devices ?? {}).find(([, device]) => device.path === '/')
  return ok({
    architecture,
    type,
    contentType: '',
    uuid: own(config ?? {}, 'volatile.uuid') ?? null,
    description: description ?? '',
    location: location ?? '',
    profiles: profiles ?? [],
    config: config ?? {},
    expanded: expanded_config ?? {},
    devices: devices ?? {},
    expandedDevices: expanded_devices ?? {},
    rootDevice: root?.[0] ?? 'root',
    root: root?.[1] ?? {},
    snapshots: taken.value,
  })
}

const volume = z.object({
  content_type: z.string().check(z.minLength(1)),
  created_at: z.string(),
  description: z.nullish(z.string()),
  location: z.nullish(z.string()),
  config: z.nullish(strings),
})

/** The same of a custom volume, from `GET …/volumes/custom/V` and its own list of snapshots. It has no profiles. */
export function parseVolumeSource(one: unknown, list: unknown): Result<SourceDetails, string> {
  const parsed = volume.safeParse(one)
  if (!parsed.success) return err(`Incus described the volume unexpectedly: ${z.prettifyError(parsed.error)}`)
  const taken = parseExpiries(list)
  if (!taken.ok) return taken
  const { content_type: contentType, created_at, description, location, config } = parsed.data
  return ok({
    ...{
      architecture: '',
      type: 'volume',
      contentType,
      uuid: isMoment(created_at) ? volumeUuid(created_at) : null,
    },
    ...{ description: description ?? '', location: location ?? '', profiles: [], config: config ?? {} },
    ...{ expanded: {}, devices: {}, expandedDevices: {}, rootDevice: '', root: {} },
    snapshots: taken.value,
  })
}

/** It becomes a mark on the copy, so it must not be any text. */
const isMoment = (text: string): boolean => /^[\w:.+-]{1,40}$/.test(text)

/** Incus gives volumes no uuid: when it made one tells it from all others, to the nanosecond. A rename keeps that. */
export const volumeUuid = (created: string): string => created.replaceAll('.', '_')

/** `createdAt`: seconds since the epoch, if known. `config`: the instance's own, as it was then. */
export type Expiring = {
  name: string
  expiresAt: string
  createdAt?: number
  config?: Record<string, string>
}

/** When each is removed by itself (milliseconds since the epoch; null: never), by name. */
export const endsOf = (rows: readonly Expiring[]): Map<string, number | null> =>
  new Map(rows.map(({ name, expiresAt }) => [name, expiresAtOf(expiresAt)?.getTime() ?? null]))

/** One without a date counts as older than all. */
export const pairOf = ({ name, createdAt }: Expiring): SnapshotPair => [name, createdAt ?? 0]

const expiriesOf = (list: z.infer<typeof snapshots>): Expiring[] =>
  list.map(({ name, expires_at, created_at, config }) => {
    const createdAt = Math.floor(Date.parse(created_at ?? '') / 1000)
    return {
      name,
      expiresAt: expires_at,
      ...(Number.isNaN(createdAt) ? {} : { createdAt }),
      ...(config == null ? {} : { config }),
    }
  })

/** From `GET …/snapshots?recursion=1` (its metadata). */
export function parseExpiries(list: unknown): Result<Expiring[], string> {
  const taken = snapshots.safeParse(list)
  return taken.success
    ? ok(expiriesOf(taken.data))
    : err(`Incus listed the snapshots unexpectedly: ${z.prettifyError(taken.error)}`)
}
