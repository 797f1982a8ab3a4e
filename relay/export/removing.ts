/**
 * Removes an export: first its file, then its manifest. It is noted before, so that a relay that is killed between the two ends
 * that at its next start. A manifest without its file counts as no export meanwhile, and a file that stays has its manifest.
 */
import type { InstanceRef } from '../../shared/incus/subject.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { removeNotes } from './notes.ts'
import { folderOf } from './paths.ts'
import { type Store, StoreError } from './store.ts'
import type { Unfinished, UnfinishedList } from './unfinished.ts'

/** The store removes it for nobody now, or not for the relay. */
export class LockedExport extends StoreError {}

export async function removeExport(
  { name: storeName, store }: { name: string; store: Store },
  ref: InstanceRef,
  { name, stored }: Manifest,
  { list, now }: { list: UnfinishedList; now: number },
): Promise<void> {
  const folder = folderOf(ref)
  const [file, manifest] = [`${folder}/${stored.file}`, `${folder}/${name}.json`]
  for (const path of [file, manifest]) await refuseLocked(store, path, now)
  const noted: Unfinished = { store: storeName, manifest, file, token: null, removing: now }
  list.put(noted)
  const refusal = await store.remove(file)
  if (refusal !== null) {
    list.drop(noted)
    throw new LockedExport(refusal)
  }
  // It counts no longer. A manifest that can't go yet goes when what was left is cleared.
  if ((await store.remove(manifest)) !== null) return
  await removeNotes(store, folder, stored.file)
  list.drop(noted)
}

async function refuseLocked(store: Store, path: string, now: number): Promise<void> {
  const state = await store.about(path)
  if (state?.held === true) throw new LockedExport(`it has a legal hold on ${path}`)
  if (state?.until != null && state.until > now)
    throw new LockedExport(`it keeps ${path} until ${new Date(state.until).toISOString()}`)
}

/** What is left to do of a removal that broke off. True: nothing. Throws where the manifest can't go. */
export async function endRemoval(
  store: Store,
  { manifest, file, removing = 0 }: Unfinished,
  now: number,
): Promise<boolean> {
  // It may go yet, if it was sent and no answer came.
  if ((await store.size(file)) !== null) return now - removing >= store.late
  const text = await store.read(manifest)
  // Of that name there may be another export by now.
  if (text?.includes(file.slice(file.lastIndexOf('/') + 1)) !== true) return true
  const refusal = await store.remove(manifest)
  if (refusal !== null) throw new StoreError(refusal)
  const at = file.lastIndexOf('/')
  await removeNotes(store, file.slice(0, at), file.slice(at + 1))
  return true
}
