/** What `npm run trust` is asked to do. */
import { parseArgs } from 'node:util'
import { fail } from '../fail.ts'
import { EXTRAS, type Extra } from './scriptlet.ts'

export const USAGE = [
  'usage: npm run trust -- <remote> <token> [https://host:8443] [--target]',
  '       npm run trust -- <remote> - …             the same, with the token from the input: it stays out of the process list',
  '       npm run -s trust -- <remote> --scriptlet [--projects a,b] [--with copies,holds,restore,clones,thaw,exports,volumes,buckets,files,hooks]',
  '       npm run trust -- <remote> --check         whether that scriptlet is in force',
  '       npm run trust -- --renew [--in-place]     another client certificate',
  '       npm run trust -- --renew-key, --drop-key <keyid>',
  '       npm run trust -- <remote> --renew-server [--accept <fingerprint>]',
  'The remote is named as in stapes.jsonc, in lower case.',
]

const MODES = ['scriptlet', 'check', 'renew', 'renew-key', 'renew-server'] as const
type Mode = (typeof MODES)[number] | 'drop-key'

export type Arguments =
  | { do: 'add'; remote: string; token: string; address: string | undefined; isTarget: boolean }
  | { do: 'scriptlet'; remote: string; projects: readonly string[] | null; extras: ReadonlySet<Extra> }
  | { do: 'check'; remote: string }
  | { do: 'renew-server'; remote: string; accept: string | null }
  | { do: 'renew'; inPlace: boolean }
  | { do: 'renew-key' }
  | { do: 'drop-key'; keyid: string }

const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/

const usage = (): never => fail(USAGE, 2)

/** What a token is, and how to get one. */
function withoutToken(remote: string, isTarget: boolean): string[] {
  const target = isTarget ? ' --target' : ''
  return [
    `Which token? The server of "${remote}" makes one: it works once, and has the server trust the relay's certificate.`,
    '  incus config trust add stapes --restricted --projects default    # on that server; it prints the token',
    `  npm run trust -- ${remote} -${target}    # here; it asks for the token`,
    ...(isTarget
      ? [
          `If the server trusts the relay already, and "${remote}" only lacks its role: write "role": "target" for it into relay.jsonc, and restart the relay.`,
        ]
      : []),
  ]
}

/** Ends the process where they are none. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, words } = parse(args)
  const [remote = '', token, address, ...more] = words
  const modes: Mode[] = MODES.filter((name) => values[name] === true)
  if (values['drop-key'] !== undefined) modes.push('drop-key')
  const [mode, ...others] = modes
  if (others.length > 0 || more.length > 0) return usage()
  if (mode === 'renew' || mode === 'renew-key' || mode === 'drop-key')
    return words.length > 0 ? usage() : ofAll(mode, values)
  if (!NAME.test(remote)) return usage()
  if (mode === undefined)
    return !only(values, ['target'])
      ? usage()
      : token === undefined
        ? fail(withoutToken(remote, values.target === true), 2)
        : { do: 'add', remote, token, address, isTarget: values.target === true }
  if (token !== undefined) return usage()
  if (mode === 'check') return only(values, ['check']) ? { do: mode, remote } : usage()
  if (mode === 'renew-server')
    return only(values, [mode, 'accept']) ? { do: mode, remote, accept: values.accept ?? null } : usage()
  if (!only(values, [mode, 'projects', 'with'])) return usage()
  const projects = values.projects === undefined ? null : listOf(values.projects)
  return { do: 'scriptlet', remote, projects, extras: extrasOf(values.with) }
}

function ofAll(
  mode: 'renew' | 'renew-key' | 'drop-key',
  values: ReturnType<typeof parse>['values'],
): Arguments {
  if (mode === 'renew')
    return only(values, [mode, 'in-place']) ? { do: mode, inPlace: values['in-place'] === true } : usage()
  if (!only(values, [mode])) return usage()
  return mode === 'drop-key' ? { do: mode, keyid: values['drop-key'] ?? '' } : { do: mode }
}

const only = (values: Record<string, unknown>, names: readonly string[]): boolean =>
  Object.keys(values).every((name) => names.includes(name))

const listOf = (text: string): string[] => text.split(',').filter((word) => word !== '')

function extrasOf(text = ''): ReadonlySet<Extra> {
  const extras = listOf(text).map((word) => EXTRAS.find((extra) => extra === word) ?? usage())
  return new Set(extras)
}

function parse(args: readonly string[]) {
  try {
    const flag = { type: 'boolean' } as const
    const text = { type: 'string' } as const
    const { values, positionals: words } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ target: flag, scriptlet: flag, check: flag, renew: flag, 'in-place': flag, 'renew-key': flag },
        'renew-server': flag,
        ...{ projects: text, with: text, 'drop-key': text, accept: text },
      },
    })
    return { values, words }
  } catch {
    return usage()
  }
}
