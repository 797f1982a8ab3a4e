/** The documents that stand in the repository, read as the product reads them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeMisread, parseJsonc } from '../../../shared/jsonc.ts'

const ROOT = join(import.meta.dirname, '../../..')

export const pathOf = (name: string): string => join(ROOT, name)

export const listDocuments = (folder: string): string[] =>
  readdirSync(pathOf(folder))
    .filter((name) => name.endsWith('.jsonc'))
    .sort()

export function readDocument(name: string): unknown {
  const parsed = parseJsonc(readFileSync(pathOf(name), 'utf8'))
  if (!parsed.ok) throw new Error(`${name}, ${describeMisread(parsed.error)}`)
  return parsed.value
}
