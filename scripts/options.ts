/** The arguments of a script. */
import { parseArgs } from 'node:util'
import { own } from '../shared/own.ts'
import { shellWord } from '../shared/shell.ts'
import { fail } from './fail.ts'

type Options<Name extends string> = { given: Record<Name, boolean>; words: string[] }

/**
 * Options without values, and at most so many other words; `--file x` is the word x where there may be one.
 * `npm run apply --dry-run` reaches a script without its option: npm takes it for its own and leaves it in the
 * environment. What makes a script do less is heard there, too. `--help` shows the usage and ends the process.
 */
export function readOptions<Name extends string>(
  names: readonly Name[],
  most: number,
  usage: string,
): Options<Name> {
  try {
    const flags = Object.fromEntries(names.map((name) => [name, { type: 'boolean' as const }]))
    const help = { help: { type: 'boolean' as const, short: 'h' } }
    const options = { ...flags, ...help, ...(most === 0 ? {} : { file: { type: 'string' as const } }) }
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const set: Record<string, string | boolean | undefined> = values
    if (set.help === true) showUsage(usage)
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

function showUsage(usage: string): never {
  console.log(`usage: ${usage}`)
  process.exit(0)
}

/** How a script is called once more, with the same file. */
export function commandOf(script: string, file: string | undefined, ...options: string[]): string {
  const words = [...options, ...(file === undefined ? [] : [shellWord(file)])]
  return `npm run ${script}${words.length === 0 ? '' : ` -- ${words.join(' ')}`}`
}

const HARMLESS = ['dry-run', 'applied']

const isNpms = (name: string): boolean => process.env[`npm_config_${name.replaceAll('-', '_')}`] === 'true'
