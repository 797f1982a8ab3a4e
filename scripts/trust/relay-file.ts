/** relay.jsonc: read before anything happens, and edited without losing comments. */

import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { applyEdits, type JSONPath, modify } from 'jsonc-parser'
import * as z from 'zod/mini'
import { describeMisread, parseJsonc } from '../../shared/jsonc.ts'
import { own } from '../../shared/own.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { writePrivate } from './private-file.ts'

const oneOrMore = z.optional(z.union([z.string(), z.array(z.string())]))

const schema = z.looseObject({
  keys: z.optional(z.looseObject({})),
  client: z.optional(z.looseObject({ certificate: z.string(), key: z.string() })),
  remotes: z.optional(
    z.record(
      z.string(),
      z.looseObject({ url: oneOrMore, fingerprint: oneOrMore, role: z.optional(z.string()) }),
    ),
  ),
})

export type RelayFile = {
  path: string
  text: string
  document: z.infer<typeof schema>
  /** Absolute paths, or PEM texts. */
  client: { certificate: string; key: string }
}

/** Beside the file, and relative to it. */
const CLIENT = { certificate: 'client.crt', key: 'client.key' }

export function readRelayFile(path: string): Result<RelayFile, string> {
  try {
    accessSync(existsSync(path) ? path : dirname(resolve(path)), constants.W_OK)
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '{}\n'
    const parsed = parseJsonc(text)
    if (!parsed.ok) return err(`${path}, ${describeMisread(parsed.error)}`)
    const document = schema.safeParse(parsed.value)
    if (!document.success) {
      const where = document.error.issues[0]?.path.join('.') ?? ''
      return err(`${path}: "${where}" does not fit a relay's configuration: see the README`)
    }
    const { certificate, key } = document.data.client ?? CLIENT
    const place = (value: string) =>
      value.startsWith('-----BEGIN') ? value : join(resolve(dirname(path)), value)
    const client = { certificate: place(certificate), key: place(key) }
    return ok({ path, text, document: document.data, client })
  } catch (error) {
    return err(`${path} can't be read and written: ${(error as Error).message}`)
  }
}

/** Another remote of the same server; null: there is none. */
export const twinOf = (
  { remotes = {} }: RelayFile['document'],
  remote: string,
  fingerprint: string,
): string | null =>
  Object.entries(remotes).find(
    ([name, other]) => name !== remote && [other.fingerprint ?? []].flat().includes(fingerprint),
  )?.[0] ?? null

/** Sets the remote and the other required parts; the rest stays as it is written. Returns whether others could read the file before. */
export function noteRemote(
  file: RelayFile,
  remote: string,
  { urls, fingerprint, isTarget }: { urls: readonly string[]; fingerprint: string; isTarget: boolean },
): boolean {
  const { keys, client, remotes } = file.document
  const known = own(remotes, remote) ?? {}
  return editFile(file, [
    ...(keys === undefined ? [edit(['keys'], { worker: randomBytes(32).toString('base64') })] : []),
    ...(client === undefined ? [edit(['client'], CLIENT)] : []),
    ...put(['remotes', remote, 'url'], known.url, urls),
    ...put(['remotes', remote, 'fingerprint'], known.fingerprint, [fingerprint]),
    ...(isTarget && known.role !== 'both' ? put(['remotes', remote, 'role'], known.role, ['target']) : []),
  ])
}

/** Sets these values, or removes them where they are undefined. Returns whether others could read the file before. */
export function editFile({ path, text }: RelayFile, edits: readonly [JSONPath, unknown][]): boolean {
  const formattingOptions = { insertSpaces: true, tabSize: 2 }
  const edited = edits.reduce(
    (before, [at, value]) => applyEdits(before, modify(before, at, value, { formattingOptions })),
    text,
  )
  return writePrivate(path, edited)
}

/** A list is that of a cluster, and these are of its members. */
function put(
  path: JSONPath,
  before: string | string[] | undefined,
  values: readonly string[],
): [JSONPath, unknown][] {
  if (Array.isArray(before)) {
    const fresh = values.filter((value) => !before.includes(value))
    return fresh.length === 0 ? [] : [edit(path, [...before, ...fresh])]
  }
  if (values.length > 1) return [edit(path, values)]
  return before === values[0] ? [] : [edit(path, values[0])]
}

const edit = (path: JSONPath, value: unknown): [JSONPath, unknown] => [path, value]
