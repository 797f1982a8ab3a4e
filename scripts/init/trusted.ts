/** Has a server trust the relay's certificate: the commands that somebody runs there, and the token that these print. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { ok } from '../../shared/result.ts'
import { fail } from '../fail.ts'
import { redeemInto } from '../trust/add.ts'
import { readClient, sayNarrowed } from '../trust/client.ts'
import { makeScriptlet } from '../trust/print-scriptlet.ts'
import { editFile, type RelayFile, readRelayFile, twinOf } from '../trust/relay-file.ts'
import { atRemote } from '../trust/remote.ts'
import type { Extra } from '../trust/scriptlet.ts'
import { parseToken } from '../trust/token.ts'
import { type Wanted, whyNoProjects } from './arguments.ts'
import type { Asker } from './ask.ts'

export const RELAY_FILE = 'relay.jsonc'

/** Ends the process when it can't be read or written. */
export function openRelayFile(): RelayFile {
  const file = readRelayFile(process.env.RELAY_CONFIG || RELAY_FILE)
  return file.ok ? file.value : fail([file.error])
}

type How = { name: string; isTarget: boolean; wanted: Wanted; asker: Asker }

/** Whether it does now; it doesn't where nobody has the token. */
export async function ensureTrusted({ name, isTarget, wanted, asker }: How): Promise<boolean> {
  if (await isTrusted(name)) {
    console.log(`${name} trusts the relay's certificate`)
    return true
  }
  const projects =
    wanted.projects ??
    (await asker.text(`Which projects of ${name} may stapes use? (* for all)`, 'default', whyNoProjects))
  const commands = commandsFor(projects)
  console.log(`\nOn ${name}, as its administrator:\n\n${commands.map((line) => `  ${line}`).join('\n')}\n`)
  const file = wanted.tokens.get(name)
  const why = (text: string): string | null => againstToken(text.trim(), name, openRelayFile().document)
  const token = file === undefined ? await asker.secret(`The token that it printed`, why) : readToken(file)
  if (token === null) return false
  const wrong = why(token)
  if (wrong !== null) return fail([`${name}: ${wrong}${file === undefined ? '' : ` (${file})`}`])
  const address = wanted.addresses.get(name)
  const added = await redeemInto(openRelayFile, {
    ...{ remote: name, token: token.trim(), address, isTarget },
  })
  if (!added.ok) return fail([added.error])
  const { path } = openRelayFile()
  if (added.value.narrowed) sayNarrowed(path)
  const mayRead =
    wanted.files ??
    (await asker.agree(
      `May single files of ${name}'s snapshots be read? Whoever has the relay's keys could then read all files there`,
      false,
    ))
  if (mayRead) editFile(openRelayFile(), [[['remotes', name, 'files'], true]])
  console.log(`${added.value.url} trusts the relay's certificate now; "${name}" is in ${path}`)
  return true
}

/** Null: it can be redeemed for that remote. A server under two names would be its own backup server. */
function againstToken(text: string, remote: string, document: RelayFile['document']): string | null {
  const token = parseToken(text)
  if (!token.ok) return token.error
  const twin = twinOf(document, remote, token.value.fingerprint)
  return twin === null ? null : `this is a token of ${twin}, not of ${remote}: run the commands on ${remote}`
}

const commandsFor = (projects: string): string[] => [
  'incus config set core.https_address :8443      # if it has no address yet',
  projects === '*'
    ? 'incus config trust add stapes                  # prints the token'
    : `incus config trust add stapes --restricted --projects ${projects}      # prints the token`,
]

async function isTrusted(name: string): Promise<boolean> {
  const file = openRelayFile()
  const client = readClient(file)
  if (client === null || !Object.hasOwn(file.document.remotes ?? {}, name)) return false
  const seen = await atRemote(file, name, client, async (server) => ok(server.isTrusted))
  // One that is down is no reason for another token.
  return seen.ok ? seen.value : fail([seen.error])
}

/** `incus config trust add` prints a line before it. */
function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().split(/\s+/).at(-1) ?? ''
  } catch (error) {
    return fail([`the token's file can't be read: ${(error as Error).message}`])
  }
}

/** What a proposed policy needs, and a restore besides. */
const EXTRAS: readonly Extra[] = ['copies', 'holds', 'restore', 'clones', 'thaw', 'volumes', 'files']

/** The scriptlet that lets the relay do less, as a file, and what is done with it. */
export async function writeScriptlet(name: string): Promise<string[]> {
  const file = openRelayFile()
  const client = readClient(file)
  if (client === null) return []
  const extras = new Set(EXTRAS)
  const made = await makeScriptlet(file, client, { do: 'scriptlet', remote: name, projects: null, extras })
  if (!made.ok) return [`${name} gets no scriptlet: ${made.error}`]
  const path = `${name}.scriptlet`
  if (existsSync(path))
    return [`${path} stays as it is; for a new one, remove it, or: npm run -s trust -- ${name} --scriptlet`]
  writeFileSync(path, made.value.scriptlet)
  const notes = made.value.notes.map((line) => line.replace('<this text>', path))
  return [`${path} is written. It lets the relay do there only what stapes needs:`, ...notes]
}
