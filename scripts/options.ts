/** The arguments of a script. */
import { parseArgs } from 'node:util'
import { fail } from './fail.ts'

type Options<Name extends string> = { given: Record<Name, boolean>; words: string[] }

/**
 * Options without values, and at most so many other words. `npm run apply --dry-run` reaches a script without
 * its option: npm takes it for its own and leaves it in the environment. What makes a script do less is heard
 * there, too.
 */
export function readOptions<Name extends string>(
  names: readonly Name[],
  most: number,
  usage: string,
): Options<Name> {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'boolean' as const }]))
    const { values, positionals: words } = parseArgs({ options, allowPositionals: true })
    const given = Object.fromEntries(
      names.map((name) => [name, values[name] === true || (HARMLESS.includes(name) && isNpms(name))]),
    ) as Record<Name, boolean>
    if (words.length <= most) return { given, words }
  } catch {
    // An option that there isn't.
  }
  return fail([`usage: ${usage}`], 2)
}

const HARMLESS = ['dry-run', 'applied']

const isNpms = (name: string): boolean => process.env[`npm_config_${name.replaceAll('-', '_')}`] === 'true'
