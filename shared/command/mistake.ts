/** An invalid line: what is wrong with it, and what to type instead. */
import { err } from '../result.ts'

export type Mistake = {
  code:
    | 'unknown-command'
    | 'unknown-flag'
    | 'missing'
    | 'extra'
    | 'twice'
    | 'invalid'
    | 'quote'
    | 'too-long'
    | 'unreadable'
    | 'refused' // by the command itself, or since it can't be previewed
  /** A sentence or two for people, as plain text. */
  text: string
}

export const mistake = (code: Mistake['code'], text: string): { ok: false; error: Mistake } =>
  err({ code, text })

/** The given text, shortened; cutting may leave half a character. */
export function show(given: string): string {
  if (given === '') return 'nothing'
  const short = given.length > 60 ? `${given.slice(0, 57)}…` : given
  return `"${short.replace(/[\p{Cc}\p{Cs}]/gu, '')}"`
}
