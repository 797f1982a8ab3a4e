/**
 * Removes an export: first its file, then its manifest. It is noted before, so that a relay that is killed between the two ends
 * that at its next start. A manifest without its file counts as no export meanwhile, and a file that stays has its manifest.
 */
import type { InstanceRef } from '../../shared/incus/subject.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { readStanding, removeNotes } from './notes.ts'
import { folderOf } from './paths.ts'
import { type Store, StoreError } from './store.ts'
import { HOLD } from './survey.ts'
import type { Unfinished, UnfinishedList } from './unfinished.ts'

/** The store removes it for nobody now, or not for the relay. */
export class LockedExport extends StoreError {}

/** `asked`: by a note of somebody's, which still has to stand. */
export async function removeExport(
  { name: storeName, store }: { name: string; store: Store },
  ref: InstanceRef,
  { name, stored }: Manifest,
  { list, now, asked = false }: { list: UnfinishedList; now: number; asked?: boolean },
): Promise<void> {
  const folder = folderOf(ref)
  const [file, manifest] = [`${folder}/${stored.file}`, `${folder}/${name}.json`]
  for (const path of [file, manifest]) await refuseLocked(store, path, now)
  await refuseSaid(store, { folder, name, file: stored.file, asked }, now)
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

/** Reading all that a store has takes a while, in which somebody may have said something of it, also by another relay. */
async function refuseSaid(
  store: Store,
  { folder, name, file, asked }: { folder: string; name: string; file: string; asked: boolean },
  now: number,
): Promise<void> {
  const names = await store.list(folder, '')
  if (names.includes(`${name}${HOLD}`)) throw new LockedExport(`${name}${HOLD} beside it holds it`)
  const { held, freed, removal } = await readStanding(store, { folder, file, names }, now)
  if (held !== null) throw new LockedExport(`it is held: ${held}`)
  if (freed !== null && freed > now) throw new LockedExport('it was held until lately')
  if (asked && removal === null) throw new LockedExport('its removal was taken back')
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
