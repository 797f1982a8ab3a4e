/** What differs between two documents, key by key: for people, before one replaces the other. */
import { isObject } from '../ledger/parts.ts'
import { own } from '../own.ts'
import { safeText } from '../safe-text.ts'

/** Such as `~ policies.daily.keep.daily: 14 → 1`; `+` and `-` are keys that only one of them has. */
export function documentDifference(before: unknown, after: unknown): string[] {
  return differences('', before, after).map((line) => safeText(line, LONGEST))
}

/** Characters of a line. */
const LONGEST = 500

function differences(path: string, before: unknown, after: unknown): string[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return keys.flatMap((key) => {
      const at = path === '' ? key : `${path}.${key}`
      if (!Object.hasOwn(after, key)) return [`- ${at}: ${JSON.stringify(own(before, key))}`]
      if (!Object.hasOwn(before, key)) return [`+ ${at}: ${JSON.stringify(own(after, key))}`]
      return differences(at, own(before, key), own(after, key))
    })
  }
  const [old, young] = [JSON.stringify(before), JSON.stringify(after)]
  return old === young ? [] : [`~ ${path === '' ? 'the document' : path}: ${old} → ${young}`]
}
