/** The stores of the relay's configuration, as the engine uses them. */
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { own } from '../../shared/own.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { safeText } from '../../shared/safe-text.ts'
import { CORRUPT, type Manifest, MISSING, parseManifest } from '../../shared/work/export/manifest.ts'
import type { Exports } from '../engine/exports.ts'
import { createDirectory } from './directory.ts'
import { folderOf } from './paths.ts'
import { CorruptExport, reread } from './reread.ts'
import { createBucket } from './s3.ts'
import { save, type Target } from './save.ts'
import { type Store, StoreError } from './store.ts'
import type { StoreConfig } from './stores-schema.ts'
import type { Unfinished, UnfinishedList } from './unfinished.ts'

export type RunningExports = Exports & {
  /** Removes what earlier lives of the relay have left; what can't be removed now stays on the list. */
  clear(): Promise<void>
  close(): Promise<void>
}

export function createExports(
  configured: Readonly<Record<string, StoreConfig>>,
  unfinished: UnfinishedList,
  log: (line: string) => void,
): RunningExports {
  const targets: Record<string, Target & { close(): Promise<void> }> = Object.fromEntries(
    Object.entries(configured).map(([name, config]) => [name, targetOf(name, config)]),
  )
  const pace = createPace()
  let left = unfinished.all()
  const clear = async (): Promise<void> => {
    const [now, cleared] = [left, new Set<Unfinished>()]
    for (const one of now) {
      const target = own(targets, one.store)
      const done =
        target === undefined
          ? err({ code: 'export', message: 'it is no longer configured' } as const)
          : await tried(one.store, () => discard(target.store, one))
      if (done.ok) {
        unfinished.drop(one)
        cleared.add(one)
      } else log(`an interrupted export left ${one.file} in "${one.store}": ${done.error.message}`)
    }
    left = left.filter((one) => !cleared.has(one))
  }
  return {
    stores: Object.keys(configured),
    async save(saving) {
      const target = own(targets, saving.store)
      if (target === undefined) return unknown(saving.store)
      const why = pace.refuse(subjectKey(saving.ref))
      if (why !== null) return err({ code: 'export', message: why })
      await clear()
      return tried(saving.store, () => save(saving, target, unfinished))
    },
    async list(name, ref, only, newest = false) {
      const target = own(targets, name)
      if (target === undefined) return unknown(name)
      return tried(name, () => list(target.store, ref, only, newest))
    },
    async check(name, ref, only, progress) {
      const target = own(targets, name)
      if (target === undefined) return unknown(name)
      try {
        const [manifest] = await list(target.store, ref, only, true)
        if (manifest === undefined)
          return err({ ...failure(name, `there is no ${only ?? 'export'} of it there`), status: MISSING })
        const said = paced(progress)
        await reread(target.store, folderOf(ref), manifest, said)
        return ok(manifest)
      } catch (cause) {
        const failed = failure(name, cause)
        return err(cause instanceof CorruptExport ? { ...failed, status: CORRUPT } : failed)
      }
    },
    clear,
    async close() {
      await Promise.all(Object.values(targets).map((target) => target.close()))
    },
  }
}

/** Of one instance within a day. Whoever may ask for exports could fill a store. */
const MOST = 24
const DAY = 86_400_000

function createPace(): { refuse(instance: string): string | null } {
  const begun = new Map<string, number[]>()
  return {
    refuse(instance) {
      const now = Date.now()
      const recent = (begun.get(instance) ?? []).filter((at) => now - at < DAY)
      if (recent.length >= MOST)
        return `${instance} was exported ${MOST} times within a day, with tries that failed: the next one may begin at ${new Date((recent[0] ?? now) + DAY).toISOString()}`
      begun.set(instance, [...recent, now])
      return null
    },
  }
}

function targetOf(name: string, config: StoreConfig): Target & { close(): Promise<void> } {
  const { recipients } = config
  if (config.type === 'directory')
    return { name, recipients, store: createDirectory(config.path), close: async () => {} }
  const store = createBucket(config)
  return { name, recipients, store, close: store.close }
}

/** A manifest that can't be read is an error, and not nothing. */
async function list(
  store: Store,
  ref: InstanceRef,
  only: string | null,
  newest = false,
): Promise<Manifest[]> {
  const folder = folderOf(ref)
  const names = only === null ? await store.list(folder, '.json') : [`${only}.json`]
  const found: Manifest[] = []
  for (const name of names.toSorted().toReversed()) {
    if (newest && found.length > 0) break
    const text = await store.read(`${folder}/${name}`)
    // A name that was taken by a writer that was killed then.
    if (text === null || text === '') continue
    const manifest = parseManifest(readJson(text))
    if (manifest === null)
      throw new StoreError(
        `${folder}/${name} is no manifest of an export: if nobody needs it, move it to another place`,
      )
    found.push(manifest)
  }
  return found
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** What a manifest names was exported all the same. */
async function discard(store: Store, { manifest, file, token }: Unfinished): Promise<void> {
  const text = await store.read(manifest)
  if (text?.includes(file.slice(file.lastIndexOf('/') + 1)) === true) return
  await store.discard(file, token)
}

async function tried<T>(store: string, work: () => Promise<T>): Promise<Result<T, CallError>> {
  try {
    return ok(await work())
  } catch (cause) {
    return err(failure(store, cause))
  }
}

function failure(store: string, cause: unknown): CallError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return { code: 'export', message: `store "${store}": ${safeText(why, 700)}` }
}

const SECOND = 1000

/** Each second at most, in the form in which Incus reports it. */
function paced(progress: (text: string) => void): (bytes: number, of: number) => void {
  const began = Date.now()
  let said = began
  return (bytes, of) => {
    const now = Date.now()
    if (now - said < SECOND) return
    said = now
    const rate = (bytes / (now - began) / 1000).toFixed(2)
    progress(`check (${Math.floor((bytes / of) * 100)} %): ${(bytes / 1e6).toFixed(2)}MB (${rate}MB/s)`)
  }
}

const unknown = (store: string): { ok: false; error: CallError } =>
  err({ code: 'export', message: `the relay has no store "${store}" in its configuration` })
