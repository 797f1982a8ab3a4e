/**
 * Parses what people type after `/backup`, or enter in a platform's own form, to a command with valid values.
 * Knows no platform. Never throws.
 */
import { ok, type Result } from '../result.ts'
import type { Command, Parameter, Parsed, Values } from './command.ts'
import { flagOf } from './flag.ts'
import { type Given, gather, unknownFlag } from './gather.ts'
import { checkValue, EXPECTED, findCommand, unknownCommand } from './kinds.ts'
import { renderLine } from './line.ts'
import { type Mistake, mistake } from './mistake.ts'
import { usageOf } from './usage.ts'
import { splitWords, type Word } from './words.ts'

/** An empty line means `help`. */
export function parseLine(text: string, commands: readonly Command[]): Result<Parsed, Mistake> {
  const words = splitWords(text)
  if (!words.ok) return words
  const [first, ...rest] = words.value
  if (first === undefined || asksHelp(first)) return parseOptions('help', {}, commands)
  if (flagOf(first) !== null)
    return mistake(
      'unknown-command',
      'A line begins with a command, as in /backup now web1; flags follow it.',
    )
  const command = findCommand(first.text, commands)
  if (command === null) return noCommand(first.text, commands)
  if (rest.some(asksHelp) && !command.parameters.some(({ kind }) => kind === 'line'))
    return parseOptions('help', { command: command.name }, commands)
  return parseArguments(command, rest, text, commands)
}

/** `words`: those after the command's name in `line`. */
export function parseArguments(
  command: Command,
  words: readonly Word[],
  line: string,
  commands: readonly Command[],
): Result<Parsed, Mistake> {
  const given = gather(command, words, line)
  return given.ok ? settle(command, given.value, commands) : given
}

const asksHelp = (word: Word): boolean => flagOf(word)?.name === 'help'

const noCommand = (given: string, commands: readonly Command[]): { ok: false; error: Mistake } => {
  const text = unknownCommand(given, commands)
  return mistake('unknown-command', text.charAt(0).toUpperCase() + text.slice(1))
}

/** `options` by parameter name, as Discord gives them; an empty one counts as not given. */
export function parseOptions(
  name: string,
  options: Readonly<Record<string, string>>,
  commands: readonly Command[],
): Result<Parsed, Mistake> {
  const command = findCommand(name, commands)
  if (command === null) return noCommand(name, commands)
  const given: Given = new Map()
  for (const [option, value] of Object.entries(options)) {
    const parameter = command.parameters.find((one) => one.name === option)
    if (parameter === undefined) return mistake('unknown-flag', unknownFlag(command, option))
    const words = wordsOf(parameter, value)
    if (!words.ok) return words
    given.set(option, words.value)
  }
  return settle(command, given, commands)
}

/** Quotes aren't needed here, and are accepted because people are used to them. */
function wordsOf({ kind }: Parameter, value: string): Result<string[], Mistake> {
  if (kind === 'text') return ok([value])
  const words = splitWords(value)
  if (!words.ok) return words
  return ok(kind === 'line' ? [value.trim()] : words.value.map(({ text }) => text))
}

/** Checks each value, and that the rendered line parses again. */
function settle(command: Command, given: Given, commands: readonly Command[]): Result<Parsed, Mistake> {
  const values: Record<string, string> = {}
  for (const parameter of command.parameters) {
    const words = cleaned(parameter, given.get(parameter.name) ?? [])
    if (words.length === 0) {
      if (parameter.required) return mistake('missing', missing(command, parameter))
      continue
    }
    const checked = checkValue(parameter, words, commands)
    if (!checked.ok) return mistake('invalid', `${parameter.name}: ${checked.error}`)
    values[parameter.name] = checked.value
  }
  const refused = refusalOf(command, values)
  if (refused !== null) return mistake('refused', refused)
  const line = renderLine(command, values)
  const again = splitWords(line)
  return again.ok ? ok({ command, values, line }) : again
}

/** White space in free text is collapsed, so that notes stay on one line. */
function cleaned({ kind }: Parameter, words: readonly string[]): readonly string[] {
  const all = kind === 'text' ? [words.join(' ').replace(/\s+/g, ' ').trim()] : words
  return all.every((word) => word === '') ? [] : all
}

const missing = (command: Command, { name, kind }: Parameter): string =>
  `${command.name} needs ${name}: ${EXPECTED[kind]}. Usage: /backup ${usageOf(command)}`

/** If the command refuses these values, that is said at once and not after the acknowledgement. */
function refusalOf(command: Command, values: Values): string | null {
  if (command.kind !== 'change') return null
  const requested = command.request(values, '')
  return requested.ok ? null : requested.error
}
