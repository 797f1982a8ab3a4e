/**
 * The manifest beside an exported file. It is written last: only with it an export exists. Whoever reads it can
 * check the file without stapes: the hash of what is stored, and of the archive within.
 */
import * as z from 'zod/mini'
import type { SnapshotPair } from '../../incus/inventory.ts'

const text = z.string()
const bytes = z.int().check(z.gte(0))
const sha256 = text.check(z.regex(/^[0-9a-f]{64}$/))
const strings = z.record(text, text)

/** What stands in the place of a snapshot's name where there is none: it is exported as it is then. */
export const LIVE = 'live'

const manifestSchema = z.object({
  stapes: z.literal('export 1'),
  /** `remote/project/instance`, `remote/project/pool:volume`, or `remote/project/pool::bucket`. */
  instance: text,
  name: text,
  /** Of a bucket `LIVE`, and when its backup began. */
  snapshot: z.object({ name: text, createdAt: text }),
  madeAt: text,
  /** Of the server. */
  incus: text,
  type: z.enum(['container', 'virtual-machine', 'volume', 'bucket']),
  /** Of a custom volume alone, whose pool is in its key; its config is in the archive. */
  volume: z.exactOptional(z.object({ contentType: text, description: text })),
  driver: text,
  /** In the form of that driver: no other pool can take it back. */
  optimized: z.boolean(),
  /** The tar that Incus made, uncompressed. */
  archive: z.object({ bytes, sha256, entries: bytes }),
  /** What the store holds. */
  stored: z.object({
    file: text,
    bytes,
    sha256,
    compression: z.literal('zstd'),
    encryption: z.nullable(z.literal('age')),
    recipients: z.array(text),
  }),
  /** What the instance in the archive lacks of the snapshot's own config and devices, or has otherwise. */
  leftOut: z.object({ config: strings, devices: z.record(text, strings) }),
  /** The policy whose slot it was made for; absent: somebody asked for it, or an earlier version made it. */
  policy: z.exactOptional(text),
  /** Which installation of stapes had it made (see plan/installation.ts); absent: an earlier version. */
  owner: z.exactOptional(text),
})

export type Manifest = z.output<typeof manifestSchema>

/** Null: it is none. */
export function parseManifest(value: unknown): Manifest | null {
  const parsed = manifestSchema.safeParse(value)
  return parsed.success ? parsed.data : null
}

/** The status of an error that tells of an export which is not what was stored. */
export const CORRUPT = 409

/** And of one that there is not. */
export const MISSING = 404

/** And of one that needs another key, or one at all. */
export const KEY = 403

/** And of one that its store removes for nobody now, or that it doesn't let the relay remove. */
export const LOCKED = 423

/** What the Worker needs to know of one. */
export type ExportRow = Pick<Manifest, 'name' | 'snapshot' | 'madeAt' | 'optimized' | 'policy' | 'owner'> & {
  store: string
  /** Of what is stored. */
  bytes: number
  sha256: string
  encrypted: boolean
  /** Somebody holds it in its store. */
  held?: true
  /** Why, where that is known. */
  why?: string
  /** It is removed for nobody until then (ISO 8601). */
  until?: string
  /** Somebody has it removed then (ISO 8601). */
  going?: string
}

/** All that a store has of an instance. */
export type ExportSurvey = {
  /** The newest first. */
  rows: ExportRow[]
  /** What is there beside them and is no export, each with the reason, in words. */
  strays: string[]
}

/** The snapshot in it. */
export const pairIn = ({ snapshot: { name, createdAt } }: Pick<Manifest, 'snapshot'>): SnapshotPair => [
  name,
  Math.floor(Date.parse(createdAt) / 1000),
]

export const rowOf = (store: string, manifest: Manifest): ExportRow => {
  const { name, snapshot, madeAt, optimized, stored, policy, owner } = manifest
  return {
    ...{ store, name, snapshot, madeAt, optimized },
    ...{ bytes: stored.bytes, sha256: stored.sha256, encrypted: stored.encryption !== null },
    ...(policy === undefined ? {} : { policy }),
    ...(owner === undefined ? {} : { owner }),
  }
}

export const exportRowSchema = z.object({
  store: text,
  name: text,
  snapshot: z.object({ name: text, createdAt: text }),
  madeAt: text,
  optimized: z.boolean(),
  bytes,
  sha256,
  encrypted: z.boolean(),
  policy: z.exactOptional(text),
  owner: z.exactOptional(text),
  held: z.exactOptional(z.literal(true)),
  why: z.exactOptional(text),
  until: z.exactOptional(text),
  going: z.exactOptional(text),
})

const surveySchema = z.object({ rows: z.array(exportRowSchema), strays: z.array(text) })

/** Null: it is none. */
export function parseSurvey(value: unknown): ExportSurvey | null {
  const parsed = surveySchema.safeParse(value)
  return parsed.success ? parsed.data : null
}

/** Null: it is no list of them. */
export function parseRows(value: unknown): ExportRow[] | null {
  const parsed = z.array(exportRowSchema).safeParse(value)
  return parsed.success ? parsed.data : null
}

/** `reason`: why it stays, or that it goes. */
export type ListedExport = ExportRow & { reason: string }

/**
 * What the stores have of an instance, the newest first; null: that store could not be read, and why. `strays`: what is no export
 * though it looks like one, in words. `deletes`: whether the relay's own key could delete what the store holds; null: nobody has looked.
 */
export type StoredExports = {
  instance: string
  stores: {
    store: string
    exports: ListedExport[] | null
    problem: string | null
    strays: string[]
    deletes?: string | null
  }[]
}
