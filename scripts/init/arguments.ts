/** What `stapes init` is asked to do. */
import { parseArgs } from 'node:util'
import { KEEPS, type Keep } from '../../shared/setup/propose.ts'
import { fail } from '../fail.ts'

const USAGE = [
  'usage: stapes init [--server <name>]… [--backup <name> | --no-backup] [--token <name>=<file>]… [--address <name>=https://…]…',
  '                   [--projects a,b] [--keep short|usual|long] [--timezone <zone>] [--relay-url https://…]',
  '                   [--files] [--no-scriptlet] [--tick] [--yes]',
  '  From nothing to a first protected instance: keys and certificate, servers that trust them, a policy, and its plan.',
  '  Whatever isn’t given is asked, and with --yes taken as proposed. Nothing is done to instances without --tick, or your yes.',
  '  --server, --backup  servers by the names that they get here; the backup server holds the copies',
  '  --token             the file with the token that `incus config trust add` printed on that server',
  '  --address           where this machine reaches that server, if not at an address of its token',
  '  --projects          that the certificate may see; all, if the answer is *',
  '  --keep              short: 7 daily; usual: and 4 weekly, 6 monthly; long: 14, 8, 12 and 3 yearly',
  '  --relay-url         where the Worker will reach the relay',
  '  --files             single files of snapshots may be read: whoever has the relay’s keys could then read all files there',
  '  --no-scriptlet      don’t write the scriptlets that let the relay do less on the servers',
  '  --tick              take the first snapshots at once',
  '  Run again, it adds what is missing. Another key: stapes trust --renew-key; another certificate: stapes trust --renew',
]

const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/

/** Of a remote, as in relay.jsonc; null: it is one. */
export const whyNoName = (name: string): string | null =>
  NAME.test(name) ? null : 'lower case letters, digits and hyphens, at most 40'

/** Of projects, as `incus config trust add` takes them; null: they are some. */
export const whyNoProjects = (answer: string): string | null =>
  /^(\*|[^\s,/]+(,[^\s,/]+)*)$/.test(answer) ? null : 'names of projects, with commas between them'

export type Wanted = {
  servers: string[]
  /** Null: there is to be none. Undefined: it wasn't said. */
  backup: string | null | undefined
  /** Files by the names of servers. */
  tokens: ReadonlyMap<string, string>
  addresses: ReadonlyMap<string, string>
  projects: string | undefined
  keep: Keep | undefined
  timezone: string | undefined
  relayUrl: string | undefined
  files: boolean | undefined
  scriptlet: boolean | undefined
  tick: boolean
  yes: boolean
}

/** Ends the process where they are none. */
export function readWanted(args: readonly string[]): Wanted {
  const values = parse(args)
  if (values.help === true) {
    for (const line of USAGE) console.log(line)
    process.exit(0)
  }
  const { server: servers = [], backup, keep, timezone, projects } = values
  const names = [...servers, ...(backup === undefined ? [] : [backup])]
  for (const name of names) if (whyNoName(name) !== null) fail([`"${name}": expected ${whyNoName(name)}`], 2)
  if (new Set(names).size < names.length)
    fail(
      [
        'a server can be named once: a server that also holds copies of others is "role": "both" in relay.jsonc',
      ],
      2,
    )
  if (backup !== undefined && values['no-backup'] === true) fail(USAGE, 2)
  if (timezone !== undefined && !isZone(timezone))
    fail([`"${timezone}" is no time zone, such as Europe/Berlin`], 2)
  if (projects !== undefined && whyNoProjects(projects) !== null)
    fail([`--projects "${projects}": expected ${whyNoProjects(projects)}`], 2)
  const relayUrl = values['relay-url']
  if (relayUrl !== undefined && !/^https?:\/\/[^/]/.test(relayUrl))
    fail([`--relay-url ${relayUrl}: expected an address with https:// before it`], 2)
  if (keep !== undefined && !isKeep(keep)) fail([`--keep ${keep}: expected short, usual or long`], 2)
  return {
    servers,
    backup: values['no-backup'] === true ? null : backup,
    ...{ tokens: pairsOf(values.token, names), addresses: pairsOf(values.address, names) },
    ...{ projects, keep, timezone, relayUrl },
    files: values.files,
    scriptlet: values['no-scriptlet'] === true ? false : undefined,
    ...{ tick: values.tick === true, yes: values.yes === true },
  }
}

/** What was given for servers that are none of those; a name that is mistyped would else count for nothing. */
export const strangers = ({ tokens, addresses }: Wanted, names: readonly string[]): string[] =>
  [...new Set([...tokens.keys(), ...addresses.keys()])].filter((name) => !names.includes(name))

const isKeep = (text: string): text is Keep => Object.hasOwn(KEEPS, text)

function isZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== null
  } catch {
    return false
  }
}

/** `main=token.txt`; the name may be left out where there is one server only. */
function pairsOf(given: readonly string[] = [], names: readonly string[]): Map<string, string> {
  return new Map(
    given.map((pair): [string, string] => {
      const [, name = '', value = ''] = /^([a-z0-9-]+)=(.+)$/.exec(pair) ?? []
      if (value === '') fail([`"${pair}": expected <name>=<value>, as in ${names[0] ?? 'main'}=token.txt`], 2)
      return [name, value]
    }),
  )
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean' } as const
  const text = { type: 'string' } as const
  const several = { type: 'string', multiple: true } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ server: several, backup: text, 'no-backup': flag, token: several, address: several },
        ...{
          projects: text,
          keep: text,
          timezone: text,
          'relay-url': text,
          files: flag,
          'no-scriptlet': flag,
        },
        ...{ tick: flag, yes: flag, help: { type: 'boolean', short: 'h' } },
      } as const,
    }).values
  } catch (error) {
    return fail([(error as Error).message, ...USAGE], 2)
  }
}
