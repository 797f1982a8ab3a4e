/** The manifests of an instance's exports in a store. */
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { type Manifest, parseManifest } from '../../shared/work/export/manifest.ts'
import { eachOf } from '../engine/each.ts'
import { folderOf } from './paths.ts'
import { type Store, StoreError } from './store.ts'

/** A manifest that can't be read, or is another export's, is an error, and not nothing. */
export async function list(
  store: Store,
  ref: InstanceRef,
  only: string | null,
  newest = false,
): Promise<Manifest[]> {
  const folder = folderOf(ref)
  const listed = only === null ? await store.list(folder, '.json') : [`${only}.json`]
  const names = listed.toSorted().toReversed()
  if (!newest) {
    const found = new Map<string, Manifest | null>()
    await eachOf(names, AT_ONCE, async (name) => {
      found.set(name, await readOne(store, ref, name))
    })
    return names.flatMap((name) => found.get(name) ?? [])
  }
  for (const name of names) {
    const found = await readOne(store, ref, name)
    if (found !== null) return [found]
  }
  return []
}

/** Requests. */
const AT_ONCE = 8

/** Null: it isn't there. */
async function readOne(store: Store, ref: InstanceRef, name: string): Promise<Manifest | null> {
  const path = `${folderOf(ref)}/${name}`
  const text = await store.read(path)
  // A name that was taken by a writer that was killed then.
  if (text === null || text === '') return null
  const manifest = parseManifest(readJson(text))
  if (manifest === null)
    throw new StoreError(`${path} is no manifest of an export: if nobody needs it, move it to another place`)
  if (!isInPlace(manifest, ref, name))
    throw new StoreError(
      `${path} is the manifest of another export, ${manifest.name} of ${manifest.instance}: move it to its place`,
    )
  return manifest
}

const isInPlace = ({ instance, name, stored }: Manifest, ref: InstanceRef, file: string): boolean =>
  instance === subjectKey(ref) &&
  file === `${name}.json` &&
  stored.file.startsWith(`${name}.`) &&
  !/[/\\]/.test(stored.file)

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
