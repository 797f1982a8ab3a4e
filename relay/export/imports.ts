/** Exports that are read in order to import them: their beginning, and then all of it, compared with what was stored. */
import type { InstanceRef } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { CORRUPT, KEY, type Manifest, MISSING } from '../../shared/work/export/manifest.ts'
import type { Exports, Wanted } from '../engine/exports.ts'
import { collected } from './collect.ts'
import { describe, parseIndex } from './described.ts'
import { OddArchive } from './frames.ts'
import { gathered } from './gathered.ts'
import { KeyError, opened } from './opened.ts'
import { folderOf } from './paths.ts'
import type { Reading } from './reading.ts'
import { CorruptExport } from './reread.ts'
import { readIndex, rewritten } from './rewritten.ts'
import type { Store } from './store.ts'

type Io = {
  storeOf(name: string): Store | undefined
  list(store: Store, ref: InstanceRef, only: string | null, newest: boolean): Promise<Manifest[]>
  failure(store: string, cause: unknown): CallError
  unknown(store: string): { ok: false; error: CallError }
  reading: Reading
  /** Gets bytes of bytes. */
  paced(progress: (text: string) => void): (bytes: number, of: number) => void
}

export function createImports(io: Io): Pick<Exports, 'peek' | 'load'> {
  return {
    async peek(wanted) {
      const store = io.storeOf(wanted.store)
      if (store === undefined) return io.unknown(wanted.store)
      try {
        const manifest = await chosen(store, wanted, io)
        if (!manifest.ok) return manifest
        const path = pathOf(wanted.of, manifest.value)
        const index = parseIndex(await readIndex(opened(store, path, manifest.value, wanted.key)))
        return ok({ manifest: manifest.value, ...index })
      } catch (cause) {
        return err(errorOf(wanted, cause, io))
      }
    },
    load(wanted, { manifest }, description, progress) {
      const store = io.storeOf(wanted.store)
      if (store === undefined) throw new Error(io.unknown(wanted.store).error.message)
      const said = io.paced(progress)
      let problem: CallError | null = null
      const bytes = async function* (): AsyncGenerator<Uint8Array> {
        try {
          const path = pathOf(wanted.of, manifest)
          const archive = opened(store, path, manifest, wanted.key, (read) =>
            said(read, manifest.stored.bytes),
          )
          const changed = gathered(rewritten(collected(archive), describe(description)))
          yield* io.reading.passing(`${wanted.store} ${path}`, changed)
        } catch (cause) {
          problem = errorOf(wanted, cause, io)
          throw cause
        }
      }
      return { bytes: bytes(), problem: () => problem }
    },
  }
}

/** The one of that name, or the newest. */
async function chosen(store: Store, wanted: Wanted, io: Io): Promise<Result<Manifest, CallError>> {
  const [manifest] = await io.list(store, wanted.of, wanted.name, true)
  if (manifest !== undefined) return ok(manifest)
  return err({
    ...io.failure(wanted.store, `there is no ${wanted.name ?? 'export'} of it there`),
    status: MISSING,
  })
}

const pathOf = (of: InstanceRef, { stored }: Manifest): string => `${folderOf(of)}/${stored.file}`

function errorOf(wanted: Wanted, cause: unknown, io: Io): CallError {
  const error = io.failure(wanted.store, cause)
  if (cause instanceof KeyError) return { ...error, status: KEY }
  return cause instanceof CorruptExport || cause instanceof OddArchive ? { ...error, status: CORRUPT } : error
}
