/**
 * What people have said of an export: each time a small file of its own beside it, in its store, which nobody changes. So it is known
 * also where everything else is lost, and in a store that keeps what it has. The last ones count.
 */
import * as z from 'zod/mini'

/** `end`: it goes then (ISO 8601), and until then that can be taken back. `last`: also as the newest whole one. */
export type ExportNote =
  | { do: 'hold'; text: string }
  | { do: 'release' }
  | { do: 'remove'; end: string; last: boolean }
  | { do: 'undo' }

const WORDS = ['remove', 'undo', 'release', 'hold'] as const
type Word = (typeof WORDS)[number]

/** `at`: by its name; `age`: by the store's clock, null where it doesn't say (both in milliseconds). `note` null: it can't be read. */
export type Noted = { word: Word; at: number; age: number | null; note: ExportNote | null }

/** How an export stands by all that was said of it; times in milliseconds since the epoch. */
export type Standing = {
  /** Why it is held; null: it isn't. */
  held: string | null
  /** It was released, and stays until then. */
  freed: number | null
  removal: { end: number; last: boolean } | null
}

/** So long one stays after it was released: time to notice that. */
const FREED = 86_400_000

export const UNSAID: Standing = { held: null, freed: null, removal: null }

/** Whatever can't be read, it rather stays. */
export function standingOf(noted: readonly Noted[], now: number): Standing {
  const ordered = noted.toSorted(
    (one, other) => one.at - other.at || WORDS.indexOf(one.word) - WORDS.indexOf(other.word),
  )
  let standing = UNSAID
  for (const one of ordered) standing = after(standing, one, now)
  return standing
}

function after(before: Standing, { word, at, age, note }: Noted, now: number): Standing {
  const since = Math.min(now - at, age ?? now - at)
  if (word === 'hold')
    return { ...before, held: note?.do === 'hold' ? note.text : 'it is not known why', removal: null }
  if (word === 'undo') return { ...before, removal: null }
  if (note?.do === 'release') {
    const freed = before.held === null ? before.freed : now + FREED - since
    return { ...before, held: null, freed }
  }
  // Of what is held nobody has a removal noted, unless they could not know of the hold.
  if (note?.do !== 'remove' || before.held !== null) return before
  return { ...before, removal: { end: now + (Date.parse(note.end) - at) - since, last: note.last } }
}

/** `20261125T101500123Z`. */
const stampOf = (at: number): string => new Date(at).toISOString().replace(/[-:.]/g, '')

const momentIn = (stamp: string): number =>
  Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, '$1-$2-$3T$4:$5:$6.$7Z'))

/** `file`: the export's own, which no other try to make it has. */
const stemOf = (file: string): string => file.replace(/\.tar\.zst(\.age)?$/, '')

export const noteName = (file: string, at: number, word: Word): string =>
  `${stemOf(file)}.${stampOf(at)}.${word}`

const NAME = /^(.+)\.(\d{8}T\d{9}Z)\.(remove|undo|release|hold)$/

/** Of the names in its folder, those of its notes. */
export function notesOf(file: string, names: readonly string[]): { name: string; word: Word; at: number }[] {
  const stem = stemOf(file)
  return names.flatMap((name) => {
    const [, of, stamp = '', word] = NAME.exec(name) ?? []
    const at = momentIn(stamp)
    return of === stem && !Number.isNaN(at) ? [{ name, word: word as Word, at }] : []
  })
}

const moment = z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text))))

const noteSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('hold'), text: z.string() }),
  z.object({ do: z.literal('release') }),
  z.object({ do: z.literal('remove'), end: moment, last: z.boolean() }),
  z.object({ do: z.literal('undo') }),
])

export const renderNote = (note: ExportNote): string => `${JSON.stringify({ stapes: 'note 1', ...note })}\n`

/** Null: it is none. */
export function parseNote(text: string | null): ExportNote | null {
  try {
    const parsed = noteSchema.safeParse(JSON.parse(text ?? ''))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
