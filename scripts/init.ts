/**
 * `stapes init`: from nothing to a first protected instance on real servers. It may be run again: what is there is
 * kept, and what is missing is added.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { KEEPS, type Keep, propose, type SeenServer } from '../shared/setup/propose.ts'
import { fail } from './fail.ts'
import { readWanted, strangers, type Wanted, whyNoName } from './init/arguments.ts'
import { type Asker, alone, inTerminal } from './init/ask.ts'
import { deploySteps } from './init/deploy.ts'
import {
  addSettings,
  type Covered,
  ignoreSecrets,
  type Proposed,
  readCovered,
  writeDocument,
} from './init/files.ts'
import { lookAt } from './init/look.ts'
import { showPlan } from './init/plan.ts'
import { ensureTrusted, openRelayFile, writeScriptlet } from './init/trusted.ts'
import { fileOf, loadEnvironment } from './remote.ts'
import { readClient } from './trust/client.ts'

loadEnvironment()
const wanted = readWanted(process.argv.slice(2))
const asker: Asker = !wanted.yes && process.stdin.isTTY && process.stdout.isTTY ? inTerminal : alone

const names = await namesOf(wanted)
const all = [...names.servers, ...(names.backup === null ? [] : [names.backup])]
const unknown = strangers(wanted, all)
if (unknown.length > 0)
  fail([`--token or --address names ${unknown.join(', ')}, and the servers are ${all.join(', ')}`], 2)
const documentFile = fileOf(undefined)
const covered = readCovered(documentFile)
if (!covered.ok) fail([...covered.error, `mend ${documentFile}, or move it away for a new one`])
refuseUnnamed(covered.value)
if (ignoreSecrets()) console.log('.gitignore names the files with secrets in them')
const untrusted: string[] = []
for (const name of names.servers)
  if (!(await ensureTrusted({ name, isTarget: false, wanted, asker }))) untrusted.push(name)
if (names.backup !== null && !(await ensureTrusted({ name: names.backup, isTarget: true, wanted, asker })))
  untrusted.push(names.backup)
if (untrusted.length > 0)
  fail(
    [
      `Not trusted yet by ${untrusted.join(' and ')}: run the commands above there, save what each prints into a file that only you can read, and run this again with`,
      `  ${untrusted.map((name) => `--token ${name}=<file>`).join(' ')}`,
      ...(wanted.backup === undefined && names.backup !== null && untrusted.includes(names.backup)
        ? [`If there is no server for copies: --no-backup`]
        : []),
    ],
    2,
  )

const proposals = await proposalsFor(names, covered.value, wanted)
const token = process.env.STAPES_TOKEN || randomBytes(24).toString('base64url')
const key = signingKey()
const written = writeDocument(documentFile, proposals)
if (!written.ok) fail(written.error)
for (const line of written.value.said) console.log(line)
writeSettings(wanted)
if (wanted.scriptlet !== false) await offerScriptlets(names)

const isWell = await showPlan(
  { file: written.value.file, relayFile: openRelayFile().path, key, token },
  async () => wanted.tick || (await asker.agree('Take the first snapshots now?', false)),
)
for (const line of deploySteps({
  relayUrl: wanted.relayUrl ?? null,
  isCheckout: existsSync('relay/main.ts'),
}))
  console.log(line)
process.exit(isWell ? 0 : 1)

type Names = { servers: string[]; backup: string | null }

/** Those that were named, else those of relay.jsonc, else as somebody answers. */
async function namesOf({ servers, backup }: Wanted): Promise<Names> {
  const known = Object.entries(openRelayFile().document.remotes ?? {})
  const named = (isWanted: (role: string) => boolean): string[] =>
    known.filter(([, { role = 'source' }]) => isWanted(role)).map(([name]) => name)
  const sources = [...new Set([...named((role) => role !== 'target'), ...servers])].filter(
    (one) => one !== backup,
  )
  const [target] = named((role) => role === 'target')
  const first = async (): Promise<string[]> => [
    await asker.text('What do you call the server that is backed up?', 'main', whyNoName),
  ]
  const second = async (): Promise<string | null> => {
    if (!(await asker.agree('Is there a second server, for the copies?', true))) return null
    return asker.text('What do you call it?', 'backup', whyNoName)
  }
  return {
    servers: sources.length > 0 ? sources : await first(),
    backup: backup !== undefined ? backup : (target ?? (await second())),
  }
}

/** Such as the sample of a checkout: no plan can be made while its policies name servers that aren't there. */
function refuseUnnamed({ sources, targets }: Covered): void {
  const known = [...all, ...Object.keys(openRelayFile().document.remotes ?? {})]
  const missing = [...new Set([...sources, ...targets])].filter((name) => !known.includes(name))
  if (missing.length === 0) return
  fail(
    [
      `The policies in ${documentFile} are for ${missing.join(' and ')}, and the servers here are ${all.join(' and ')}.`,
      `Name them so (--server main --backup backup, say), correct ${documentFile}, or move it away: then policies are proposed.`,
    ],
    2,
  )
}

async function proposalsFor(
  { servers, backup }: Names,
  { sources }: Covered,
  { keep, timezone }: Wanted,
): Promise<Proposed[]> {
  for (const name of servers.filter((one) => sources.has(one)))
    console.log(
      `${documentFile} stays as it is: it has policies for ${name} already. For what would be proposed, move it away`,
    )
  const fresh = servers.filter((name) => !sources.has(name))
  if (fresh.length === 0) return []
  const kept =
    keep ??
    (await asker.choose<Keep>(
      'How long are daily snapshots kept?',
      Object.entries(KEEPS).map(([value, units]) => ({
        value: value as Keep,
        label: Object.entries(units)
          .map(([unit, many]) => `${many} ${unit}`)
          .join(', '),
      })),
      'usual',
    ))
  const zone = timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const target = backup === null ? null : await look(backup)
  const proposals: Proposed[] = []
  for (const remote of fresh) {
    const proposal = propose(await look(remote), { keep: kept, timezone: zone, backup: target })
    console.log(`\nProposed for ${remote}:`)
    for (const line of proposal.reasons) console.log(`  ${line}`)
    for (const line of proposal.warnings) console.log(`  ! ${line}`)
    proposals.push({ ...proposal, remote })
  }
  console.log('')
  return proposals
}

async function look(remote: string): Promise<SeenServer> {
  const file = openRelayFile()
  const client = readClient(file)
  if (client === null) return fail([`there is no ${file.client.certificate}`])
  const seen = await lookAt(file, client, remote)
  return seen.ok ? seen.value : fail([seen.error])
}

/** The newest one, which the Worker is about to sign with. */
function signingKey(): { id: string; secret: string } {
  const { path, document } = openRelayFile()
  const [id, secret] = Object.entries(document.keys ?? {}).at(-1) ?? []
  return id !== undefined && typeof secret === 'string'
    ? { id, secret }
    : fail([`there is no key in ${path}`])
}

function writeSettings({ relayUrl }: Wanted): void {
  const env = addSettings('.env', [
    { name: 'RELAY_CONFIG', value: openRelayFile().path },
    { name: 'STAPES_TOKEN', value: token, said: 'of the HTTP API and the page' },
  ])
  const secrets = addSettings('secrets.env', [
    ...(relayUrl === undefined ? [] : [{ name: 'RELAY_URL', value: relayUrl }]),
    { name: 'RELAY_KEY_ID', value: key.id },
    { name: 'RELAY_KEY', value: key.secret, said: 'as in relay.jsonc' },
    { name: 'STAPES_TOKEN', value: token },
  ])
  for (const [file, added] of [
    ['.env', env],
    ['secrets.env', secrets],
  ] as const)
    console.log(added.length === 0 ? `${file} stays as it is` : `${file} has ${added.join(', ')}`)
  if (!readFileSync('secrets.env', 'utf8').includes(key.secret))
    console.error('warning: secrets.env has another RELAY_KEY than relay.jsonc: the relay refuses it')
}

async function offerScriptlets({ servers, backup }: Names): Promise<void> {
  const question = 'The certificate may do everything in its projects. Write scriptlets that let it do less?'
  if (wanted.scriptlet === undefined && !(await asker.agree(question, true))) return
  for (const name of [...servers, ...(backup === null ? [] : [backup])])
    for (const line of await writeScriptlet(name)) console.log(line)
}
