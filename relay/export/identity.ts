/**
 * Which directory a store is: a file in it says so, from its first use on. Without that a mount point with nothing mounted
 * would be an empty store, in which nothing was ever exported.
 */
import { randomUUID } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { absent, codeOf } from './absent.ts'
import { StoreError } from './store.ts'

/** What the relay remembers of one; null: it has never used it. */
export type Identity = { known(): string | null; note(id: string): void }

/** In the directory. */
export const IDENTITY_FILE = '.stapes-store'

const idIn = async (root: string): Promise<string> =>
  (await absent(readFile(join(root, IDENTITY_FILE), 'utf8'), '')).trim()

/** Throws where there is no directory, or another one than before. One that was never used is none that there was. */
export async function refuseOther(root: string, { known, note }: Identity): Promise<void> {
  const isThere = await absent(
    stat(root).then((one) => one.isDirectory()),
    false,
  )
  if (!isThere) throw new StoreError(`there is no directory ${root}: make it, or mount what belongs there`)
  const [id, wanted] = [await idIn(root), known()]
  if (wanted === null && id !== '') note(id)
  if (wanted === null || id === wanted) return
  throw new StoreError(
    `${root} isn't the directory that it was: ${join(root, IDENTITY_FILE)} ${id === '' ? 'is missing' : `says ${id}`}, and should say ${wanted}. Mount what belongs there; if this is to take its place, write that into the file`,
  )
}

/** Before the first use. */
export async function makeIdentity(root: string, identity: Identity): Promise<void> {
  if (identity.known() !== null) return
  const id = randomUUID()
  try {
    const file = await open(join(root, IDENTITY_FILE), 'wx', 0o644)
    await file.writeFile(`${id}\n`)
    await file.sync()
    await file.close()
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  // Another relay may have been faster.
  const there = await idIn(root)
  if (there === '') throw new StoreError(`${join(root, IDENTITY_FILE)} is empty: remove it`)
  identity.note(there)
}
