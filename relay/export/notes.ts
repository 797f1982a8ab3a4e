/** What people have said of exports, in a store: read, added to, and gone with its export. */
import {
  type ExportNote,
  noteName,
  notesOf,
  parseNote,
  renderNote,
  type Standing,
  standingOf,
  UNSAID,
} from '../../shared/work/export/notes.ts'
import { eachOf } from '../engine/each.ts'
import { type Store, StoreError } from './store.ts'

/** Requests. */
const AT_ONCE = 4

/** `names`: of all files in its folder. */
export async function readStanding(
  store: Store,
  { folder, file, names }: { folder: string; file: string; names: readonly string[] },
  now: number,
): Promise<Standing> {
  const mine = notesOf(file, names)
  if (mine.length === 0) return UNSAID
  const noted: Parameters<typeof standingOf>[0][number][] = []
  await eachOf(mine, AT_ONCE, async ({ name, word, at }) => {
    const path = `${folder}/${name}`
    const [state, text] = await Promise.all([store.about(path), store.read(path)])
    noted.push({ word, at, age: state?.age ?? null, note: parseNote(text) })
  })
  return standingOf(noted, now)
}

/** So many of an export's are written at most, of those that let it go. */
const MOST = 100

export async function writeNote(
  store: Store,
  { folder, file }: { folder: string; file: string },
  note: ExportNote,
  now: number,
): Promise<void> {
  const before = notesOf(file, await store.list(folder, ''))
  if (before.length >= MOST && (note.do === 'release' || note.do === 'remove'))
    throw new StoreError(`${MOST} notes stand beside it, and it gets no more`)
  // Also where a clock was ahead: what is said last counts.
  const at = Math.max(now, ...before.map((one) => one.at + 1))
  if (!(await store.put(`${folder}/${noteName(file, at, note.do)}`, renderNote(note))))
    throw new StoreError('somebody else says something of it just now: ask again')
  if (note.do === 'hold' && (await store.size(`${folder}/${file}`)) === null)
    throw new StoreError('it went just now, so nothing is held')
}

/** Of an export that is gone. What its store keeps stays, and means nothing. */
export async function removeNotes(store: Store, folder: string, file: string): Promise<void> {
  for (const { name } of notesOf(file, await store.list(folder, ''))) await store.remove(`${folder}/${name}`)
}
