/** What exports that broke off have left in stores, and how it goes: of each store by itself, and on no export's way. */
import { own } from '../../shared/own.ts'
import type { Store } from './store.ts'
import { StoreError } from './store.ts'
import type { Unfinished, UnfinishedList } from './unfinished.ts'

/** True: nothing is left of it but what its manifest names. False: its manifest may arrive yet, so it stays. */
export async function clearLeft(
  store: Store,
  { manifest, file, token, promised }: Unfinished,
  now: number,
): Promise<boolean> {
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
        log(`an interrupted export left ${one.file} in "${name}": ${why}`)
      }
    }
  }
  return {
    clear(name) {
      const running = clearing.get(name) ?? clearNow(name).finally(() => clearing.delete(name))
      clearing.set(name, running)
      return running
    },
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
