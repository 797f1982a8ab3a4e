/** The documents that stand in the repository, read as the product reads them. */
import { readdirSync, readFileSync } from 'node:fs'
import { parseJsonc } from '../../../shared/jsonc.ts'

const ROOT = new URL('../../../', import.meta.url)

export const pathOf = (name: string): string => new URL(name, ROOT).pathname

export const listDocuments = (folder: string): string[] =>
  readdirSync(pathOf(folder))
    .filter((name) => name.endsWith('.jsonc'))
    .sort()

export function readDocument(name: string): unknown {
  const parsed = parseJsonc(readFileSync(pathOf(name), 'utf8'))
  if (!parsed.ok) throw new Error(`${name}, line ${parsed.error.line}: ${parsed.error.problem}`)
  return parsed.value
}
