/** Texts of looks say what is wrong and what to do in one; findings have these apart. */

const CURE = /(?:: |\. |; )(?=(?:If |run on |remove |delete |correct |set |it is tried again))/

/** What is wrong, and what to do. */
export function curedIn(reason: string): [what: string, cure: string] {
  const found = CURE.exec(reason)
  if (found === null) return [reason, '/backup status tells more']
  return [reason.slice(0, found.index), reason.slice(found.index + found[0].length)]
}
