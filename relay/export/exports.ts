/** The stores of the relay's configuration, as the engine uses them. */
import type { Deletes } from '../../shared/incus/inventory.ts'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { own } from '../../shared/own.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { safeText } from '../../shared/safe-text.ts'
import { CORRUPT, LOCKED, type Manifest, MISSING } from '../../shared/work/export/manifest.ts'
import { eachOf } from '../engine/each.ts'
import type { Exports } from '../engine/exports.ts'
import { createDirectory } from './directory.ts'
import type { Identities } from './identities.ts'
import { createImports } from './imports.ts'
import { createLeftovers } from './leftovers.ts'
import { checkLock } from './lock-check.ts'
import { list } from './manifests.ts'
import { writeNote } from './notes.ts'
import { folderOf } from './paths.ts'
import { createReading } from './reading.ts'
import { LockedExport, removeExport } from './removing.ts'
import { CorruptExport, reread } from './reread.ts'
import { createBucket } from './s3.ts'
import { save, type Target } from './save.ts'
import type { Store } from './store.ts'
import type { StoreConfig } from './stores-schema.ts'
import { survey } from './survey.ts'
import type { UnfinishedList } from './unfinished.ts'

export type RunningExports = Exports & {
  /** Removes what earlier lives of the relay have left; what can't be removed now stays on the list. */
  clear(): Promise<void>
  /** Finds out what the relay's own keys could delete. */
  checkLocks(): Promise<void>
  close(): Promise<void>
}

export function createExports(
  configured: Readonly<Record<string, StoreConfig>>,
  { unfinished, identities }: { unfinished: UnfinishedList; identities: Identities },
  log: (line: string) => void,
  now: () => number = Date.now,
): RunningExports {
  const targets: Record<string, Target & { close(): Promise<void> }> = Object.fromEntries(
    Object.entries(configured).map(([name, config]) => [name, targetOf(name, config, identities)]),
  )
  const pace = createPace(now)
  const reading = createReading()
  const left = createLeftovers(
    Object.fromEntries(Object.entries(targets).map(([name, { store }]) => [name, store])),
    unfinished,
    { log, now },
  )
  const clear = async (): Promise<void> => {
    const named = new Set(unfinished.all().map(({ store }) => store))
    await Promise.all([...named].map(left.clear))
  }
  const deletes = new Map<string, Deletes>()
  const checkLocks = async (): Promise<void> => {
    // Whoever has the relay's machine can delete what is in its directories.
    const buckets = Object.entries(configured).filter(([, { type }]) => type === 's3')
    await Promise.all(
      buckets.map(async ([name]) => {
        const target = own(targets, name)
        if (target !== undefined) deletes.set(name, await checkLock(target.store, now()))
      }),
    )
  }
  const again = setInterval(() => void clear(), HOUR).unref()
  const daily = setInterval(() => void checkLocks(), DAY).unref()
  return {
    stores: Object.keys(configured),
    minRetention: (name) => own(configured, name)?.minRetention ?? 0,
    about(name) {
      const found = deletes.get(name)
      return {
        ...(own(configured, name)?.locked === true ? { locked: true as const } : {}),
        ...(own(configured, name)?.removeLast === true ? { removeLast: true as const } : {}),
        ...((own(targets, name)?.recipients.length ?? 0) > 0 ? { encrypted: true as const } : {}),
        ...(found === undefined ? {} : { deletes: found }),
      }
    },
    checkLocks,
    async save(saving) {
      const target = own(targets, saving.store)
      if (target === undefined) return unknown(saving.store)
      const begun = pace.begin(subjectKey(saving.ref))
      if (!begun.ok) return err({ code: 'export', message: begun.error })
      const saved = await tried(saving.store, () => left.during((list) => save(saving, target, list)))
      if (!saved.ok) begun.value()
      void left.clear(saving.store)
      return saved
    },
    async list(name, ref, only, newest = false) {
      const target = own(targets, name)
      if (target === undefined) return unknown(name)
      return tried(name, async () => {
        const { store } = target
        const found = await list(store, ref, only, newest)
        const there = await withFiles(store, ref, found)
        if (!newest || found.length === there.length) return there
        // The last one has lost its file: then an older one is the newest.
        return (await withFiles(store, ref, await list(store, ref, only))).slice(0, 1)
      })
    },
    async check(name, ref, only, progress) {
      const target = own(targets, name)
      if (target === undefined) return unknown(name)
      try {
        const [manifest] = await list(target.store, ref, only, true)
        if (manifest === undefined)
          return err({ ...failure(name, `there is no ${only ?? 'export'} of it there`), status: MISSING })
        const said = paced('check', progress)
        const folder = folderOf(ref)
        await reading.during(`${name} ${folder}/${manifest.stored.file}`, () =>
          reread(target.store, folder, manifest, said),
        )
        return ok(manifest)
      } catch (cause) {
        const failed = failure(name, cause)
        return err(cause instanceof CorruptExport ? { ...failed, status: CORRUPT } : failed)
      }
    },
    async survey(name, ref) {
      const target = own(targets, name)
      if (target === undefined) return unknown(name)
      return tried(name, () => survey(target.store, ref, (path) => left.has(name, path), now()))
    },
    async note(name, ref, { stored: { file } }, note) {
      const target = own(targets, name)
      if (target === undefined) return unknown(name)
      return tried(name, () => writeNote(target.store, { folder: folderOf(ref), file }, note, now()))
    },
    async remove(name, ref, manifest, asked = false) {
      const target = own(targets, name)
      if (target === undefined) return unknown(name)
      if (reading.has(`${name} ${folderOf(ref)}/${manifest.stored.file}`))
        return err({ code: 'locked', message: `${manifest.name} in "${name}" is being read` })
      try {
        return ok(
          await left.during((list) => removeExport(target, ref, manifest, { list, now: now(), asked })),
        )
      } catch (cause) {
        const failed = failure(name, cause)
        return err(cause instanceof LockedExport ? { ...failed, status: LOCKED } : failed)
      }
    },
    ...createImports({
      storeOf: (name) => own(targets, name)?.store,
      ...{ list, failure, unknown, reading },
      paced: (progress) => paced('import', progress),
    }),
    clear,
    async close() {
      clearInterval(again)
      clearInterval(daily)
      await Promise.all(Object.values(targets).map((target) => target.close()))
    },
  }
}

/** Of one instance within a day. Whoever may ask for exports could fill a store. */
const MOST = 24
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Counts what is being made and what was made: a try that failed leaves nothing. */
function createPace(now: () => number): { begin(instance: string): Result<() => void, string> } {
  const begun = new Map<string, readonly { at: number }[]>()
  return {
    begin(instance) {
      const recent = (begun.get(instance) ?? []).filter(({ at }) => now() - at < DAY)
      if (recent.length >= MOST)
        return err(
          `${instance} was exported ${MOST} times within a day: the next one may begin at ${new Date((recent[0]?.at ?? now()) + DAY).toISOString()}`,
        )
      const mine = { at: now() }
      begun.set(instance, [...recent, mine])
      return ok(() =>
        begun.set(
          instance,
          (begun.get(instance) ?? []).filter((one) => one !== mine),
        ),
      )
    },
  }
}

function targetOf(
  name: string,
  config: StoreConfig,
  identities: Identities,
): Target & { close(): Promise<void> } {
  const { recipients } = config
  if (config.type === 'directory')
    return {
      name,
      recipients,
      store: createDirectory(config.path, identities(config.path)),
      close: async () => {},
    }
  const store = createBucket(config)
  return { name, recipients, store, close: store.close }
}

/** Requests. */
const AT_ONCE = 8

/** A manifest alone is no export. */
async function withFiles(store: Store, ref: InstanceRef, manifests: Manifest[]): Promise<Manifest[]> {
  const there = new Set<Manifest>()
  await eachOf(manifests, AT_ONCE, async (one) => {
    if ((await store.size(`${folderOf(ref)}/${one.stored.file}`)) !== null) there.add(one)
  })
  return manifests.filter((one) => there.has(one))
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
function paced(what: string, progress: (text: string) => void): (bytes: number, of: number) => void {
  const began = Date.now()
  let said = began
  return (bytes, of) => {
    const now = Date.now()
    if (now - said < SECOND) return
    said = now
    const rate = (bytes / (now - began) / 1000).toFixed(2)
    progress(`${what} (${Math.floor((bytes / of) * 100)} %): ${(bytes / 1e6).toFixed(2)}MB (${rate}MB/s)`)
  }
}

const unknown = (store: string): { ok: false; error: CallError } =>
  err({ code: 'export', message: `the relay has no store "${store}" in its configuration` })
