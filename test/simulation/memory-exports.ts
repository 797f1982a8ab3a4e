/** Stores in memory: what is saved takes its time, and is read through the relay's connection as a real one reads it. */
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import type { Exports, Saving } from '../../relay/engine/exports.ts'
import { describe, parseIndex } from '../../relay/export/described.ts'
import { readIndex, rewritten } from '../../relay/export/rewritten.ts'
import type { Clock } from '../../shared/clock.ts'
import type { StoreRules } from '../../shared/incus/inventory.ts'
import { subjectKey } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok } from '../../shared/result.ts'
import { CORRUPT, KEY, LOCKED, type Manifest, MISSING } from '../../shared/work/export/manifest.ts'
import { type Noted, standingOf } from '../../shared/work/export/notes.ts'

export type MemoryStores = {
  /** By `store remote/project/instance name`. */
  made: Map<string, { manifest: Manifest; archive: Uint8Array }>
  /** What a save takes, in milliseconds. */
  saveMs: number
  /** Instead of saving. */
  failure: string | null
  /** Checks that were made, and which of what is there fails them, by its key. */
  checked: number
  /** Lists that were asked for, looks at all that there is, and whether they can be read. */
  listed: number
  surveyed: number
  isDown: boolean
  corrupt(key: string): boolean
  /** What they are encrypted for; null: they aren't. */
  key: string | null
  /** What a load takes, in milliseconds. */
  loadMs: number
  /** Seconds, as in the relay's configuration. */
  minRetention: number
  /** Until when the store removes one for nobody (milliseconds since the epoch), by its key; and what it held back. */
  lockedUntil(key: string): number | null
  held: Set<string>
  /** Called around each call of a survey, a note and a removal. */
  around(what: string, when: 'before' | 'after'): Promise<void>
  /** What people have said of them, by their keys. */
  notes: Map<string, Noted[]>
  /** What it has besides, in words. */
  strays: string[]
  /** It removes nothing, and says no date; and how often it was asked to. */
  isLocked: boolean
  refused: number
  /** What the relay knows of its locks. */
  about: Omit<StoreRules, 'minRetention'>
}

export const memoryStores = (): MemoryStores => ({
  made: new Map(),
  saveMs: 90_000,
  failure: null,
  checked: 0,
  listed: 0,
  surveyed: 0,
  isDown: false,
  corrupt: () => false,
  key: null,
  loadMs: 60_000,
  minRetention: 86_400,
  lockedUntil: () => null,
  held: new Set(),
  notes: new Map(),
  around: async () => {},
  strays: [],
  ...{ isLocked: false, refused: 0, about: {} },
})

/** As one life of the relay has them: after its end nothing of it is written. */
export function memoryExports(stores: MemoryStores, clock: Clock, isAlive: () => boolean): Exports {
  const keyOf = (store: string, { ref, about }: Pick<Saving, 'ref' | 'about'>): string =>
    `${store} ${subjectKey(ref)} ${about.name}`
  return {
    stores: ['nas', 'r2'],
    minRetention: () => stores.minRetention,
    about: () => stores.about,
    async survey(store, ref) {
      await stores.around('survey', 'before')
      stores.surveyed += 1
      const found = await this.list(store, ref, null)
      if (!found.ok) return found
      const exports = found.value.map((manifest) => {
        const key = `${store} ${subjectKey(ref)} ${manifest.name}`
        const said = standingOf(stores.notes.get(key) ?? [], clock.now())
        const state = { age: null, until: stores.lockedUntil(key), held: stores.held.has(key), said }
        return { manifest, ...state }
      })
      await stores.around('survey', 'after')
      return ok({ exports, strays: [...stores.strays] })
    },
    async note(store, ref, { name }, note) {
      if (stores.isDown) return err({ code: 'export', message: `store "${store}" gives no answer` })
      const key = `${store} ${subjectKey(ref)} ${name}`
      const before = stores.notes.get(key) ?? []
      const at = Math.max(clock.now(), ...before.map((one) => one.at + 1))
      await stores.around('note', 'before')
      if (isAlive()) stores.notes.set(key, [...before, { word: note.do, at, age: null, note }])
      await stores.around('note', 'after')
      return ok(undefined)
    },
    async remove(store, ref, { name }, asked = false) {
      const key = `${store} ${subjectKey(ref)} ${name}`
      if (stores.isDown) return err({ code: 'export', message: `store "${store}" gives no answer` })
      if (stores.isLocked) {
        stores.refused += 1
        return err({ code: 'export', status: LOCKED, message: `store "${store}": it answered 403` })
      }
      const until = stores.lockedUntil(key)
      if (until !== null && until > clock.now())
        return err({ code: 'export', status: LOCKED, message: `store "${store}" keeps it` })
      await stores.around('remove', 'before')
      const { held, removal } = standingOf(stores.notes.get(key) ?? [], clock.now())
      if (held !== null || (asked && removal === null))
        return err({ code: 'export', status: LOCKED, message: 'it is held, or its removal was taken back' })
      if (isAlive()) for (const files of [stores.made, stores.notes]) files.delete(key)
      await stores.around('remove', 'after')
      return ok(undefined)
    },
    async save(saving) {
      const opened = await saving.open(0)
      if (!opened.ok) return opened
      const chunks: Uint8Array[] = []
      for await (const chunk of opened.value.bytes) chunks.push(chunk)
      saving.progress('export (50 %): 1.00MB (1.00MB/s)')
      await new Promise<void>((resolve) => clock.after(stores.saveMs, resolve))
      try {
        saving.progress('export (99 %): 2.00MB (1.00MB/s)')
      } catch (cause) {
        return err({ code: 'export', message: String(cause) })
      }
      if (stores.failure !== null) return err({ code: 'export', message: stores.failure })
      const whole = Buffer.concat(chunks)
      const archive = saving.about.type === 'bucket' ? gunzipSync(whole) : whole
      const manifest = manifestOf(saving, archive, clock.now(), stores.key === null ? null : 'age')
      const key = keyOf(saving.store, saving)
      if (stores.made.has(key)) return err({ code: 'export', message: 'which is not overwritten' })
      if (isAlive()) stores.made.set(key, { manifest, archive })
      return ok(manifest)
    },
    async check(store, ref, name) {
      const found = await this.list(store, ref, name)
      if (!found.ok) return found
      const [manifest] = found.value
      stores.checked += 1
      if (manifest !== undefined && stores.corrupt(`${store} ${subjectKey(ref)} ${manifest.name}`))
        return err({ code: 'export', status: CORRUPT, message: 'its SHA-256 is another' })
      if (stores.failure !== null || manifest === undefined)
        return err({ code: 'export', status: CORRUPT, message: stores.failure ?? 'there is none' })
      return ok(manifest)
    },
    async peek({ store, of, name, key }) {
      const found = await this.list(store, of, name, true)
      if (!found.ok) return found
      const [manifest] = found.value
      if (manifest === undefined) return err({ code: 'export', status: MISSING, message: 'there is none' })
      if (stores.key !== key)
        return err({ code: 'export', status: KEY, message: 'the given key doesn’t open it' })
      const { archive } = stores.made.get(`${store} ${subjectKey(of)} ${manifest.name}`) ?? {}
      return ok({ manifest, ...parseIndex(await readIndex(onePiece(archive ?? new Uint8Array()))) })
    },
    load({ store, of }, { manifest }, description, progress) {
      let problem: CallError | null = null
      const { archive = new Uint8Array() } =
        stores.made.get(`${store} ${subjectKey(of)} ${manifest.name}`) ?? {}
      const bytes = async function* (): AsyncGenerator<Uint8Array> {
        yield* rewritten(onePiece(archive), describe(description))
        progress('import (50 %): 1.00MB (1.00MB/s)')
        await new Promise<void>((resolve) => clock.after(stores.loadMs, resolve))
        const sha256 = createHash('sha256').update(archive).digest('hex')
        if (stores.failure === null && sha256 === manifest.archive.sha256) return
        problem = { code: 'export', status: CORRUPT, message: stores.failure ?? 'it is not what was stored' }
        throw new Error(problem.message)
      }
      return { bytes: bytes(), problem: () => problem }
    },
    async list(store, ref, name, newest = false) {
      stores.listed += 1
      if (stores.isDown) return err({ code: 'export', message: `store "${store}" gives no answer` })
      const all = [...stores.made].filter(([key]) => key.startsWith(`${store} ${subjectKey(ref)} `))
      const found = all
        .map(([, { manifest }]) => manifest)
        .filter((manifest) => name === null || manifest.name === name)
        .toSorted((one, other) => (one.name < other.name ? 1 : -1))
      return ok(newest ? found.slice(0, 1) : found)
    },
  }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function manifestOf(
  { about }: Saving,
  archive: Uint8Array,
  now: number,
  encryption: Manifest['stored']['encryption'],
): Manifest {
  const sha256 = createHash('sha256').update(archive).digest('hex')
  return {
    stapes: 'export 1',
    ...about,
    madeAt: new Date(now).toISOString(),
    archive: { bytes: archive.length, sha256, entries: 1 },
    stored: {
      ...{ file: `${about.name}.tar.zst`, bytes: archive.length, sha256 },
      ...{ compression: 'zstd', encryption, recipients: [] },
    },
  }
}
