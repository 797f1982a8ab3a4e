/** Paths of files within an instance, as people write them. */
import { err, ok, type Result } from '../result.ts'

/** Characters: Linux takes no longer path. */
export const LONGEST_PATH = 4_096

/** Absolute, without empty parts; the error is a sentence that says what is wrong. */
export function parsePath(given: string): Result<string, string> {
  if (!given.startsWith('/')) return err('a path begins with "/", as in /etc/hosts')
  if (given.length > LONGEST_PATH) return err(`a path has at most ${LONGEST_PATH} characters`)
  if (/\0|\p{Cs}/u.test(given)) return err('a path holds no NUL, and is well-formed text')
  const parts = given.split('/').filter((part) => part !== '')
  return parts.some((part) => part === '.' || part === '..')
    ? err('a path has no "." and no ".." in it: write where it leads')
    : ok(`/${parts.join('/')}`)
}
