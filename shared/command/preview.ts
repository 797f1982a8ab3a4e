/** `/backup plan …`: a dry run of a request. */

import { nearest } from '../policy/nearest.ts'
import { ok, type Result } from '../result.ts'
import type { BackupRequest } from '../work/kinds.ts'
import type { ChangeCommand, Command, Parsed, Values } from './command.ts'
import { findCommand } from './kinds.ts'
import { type Mistake, mistake, show } from './mistake.ts'
import { parseArguments, parseLine } from './parse.ts'
import { INSTANCES, POLICY, scopeOf } from './scope.ts'
import { splitWords, type Word } from './words.ts'

/** `request` undefined: the next tick. `of`: the command that would do it, where one was named. */
type Preview = { request: BackupRequest | undefined; of: Parsed | null }

const REASON = 'requested'

/** `/backup plan web1`: what the schedule would do with it. */
const look = {
  ...{ kind: 'change', does: 'look', name: 'plan', summary: '', role: 'viewer', examples: [] },
  parameters: [INSTANCES, POLICY],
  request: (values: Values, reason: string) => ok({ do: 'look', reason, ...scopeOf(values) }),
} as const satisfies ChangeCommand

export function previewOf(line: string, commands: readonly Command[]): Result<Preview, Mistake> {
  const words = splitWords(line)
  if (!words.ok) return words
  const [first] = words.value
  if (first === undefined) return ok({ request: undefined, of: null })
  if (findCommand(first.text, commands) !== null) return previewCommand(line, commands)
  const meant = mistyped(words.value, commands)
  if (meant !== null)
    return mistake(
      'unknown-command',
      `There is no command ${show(first.text)}; did you mean ${meant}? An instance of that name is written default/${first.text}.`,
    )
  const looked = parseArguments(look, words.value, line, commands)
  return looked.ok ? preview(look, looked.value.values, null) : looked
}

function previewCommand(line: string, commands: readonly Command[]): Result<Preview, Mistake> {
  const parsed = parseLine(line, commands)
  if (!parsed.ok) return parsed
  const { command, values } = parsed.value
  if (command.kind === 'change') return preview(command, values, parsed.value)
  return mistake(
    'refused',
    `${command.name} changes nothing in Incus, so it has no plan. An instance of that name is written default/${command.name}.`,
  )
}

function preview(command: ChangeCommand, values: Values, of: Parsed | null): Result<Preview, Mistake> {
  const request = command.request(values, REASON)
  return request.ok ? ok({ request: request.value, of }) : mistake('refused', request.error)
}

/** If more words follow and the first is nearly a command, it is a typing error and no instance. */
const mistyped = ([first, ...rest]: readonly Word[], commands: readonly Command[]): string | null =>
  first === undefined || rest.length === 0
    ? null
    : nearest(
        first.text,
        commands.map(({ name }) => name),
      )
