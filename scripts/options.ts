/** The arguments of a script. */
import { parseArgs } from 'node:util'
import { own } from '../shared/own.ts'
import { fail } from './fail.ts'

type Options<Name extends string> = { given: Record<Name, boolean>; words: string[] }

/**
 * Options without values, and at most so many other words; `--file x` is the word x where there may be one. `npm run apply --dry-run` reaches a script without
 * its option: npm takes it for its own and leaves it in the environment. What makes a script do less is heard
 * there, too.
 */
export function readOptions<Name extends string>(
  names: readonly Name[],
  most: number,
  usage: string,
): Options<Name> {
  try {
    const flags = Object.fromEntries(names.map((name) => [name, { type: 'boolean' as const }]))
    const options = { ...flags, ...(most === 0 ? {} : { file: { type: 'string' as const } }) }
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const set: Record<string, string | boolean | undefined> = values
    const words = [...(typeof set.file === 'string' ? [set.file] : []), ...positionals]
    const given = Object.fromEntries(
      names.map((name) => [name, own(set, name) === true || (HARMLESS.includes(name) && isNpms(name))]),
    ) as Record<Name, boolean>
    if (words.length <= most) return { given, words }
  } catch {
    // An option that there isn't.
  }
  return fail([`usage: ${usage}`], 2)
}

const HARMLESS = ['dry-run', 'applied']

const isNpms = (name: string): boolean => process.env[`npm_config_${name.replaceAll('-', '_')}`] === 'true'
