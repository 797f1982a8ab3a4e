/** Reads a stapes.jsonc, and finds the place of an error in it. */
import { readFileSync } from 'node:fs'
import { findNodeAtLocation, type JSONPath, type Node, parseTree } from 'jsonc-parser'
import { parseJsonc } from '../shared/jsonc.ts'
import { err, ok, type Result } from '../shared/result.ts'

export type DocumentFile = { file: string; text: string; document: unknown }

/** What is wrong, and with what of the document; empty where it isn't about one part of it. `status`: of the answer. */
export type Complaint = { path: string; message: string; status?: number }

/** `file` is used as it is given; `hint` says what to do when it isn't there. */
export function readDocument(file: string, hint: string): Result<DocumentFile, string[]> {
  const text = readText(file)
  if (!text.ok) return err([`${file} can't be read: ${text.error}; ${hint}`])
  const parsed = parseJsonc(text.value)
  if (parsed.ok) return ok({ file, text: text.value, document: parsed.value })
  const { line, column, problem } = parsed.error
  return err([`${file}:${line}:${column}: ${problem}`])
}

function readText(file: string): Result<string, string> {
  try {
    return ok(readFileSync(file, 'utf8'))
  } catch (error) {
    return err((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : String(error))
  }
}

/** Such as `stapes.jsonc:12:7: policies.daily.keep: unknown key`. */
export function inDocument({ file, text }: DocumentFile, { path, message }: Complaint): string {
  const said = path === '' || message.startsWith(path) ? message : `${path}: ${message}`
  const node = path === '' ? undefined : nodeOf(parseTree(text), segmentsOf(path))
  if (node === undefined) return `${file}: ${said}`
  const before = text.slice(0, node.offset).split(/\r\n|\r|\n/)
  return `${file}:${before.length}:${(before.at(-1) ?? '').length + 1}: ${said}`
}

/** Of what isn't there, the innermost part that would hold it; of a member, its name. */
function nodeOf(root: Node | undefined, path: JSONPath): Node | undefined {
  if (root === undefined || path.length === 0) return undefined
  const node = findNodeAtLocation(root, path)
  if (node === undefined) return nodeOf(root, path.slice(0, -1))
  return node.parent?.type === 'property' ? node.parent : node
}

/** `policies.daily.schedule[1]` and `policies.gold.select.config["user.tier"]`, taken apart. */
function segmentsOf(path: string): JSONPath {
  return [...path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(
    ([, index, quoted, name = '']) =>
      index !== undefined ? Number(index) : quoted !== undefined ? (JSON.parse(quoted) as string) : name,
  )
}
