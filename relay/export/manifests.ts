/** The manifests of an instance's exports in a store. */
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { type Manifest, parseManifest } from '../../shared/work/export/manifest.ts'
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
    if (!isInPlace(manifest, ref, name))
      throw new StoreError(
        `${folder}/${name} is the manifest of another export, ${manifest.name} of ${manifest.instance}: move it to its place`,
      )
    found.push(manifest)
  }
  return found
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
