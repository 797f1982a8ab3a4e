/** The files that `stapes init` writes. What somebody wrote by hand stays: only what is missing is added. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { applyEdits, modify } from 'jsonc-parser'
import { parseJsonc } from '../../shared/jsonc.ts'
import { parseConfig } from '../../shared/policy/parse.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { Proposal } from '../../shared/setup/propose.ts'
import { type DocumentFile, readDocument } from '../document.ts'
import { writePrivate } from '../trust/private-file.ts'

export type Proposed = Proposal & { remote: string }

/** Adds the policies of servers that none covers. `said`: what was done, a line each. */
export function writeDocument(
  path: string,
  proposals: readonly Proposed[],
): Result<{ file: DocumentFile; said: string[] }, string[]> {
  const before = existsSync(path) ? readDocument(path, '') : ok(null)
  if (!before.ok) return before
  const covered = remotesIn(before.value?.document)
  const fresh = proposals.filter(({ remote }) => !covered.has(remote))
  const said = proposals
    .filter(({ remote }) => covered.has(remote))
    .map(({ remote }) => `${path} stays as it is: it has policies for ${remote} already`)
  if (fresh.length > 0) {
    const text = fresh.reduce(add, before.value?.text ?? startOf(fresh))
    writeFileSync(path, text)
    said.push(`${path} has policies for ${fresh.map(({ remote }) => remote).join(', ')}`)
  }
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

/** What a document covers; nothing where it can't be used, which the plan says afterwards. */
function remotesIn(document: unknown): Set<string> {
  const parsed = document === undefined ? null : parseConfig(document)
  return new Set(parsed?.ok === true ? parsed.value.policies.flatMap(({ select }) => select.remotes) : [])
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
