/** The identity in a file that age-keygen has made. */
import { readFileSync } from 'node:fs'
import { err, ok, type Result } from '../shared/result.ts'

/** Its one identity, which stands among comments; an error where there is none, or several. */
export function keyIn(file: string): Result<string, string> {
  try {
    const [key, ...more] = readFileSync(file, 'utf8').match(/^AGE-SECRET-KEY-[0-9A-Z-]+$/gm) ?? []
    if (key !== undefined && more.length === 0) return ok(key)
  } catch (error) {
    return err(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return err(`${file} has no identity of age, or several: expected one line AGE-SECRET-KEY-…`)
}
