/** Where the relay's configuration comes from: a JSONC file, single parts of it overridden by the environment. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describeMisread, parseJsonc } from '../shared/jsonc.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { parseConfig, type RelayConfig, readText, WRITER } from './config.ts'
import { exposureOf } from './exposure.ts'

/** Environment variables and the parts of the file that they stand for; the last two of these are JSON. */
const OVERRIDES = [
  ['RELAY_HOST', ['listen', 'host']],
  ['RELAY_PORT', ['listen', 'port']],
  ['RELAY_CLIENT_CERTIFICATE', ['client', 'certificate']],
  ['RELAY_CLIENT_KEY', ['client', 'key']],
  ['RELAY_METRICS_TOKEN', ['metrics', 'token']],
  ['RELAY_KEYS', ['keys']],
  ['RELAY_REMOTES', ['remotes']],
] as const

export type Environment = Record<string, string | undefined>

/** `RELAY_CONFIG` names the file; paths in it are relative to where it lies. */
export function readConfig(environment: Environment): Result<RelayConfig, string> {
  const file = environment.RELAY_CONFIG
  const document = file === undefined ? ok({}) : readDocument(file)
  if (!document.ok) return document
  const overridden = override(document.value, environment)
  if (!overridden.ok) return overridden
  return parseConfig(overridden.value, file === undefined ? process.cwd() : dirname(file))
}

function readDocument(file: string): Result<object, string> {
  if (!existsSync(file)) return err(`RELAY_CONFIG: there is no ${file}; ${WRITER} writes it`)
  const text = readText(file, 'RELAY_CONFIG')
  if (!text.ok) return text
  const parsed = parseJsonc(text.value)
  if (!parsed.ok) return err(`${file}, ${describeMisread(parsed.error)}`)
  const document = parsed.value
  return typeof document === 'object' && document !== null ? ok(document) : err(`${file}: expected an object`)
}

function override(document: object, environment: Environment): Result<unknown, string> {
  const merged: Record<string, unknown> = { ...document }
  for (const [variable, [part, inner]] of OVERRIDES) {
    const value = environment[variable]
    if (value === undefined || value === '') continue
    if (inner !== undefined) merged[part] = { ...Object(merged[part]), [inner]: value }
    else {
      try {
        merged[part] = JSON.parse(value)
      } catch {
        return err(`${variable}: expected JSON, as in the file under "${part}"`)
      }
    }
  }
  return ok(merged)
}

/** What to do about files of the configuration that other users of this machine can read. */
export function exposuresOf(environment: Environment): string[] {
  const { RELAY_CONFIG: file } = environment
  const document = file === undefined ? ok({}) : readDocument(file)
  const merged = document.ok ? override(document.value, environment) : document
  if (!merged.ok) return []
  // Not the certificate: that is public.
  const { client } = merged.value as { client?: { key?: unknown } }
  const directory = file === undefined ? process.cwd() : dirname(file)
  const paths = [client?.key]
    .filter((path) => typeof path === 'string')
    .filter((path) => !path.startsWith('-----BEGIN'))
    .map((path) => resolve(directory, path))
  return [...(file === undefined ? [] : [file]), ...paths].flatMap((path) => exposureOf(path) ?? [])
}
