/** A command of the shared grammar, as somebody has typed it in a shell. */
import type { Command, Parameter, Parsed } from '../../shared/command/command.ts'
import { commands } from '../../shared/command/commands.ts'
import { parseLine } from '../../shared/command/parse.ts'
import { quoteWord } from '../../shared/command/words.ts'
import { own } from '../../shared/own.ts'
import { err, ok, type Result } from '../../shared/result.ts'

/** Flags that every command has beside its own. */
export type Common = {
  json?: boolean
  'dry-run'?: boolean
  yes?: boolean
  digest?: string
  watch?: boolean
  'no-watch'?: boolean
}

export type Flags = Common & Record<string, string | boolean | undefined>

/** By the grammar of chat, so that a mistake is told in the same words. */
export function parseAsked(
  command: Command,
  flags: Flags,
  words: readonly string[],
): Result<Parsed, string[]> {
  const flagged = command.parameters.flatMap((parameter) => flagWords(parameter, own(flags, parameter.name)))
  // A shell has taken the quotes off, and a line is one word or several.
  const isLine = command.parameters.some(({ kind }) => kind === 'line')
  const given = isLine ? words : words.map(quoteWord)
  const parsed = parseLine([command.name, ...flagged, ...given].join(' '), commands)
  return parsed.ok ? ok(parsed.value) : err([parsed.error.text])
}

const flagWords = ({ name, kind }: Parameter, value: string | boolean | undefined): string[] => {
  if (value === undefined || value === false) return []
  return kind === 'switch' && value === true ? [`--${name}`] : [`--${name}=${quoteWord(String(value))}`]
}
