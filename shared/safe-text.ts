/**
 * Texts that a server wrote, made safe and short where they enter: they are shown in terminals, chat and pages,
 * and kept in the ledger. What could move a cursor, colour a line, turn the writing direction or break an
 * encoder becomes a space.
 */

/** Control characters, lone surrogates, line and paragraph separators, and marks of the writing direction. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu
const isUnsafe = new RegExp(UNSEEN.source, 'u')

/** Characters. Incus's longest errors name two paths and a command; what is wrong stands at their end. */
const LONGEST_TEXT = 800
const GAP = ' … '

export const visible = (text: string): string => text.replace(UNSEEN, ' ')

/** At most `longest` characters: of longer texts the beginning and the end. */
export function safeText(text: string, longest = LONGEST_TEXT): string {
  if (text.length <= longest) return isUnsafe.test(text) ? visible(text) : text
  const tail = Math.floor(longest / 3)
  const head = longest - tail - GAP.length
  // A cut text still holds on to the whole of it; one that is put together again doesn't.
  return visible([...text.slice(0, head), GAP, ...text.slice(-tail)].join(''))
}
