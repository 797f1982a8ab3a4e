/** The files that `stapes init` writes. What somebody wrote by hand stays: only what is missing is added. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { applyEdits, modify } from 'jsonc-parser'
import { parseJsonc } from '../../shared/jsonc.ts'
import { parseConfig } from '../../shared/policy/parse.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { Proposal } from '../../shared/setup/propose.ts'
import { type DocumentFile, inDocument, readDocument } from '../document.ts'
import { writePrivate } from '../trust/private-file.ts'

export type Proposed = Proposal & { remote: string }

/** What policies name already: servers that they back up, and those that they copy to. */
export type Covered = { sources: ReadonlySet<string>; targets: ReadonlySet<string> }

/** Nothing is added to a document that can't be used: what it covers isn't known. */
export function readCovered(path: string): Result<Covered, string[]> {
  const read = existsSync(path) ? readDocument(path, '') : null
  if (read === null) return ok({ sources: new Set(), targets: new Set() })
  if (!read.ok) return read
  const parsed = parseConfig(read.value.document)
  if (!parsed.ok) return err(parsed.error.map((complaint) => inDocument(read.value, complaint)))
  const { policies } = parsed.value
  return ok({
    sources: new Set(policies.flatMap(({ select }) => select.remotes)),
    targets: new Set(policies.flatMap(({ copy }) => copy?.remote ?? [])),
  })
}

/** Adds the policies of servers that none covers. `said`: what was done. */
export function writeDocument(
  path: string,
  proposals: readonly Proposed[],
): Result<{ file: DocumentFile; said: string[] }, string[]> {
  const before = existsSync(path) ? readDocument(path, '') : ok(null)
  if (!before.ok) return before
  if (proposals.length > 0)
    writeFileSync(path, proposals.reduce(add, before.value?.text ?? startOf(proposals)))
  const said =
    proposals.length === 0
      ? []
      : [`${path} has policies for ${proposals.map(({ remote }) => remote).join(', ')}`]
  const after = readDocument(path, '')
  return after.ok ? ok({ file: after.value, said }) : err(after.error)
}

const HEAD = '// What stapes backs up, when, and for how long: docs/examples has more.'

function startOf(proposals: readonly Proposed[]): string {
  const reasons = proposals.flatMap(({ reasons: lines }) => lines.map((line) => `  // ${line}`))
  const schema = existsSync('stapes.schema.json') ? ['  "$schema": "./stapes.schema.json",'] : []
  return [HEAD, '{', ...schema, ...reasons, '  "policies": {}', '}', ''].join('\n')
}

function add(text: string, { remote, policies, defaults }: Proposed): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2 }
  const names = namesIn(text)
  return Object.entries(policies).reduce((before, [name, policy]) => {
    const path = ['policies', names.has(name) ? `${name}-${remote}` : name]
    return applyEdits(before, modify(before, path, { ...policy, ...defaults }, { formattingOptions }))
  }, text)
}

function namesIn(text: string): Set<string> {
  const read = parseJsonc(text)
  const { policies } = (read.ok ? read.value : {}) as { policies?: object }
  return new Set(Object.keys(policies ?? {}))
}

type Setting = { name: string; value: string; said?: string }

/** A file of settings as `.env`: what it has already stays, also where that is empty or a comment. Returns the names that were added. */
export function addSettings(path: string, settings: readonly Setting[]): string[] {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const fresh = settings.filter(({ name }) => !new RegExp(`^\\s*(export\\s+)?${name}\\s*=`, 'm').test(before))
  const lines = fresh.flatMap(({ name, value, said }) => [
    ...(said === undefined ? [] : [`# ${said}`]),
    `${name}=${value}`,
  ])
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  if (fresh.length > 0) writePrivate(path, `${before}${gap}${lines.join('\n')}\n`)
  return fresh.map(({ name }) => name)
}

/** With secrets in them. */
const SECRET = [
  'relay.jsonc',
  'relay-journal.json*',
  'client.crt',
  'client.key',
  '.env',
  'secrets.env',
  '.stapes/',
]

export function ignoreSecrets(): boolean {
  const before = existsSync('.gitignore') ? readFileSync('.gitignore', 'utf8') : ''
  const known = new Set(before.split('\n').map((line) => line.trim()))
  const isIgnored = (name: string): boolean =>
    known.has(name) ||
    known.has(`/${name}`) ||
    (/\.(key|crt)$/.test(name) && known.has(`*.${name.split('.').at(-1)}`))
  const missing = SECRET.filter((name) => !isIgnored(name))
  if (missing.length === 0) return false
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  writeFileSync('.gitignore', `${before}${gap}${missing.join('\n')}\n`)
  return true
}
