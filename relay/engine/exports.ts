/**
 * What the engine knows of exports: where they go, and how a file comes from Incus to there. The relay gives it real stores, a
 * simulation gives it some in memory.
 */
import type { IncusRequest } from '../../shared/incus/routes.ts'
import type { InstanceRef } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Result } from '../../shared/result.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'

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

export type Exports = {
  /** Their names. */
  stores: readonly string[]
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
}

export const NO_EXPORTS: Exports = {
  stores: [],
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
