/**
 * What the engine knows of exports: where they go, and how a file comes from Incus to there. The relay gives it real stores, a
 * simulation gives it some in memory.
 */
import type { StoreRules } from '../../shared/incus/inventory.ts'
import type { IncusRequest } from '../../shared/incus/routes.ts'
import type { SourceDetails } from '../../shared/incus/source.ts'
import type { InstanceRef } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Result } from '../../shared/result.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import type { ExportNote, Standing } from '../../shared/work/export/notes.ts'

/** A file that Incus sends. `from`: the first byte of it; `size`: of the whole file. */
export type Download = { from: number; size: number; bytes: AsyncIterable<Uint8Array> }

/** What is exported, and how it is fetched. */
export type Saving = {
  store: string
  ref: InstanceRef
  /** All that is known of it before it was read. */
  about: Omit<Manifest, 'stapes' | 'archive' | 'stored' | 'madeAt'>
  /** Bytes that the instance takes in its pool; null: the driver doesn't tell. */
  usage: number | null
  /** From that byte on. */
  open(from: number): Promise<Result<Download, CallError>>
  progress(text: string): void
}

/** One export, and the identity that opens it, where it is encrypted: only for this moment, and never in an error. */
export type Wanted = {
  store: string
  of: InstanceRef /** Null: the newest one. */
  name: string | null
  key: string | null
}

/** What is known of an export once its beginning was read. */
export type Held = {
  manifest: Manifest
  /** The instance, the volume or the bucket, as the archive describes it. */
  details: SourceDetails
  /** It is in the form of its pool's driver. */
  optimized: boolean
  /** Of a bucket: its keys, without what they are. */
  keys?: BucketKey[]
}

export type BucketKey = { name: string; role: string; description: string }

/** What an archive shall say of its instance, volume or bucket instead. */
export type Description = InstanceDescription | VolumeDescription | BucketDescription

type Place = {
  to: InstanceRef
  /** Its own, or of its root disk: name, and driver. */
  pool: string
  driver: string
  /** ISO 8601. */
  madeAt: string
}

export type InstanceDescription = Place & {
  body: {
    type: 'container' | 'virtual-machine'
    config: Record<string, string>
    devices: Record<string, Record<string, string>>
  }
  /** The root disk's device, by its name. */
  root: Record<string, Record<string, string>>
}

/** `keys`: with secrets, which stand nowhere else. */
export type BucketDescription = Place & {
  bucket: { name: string; description: string; config: Record<string, string> }
  keys: (BucketKey & { accessKey: string; secretKey: string })[]
}

export type VolumeDescription = Place & {
  volume: { name: string; content_type: string; description: string; config: Record<string, string> }
}

/** An export whose file is there, as long as it was. Times in milliseconds. */
export type Surveyed = {
  manifest: Manifest
  /** Since it was put there, by the store's own clock; null: it doesn't say. */
  age: number | null
  /** Until then its store removes it for nobody; null: it doesn't say so. */
  until: number | null
  /** Somebody holds it there, by the store's own means. */
  held: boolean
  /** How it stands by what people have said of it; absent: nobody has said anything. */
  said?: Standing
}

/** All that a store has of an instance. `strays`: what is there and is no export, each with the reason, in words. */
export type Survey = { exports: Surveyed[]; strays: string[] }

export type Exports = {
  /** Their names. */
  stores: readonly string[]
  /** How long an export stays in that one at least, in seconds. */
  minRetention(store: string): number
  /** What else is known of it. */
  about(store: string): Omit<StoreRules, 'minRetention'>
  /** Ends well only when the store holds it and its manifest. */
  save(saving: Saving): Promise<Result<Manifest, CallError>>
  /** Reads one again, to its end, and compares it; `name` null: the newest one. */
  check(
    store: string,
    ref: InstanceRef,
    name: string | null,
    progress: (text: string) => void,
  ): Promise<Result<Manifest, CallError>>
  /** The exports of an instance in a store; `name`: only that one; `newest`: only that of them. */
  list(
    store: string,
    ref: InstanceRef,
    name: string | null,
    newest?: boolean,
  ): Promise<Result<Manifest[], CallError>>
  survey(store: string, ref: InstanceRef): Promise<Result<Survey, CallError>>
  /** Removes one, whatever it is: the engine's own rules have allowed it. Ends well when it is gone. */
  remove(
    store: string,
    ref: InstanceRef,
    manifest: Manifest,
    /** By a note of somebody's, which still has to stand. */
    asked?: boolean,
  ): Promise<Result<void, CallError>>
  /** Adds what somebody says of one. */
  note(
    store: string,
    ref: InstanceRef,
    manifest: Manifest,
    note: ExportNote,
  ): Promise<Result<void, CallError>>
  /** Reads the beginning of one. */
  peek(wanted: Wanted): Promise<Result<Held, CallError>>
  /**
   * Its archive, described otherwise. What reads it gets an error instead of its end, unless all of it was what was stored;
   * `problem` says why, then.
   */
  load(wanted: Wanted, held: Held, description: Description, progress: (text: string) => void): Loading
}

export type Loading = { bytes: AsyncIterable<Uint8Array>; problem(): CallError | null }

export const NO_EXPORTS: Exports = {
  stores: [],
  minRetention: () => 0,
  about: () => ({}),
  survey: async () => noStore,
  remove: async () => noStore,
  note: async () => noStore,
  peek: async () => noStore,
  load: () => {
    throw new Error(noStore.error.message)
  },
  save: async () => noStore,
  list: async () => noStore,
  check: async () => noStore,
}

const noStore: { ok: false; error: CallError } = {
  ok: false,
  error: { code: 'export', message: 'the relay has no store to export to' },
}

/** Of an upstream that can send files. */
export type Fetch = (
  remote: string,
  request: IncusRequest,
  from: number,
) => Promise<Result<Download, CallError>>
