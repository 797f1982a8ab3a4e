/** What exports that broke off have left in stores, and how it goes: of each store by itself, and on no export's way. */
import { own } from '../../shared/own.ts'
import { endRemoval } from './removing.ts'
import type { Store } from './store.ts'
import { StoreError } from './store.ts'
import type { Unfinished, UnfinishedList } from './unfinished.ts'

/** True: nothing is left of it but what its manifest names. False: its manifest may arrive yet, so it stays. */
export async function clearLeft(store: Store, left: Unfinished, now: number): Promise<boolean> {
  if (left.removing !== undefined) return endRemoval(store, left, now)
  const { manifest, file, token, promised } = left
  const text = await store.read(manifest)
  if (text?.includes(file.slice(file.lastIndexOf('/') + 1)) === true) return true
  if (promised !== undefined && now - promised < store.late) return false
  await store.discard(file, token)
  return true
}

export type Leftovers = {
  /** Of one store. What can't be removed now stays on the list, and is told. */
  clear(store: string): Promise<void>
  /** What is written meanwhile isn't left. */
  during<T>(work: (list: UnfinishedList) => Promise<T>): Promise<T>
  /** Whether a file may be one that isn't ended, or is about to go. */
  has(store: string, path: string): boolean
}

export function createLeftovers(
  stores: Readonly<Record<string, Store>>,
  unfinished: UnfinishedList,
  { log, now }: { log(line: string): void; now(): number },
): Leftovers {
  /** Files that are being written. */
  const written = new Set<string>()
  const clearing = new Map<string, Promise<void>>()
  const clearNow = async (name: string): Promise<void> => {
    const left = unfinished.all().filter(({ store, file }) => store === name && !written.has(file))
    for (const one of left) {
      try {
        const store = own(stores, name)
        if (store === undefined) throw new StoreError('it is no longer configured')
        if (await clearLeft(store, one, now())) unfinished.drop(one)
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause)
        log(`what an export has left in "${name}", ${one.file}, could not go: ${why}`)
      }
    }
  }
  return {
    clear(name) {
      const running = clearing.get(name) ?? clearNow(name).finally(() => clearing.delete(name))
      clearing.set(name, running)
      return running
    },
    has: (name, path) => unfinished.all().some(({ store, file }) => store === name && file === path),
    async during(work) {
      const mine = new Set<string>()
      try {
        return await work({
          ...unfinished,
          put(one) {
            mine.add(one.file)
            written.add(one.file)
            unfinished.put(one)
          },
        })
      } finally {
        for (const file of mine) written.delete(file)
      }
    },
  }
}
