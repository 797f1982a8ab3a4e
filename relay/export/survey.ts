/** All that a store has of an instance: its exports, with what the store says of their files, and what is none. */
import type { InstanceRef } from '../../shared/incus/subject.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { eachOf } from '../engine/each.ts'
import type { Survey, Surveyed } from '../engine/exports.ts'
import { list } from './manifests.ts'
import { readStanding } from './notes.ts'
import { folderOf } from './paths.ts'
import type { Store } from './store.ts'

/** Requests. */
const AT_ONCE = 8
/** Milliseconds. What is younger may be an export that another relay is about to end. */
const YOUNG = 86_400_000

/** `written`: names of files that aren't ended yet. */
export async function survey(
  store: Store,
  ref: InstanceRef,
  written: (path: string) => boolean,
  now: number,
): Promise<Survey> {
  const folder = folderOf(ref)
  const manifests = await list(store, ref, null)
  const names = await store.list(folder, '')
  const found: (Surveyed | null)[] = manifests.map(() => null)
  const strays: string[] = []
  const isHeld = (name: string): boolean => names.includes(`${name}${HOLD}`)
  await eachOf([...manifests.entries()], AT_ONCE, async ([at, manifest]) => {
    const { name, stored } = manifest
    const state = await store.about(`${folder}/${stored.file}`)
    const why = brokenBy(manifest, state?.bytes ?? null)
    if (state === null || why !== null) strays.push(`${name} counts as no export: ${why}`)
    else {
      const said = await readStanding(store, { folder, file: stored.file, names }, now)
      const held = state.held || isHeld(name)
      found[at] = { manifest, age: state.age, until: state.until, held, said }
    }
  })
  const known = new Set(manifests.map(({ stored }) => stored.file))
  const others = names.filter((name) => ARCHIVE.test(name) && !known.has(name))
  await eachOf(others, AT_ONCE, async (name) => {
    const path = `${folder}/${name}`
    const state = written(path) ? null : await store.about(path)
    if (state === null || (state.age !== null && state.age < YOUNG)) return
    strays.push(`${path} has no manifest, so it counts as no export: remove it, if nobody needs it`)
  })
  return { exports: found.flatMap((one) => one ?? []), strays: strays.toSorted() }
}

/** A file beside an export that anybody may put there: then it stays. */
export const HOLD = '.hold'
const ARCHIVE = /^\d{8}T\d{6}Z\..+\.zst(\.age)?$/

/** Null: its file is as long as it was. */
function brokenBy({ stored }: Manifest, bytes: number | null): string | null {
  if (bytes === null) return `its file ${stored.file} is gone`
  return bytes === stored.bytes ? null : `its file ${stored.file} has ${bytes} bytes, and had ${stored.bytes}`
}
