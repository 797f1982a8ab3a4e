/**
 * Whether the edge is silent for longer than it announced, and what of that a channel is still to be told. It goes
 * by what was heard and what was told, so a restart of the relay neither forgets nor repeats anything.
 */

/** The last request of a tick. Milliseconds since the epoch. */
export type Heard = {
  /** 0: none was ever heard. */
  at: number
  /** The next one comes within so many milliseconds. */
  again: number
}

/** What a channel was told of a silence that it has not been told the end of. */
export type Told = {
  /** The last request before the silence. */
  heard: number
  first: number
  last: number
  /** Messages so far. */
  count: number
}

export type Terms = {
  /** When the relay began to listen: before that it could hear nothing. */
  started: number
  /** Milliseconds that the next request may be late. */
  grace: number
}

/** `silent`: told for the first time; `still`: reminded; `over`: it was heard again. */
export type Word = 'silent' | 'still' | 'over'

export const isSilent = ({ at, again }: Heard, { started, grace }: Terms, now: number): boolean =>
  now > Math.max(at, started) + again + grace

const HOUR = 3_600_000
const LONGEST = 24 * HOUR

/** Milliseconds until the next reminder, after so many messages: 1, 3, 9 and then each 24 hours. */
export const reminderAfter = (count: number): number => Math.min(3 ** (count - 1) * HOUR, LONGEST)

/** Null: nothing is to be told now. */
export function wordFor(heard: Heard, told: Told | null, terms: Terms, now: number): Word | null {
  if (told !== null && heard.at > told.heard) return 'over'
  if (told === null) return isSilent(heard, terms, now) ? 'silent' : null
  return now >= told.last + reminderAfter(told.count) ? 'still' : null
}

/** After the channel took that word. */
export function toldAfter(word: Word, heard: Heard, told: Told | null, now: number): Told | null {
  if (word === 'over') return null
  return told === null
    ? { heard: heard.at, first: now, last: now, count: 1 }
    : { ...told, last: now, count: told.count + 1 }
}

/** Milliseconds until a channel is tried again, after so many failures in a row. */
export const retryAfter = (failures: number): number => Math.min(2 ** (failures - 1) * 30_000, 900_000)
