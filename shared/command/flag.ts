/** `--name` and `--name=value`, also with the one long dash that phones make of two. */
import type { Word } from './words.ts'

export type Flag = {
  /** In lower case; empty for `--` alone, which ends the flags. */
  name: string
  /** Null: the next word is it. */
  value: string | null
  /** One dash is too few. */
  short: boolean
}

const DASHES = /^[-‐‑−–—―]+/
const LONG = /[–—―]/

/** Null for a word that is none. */
export function flagOf({ text, unquoted }: Word): Flag | null {
  const dashes = unquoted ? (DASHES.exec(text)?.[0] ?? '') : ''
  const rest = text.slice(dashes.length)
  const short = dashes.length === 1 && !LONG.test(dashes)
  if (dashes === '' || (short && !/^\p{L}/u.test(rest))) return null
  const [name = ''] = rest.split('=', 1)
  const value = name.length < rest.length ? rest.slice(name.length + 1) : null
  return { name: plainDashes(name).toLowerCase(), value, short }
}

/** For names that can hold no other dash than the one on a keyboard. */
export const plainDashes = (text: string): string => text.replace(/[‐‑−–]/g, '-').replace(/[—―]/g, '--')
