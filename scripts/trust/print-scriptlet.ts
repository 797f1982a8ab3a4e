/** `--scriptlet`: the scriptlet for a remote on stdout, and on stderr how to set it on that server. */

import * as z from 'zod/mini'
import type { ClientCertificate } from '../../relay/pinning.ts'
import { own } from '../../shared/own.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { Arguments } from './arguments.ts'
import { fingerprintOf } from './client.ts'
import { nextCertificate } from './next-client.ts'
import type { RelayFile } from './relay-file.ts'
import { atRemote, type Server } from './remote.ts'
import { mayEdit, type Role, renderScriptlet, type Trusted } from './scriptlet.ts'

type Wanted = Extract<Arguments, { do: 'scriptlet' }>

/** `keys`: of the server's config, to be set to "scriptlet" besides. */
type Printed = { scriptlet: string; keys: string[]; notes: string[] }

const listSchema = z.array(
  z.object({
    fingerprint: z.string(),
    name: z.string(),
    type: z.string(),
    restricted: z.boolean(),
    projects: z.nullable(z.array(z.string())),
  }),
)

export const makeScriptlet = (
  file: RelayFile,
  client: ClientCertificate,
  wanted: Wanted,
): Promise<Result<Printed, string>> =>
  atRemote(file, wanted.remote, client, async (server) => {
    if (!server.isTrusted)
      return err(
        `${server.url} doesn't trust the relay's certificate, or its scriptlet refuses everything to it`,
      )
    if (!server.extensions.includes('authorization_scriptlet'))
      return err(`${server.url} is too old for scriptlets: it has no "authorization_scriptlet"`)
    const trusted = await listTrusted(server)
    if (trusted === null) return err(`${server.url} doesn't list the certificates that it trusts`)
    const current = fingerprintOf(client.certificate)
    const own = trusted.find(({ fingerprint }) => fingerprint === current)
    const projects = wanted.projects ?? own?.projects ?? null
    if (own === undefined || projects === null || projects.length === 0)
      return err(`name the projects that the relay may reach: --projects default,…`)
    const next = nextCertificate(file)
    const relay = [current, ...(next === null ? [] : [fingerprintOf(next.certificate)])]
    const isRelays = ({ fingerprint }: Named) => relay.includes(fingerprint)
    const names = [...new Set(trusted.filter(isRelays).map(({ name }) => name))]
    const knowsWho = server.extensions.includes('authorization_scriptlet_cert')
    const namesake = trusted.find((one) => !isRelays(one) && names.includes(one.name))
    if (knowsWho && (namesake !== undefined || names.includes('')))
      return err(
        `give the relay's certificate a name that no other one has on ${server.url}, as the scriptlet goes by it: incus config trust edit ${current.slice(0, 12)}`,
      )
    const role = roleOf(file, wanted.remote)
    const scriptlet = renderScriptlet({
      ...{ relay, names, projects, role, extras: wanted.extras },
      trusted: knowsWho ? null : trusted.filter((one) => !isRelays(one)),
    })
    const keys = keysFor(server, own)
    const heading = `For ${wanted.remote} (Incus ${server.version}), as ${role}, in ${projects.join(', ')}.`
    return ok({ scriptlet, keys, notes: [heading, ...notesFor(wanted, keys, { role, own, knowsWho })] })
  })

type Named = Trusted & { name: string }

async function listTrusted({ ask }: Server): Promise<Named[] | null> {
  const { status, metadata } = await ask('GET', '/1.0/certificates?recursion=1')
  const listed = listSchema.safeParse(metadata)
  if (status !== 200 || !listed.success) return null
  return listed.data
    .filter(({ type }) => type === 'client' || type === 'metrics')
    .map(({ fingerprint, name, type, restricted, projects }) => ({
      ...{ fingerprint, name, isMetrics: type === 'metrics' },
      projects: restricted ? (projects ?? []) : null,
    }))
}

/** As the relay has it: a remote without one is a source. */
function roleOf({ document }: RelayFile, remote: string): Role {
  const role = own(document.remotes, remote)?.role
  return role === 'target' || role === 'both' ? role : 'source'
}

/** Servers that route each class of clients ask the scriptlet only about those that are routed to it. */
function keysFor({ extensions }: Server, own: Trusted): string[] {
  if (!extensions.includes('authorization_client_routing')) return []
  const classes = own.projects === null ? ['tls-restricted', 'tls'] : ['tls-restricted']
  return classes.map((name) => `authorization.client.${name}`)
}

const notesFor = (
  { remote, extras }: Wanted,
  keys: readonly string[],
  { role, own, knowsWho }: { role: Role; own: Trusted; knowsWho: boolean },
): string[] => [
  'Set it on that server, as root:',
  '  incus config set authorization.scriptlet=- < <this text>',
  ...keys.map((key) => `  incus config set ${key}=scriptlet      # before that, this server doesn't ask it`),
  `Then see whether it is in force: npm run trust -- ${remote} --check`,
  `To undo it: incus config unset ${[...keys, 'authorization.scriptlet'].join('; incus config unset ')}`,
  'It replaces a scriptlet that the server has already: put the two together by hand.',
  ...(knowsWho
    ? []
    : [
        'It lists the certificates that are trusted today. After adding one, print and set it again; until then the new one is refused over the network.',
      ]),
  ...(own.projects === null
    ? [
        'The relay’s certificate is unrestricted there: without the scriptlet it may do everything. Set "restricted: true" and its projects with incus config trust edit.',
      ]
    : []),
  ...(mayEdit(role, extras)
    ? []
    : ['With it, copies from this server, holds and restores are refused: see --with.']),
]
