/** The identities of the stores that are directories, in a file: what has to be mounted where. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isObject } from '../engine/envelope.ts'
import type { Identity } from './identity.ts'

/** By the path of a directory. */
export type Identities = (root: string) => Identity

/** `path` null: nothing is remembered over a restart. */
export function openIdentities(path: string | null, log: (line: string) => void): Identities {
  const known = readAll(path, log)
  return (root) => ({
    known: () => known.get(root) ?? null,
    note(id) {
      if (known.get(root) === id) return
      known.set(root, id)
      if (path === null) return
      try {
        writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(known)), { mode: 0o600 })
        renameSync(`${path}.new`, path)
      } catch (error) {
        log(`the list of stores ${path} can't be written: ${String(error)}`)
      }
    },
  })
}

function readAll(path: string | null, log: (line: string) => void): Map<string, string> {
  if (path === null || !existsSync(path)) return new Map()
  try {
    const stored: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const entries = Object.entries(isObject(stored) ? stored : {})
    return new Map(entries.filter((one): one is [string, string] => typeof one[1] === 'string'))
  } catch (error) {
    log(`the list of stores ${path} can't be read, so what is mounted counts as right: ${String(error)}`)
    return new Map()
  }
}
