/** The identity in a file that age-keygen has made. */
import { readFileSync } from 'node:fs'
import { fail } from './fail.ts'

/** Its one identity, which stands among comments. Ends the process where there is none, or several. */
export function keyIn(file: string): string {
  try {
    const [key, ...more] = readFileSync(file, 'utf8').match(/^AGE-SECRET-KEY-[0-9A-Z-]+$/gm) ?? []
    if (key !== undefined && more.length === 0) return key
  } catch (error) {
    return fail([`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`], 2)
  }
  return fail([`${file} has no identity of age, or several: expected one line AGE-SECRET-KEY-…`], 2)
}
