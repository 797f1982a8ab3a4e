/** The documents that stand in the repository, read as the product reads them. */
import { readdirSync, readFileSync } from 'node:fs'
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'

const ROOT = new URL('../../../', import.meta.url)

export const pathOf = (name: string): string => new URL(name, ROOT).pathname

export const listDocuments = (folder: string): string[] =>
  readdirSync(pathOf(folder))
    .filter((name) => name.endsWith('.jsonc'))
    .sort()

export function readDocument(name: string): unknown {
  const errors: ParseError[] = []
  const document: unknown = parse(readFileSync(pathOf(name), 'utf8'), errors, { allowTrailingComma: true })
  const [first] = errors
  if (first !== undefined) throw new Error(`${name}: ${printParseErrorCode(first.error)} at ${first.offset}`)
  return document
}
