/** What stands behind the name of a script. */
import { parseArgs } from 'node:util'
import { fail } from './fail.ts'

export type Options<Name extends string> = { given: Record<Name, boolean>; file: string | undefined }

/**
 * Options without values, and at most one file. `npm run apply --dry-run` reaches a script without its option:
 * npm takes it for its own and leaves it in the environment. What makes a script do less is heard there, too.
 */
export function readOptions<Name extends string>(names: readonly Name[], usage: string): Options<Name> {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'boolean' as const }]))
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const given = Object.fromEntries(
      names.map((name) => [name, values[name] === true || (HARMLESS.includes(name) && isNpms(name))]),
    ) as Record<Name, boolean>
    if (positionals.length < 2) return { given, file: positionals[0] }
  } catch {
    // An option that there isn't.
  }
  return fail([`usage: ${usage}`], 2)
}

const HARMLESS = ['dry-run', 'applied']

const isNpms = (name: string): boolean => process.env[`npm_config_${name.replaceAll('-', '_')}`] === 'true'
