/** Files with secrets in them that other users of this machine can read or write. */
import { statSync } from 'node:fs'

const OTHERS = 0o077

/** What to do about it, or null. */
export function exposureOf(path: string): string | null {
  try {
    if ((statSync(path).mode & OTHERS) === 0) return null
    return `other users of this machine may read ${path}, and it holds a secret: chmod 600 ${path}`
  } catch {
    return null // Whoever needs the file reports that it can't be read.
  }
}
