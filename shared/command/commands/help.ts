/** `help`: all commands by the role that they need, or the details of one. */
import type { Role } from '../../access/access.ts'
import type { Block, Message, Text } from '../../chat/message.ts'
import { isDestructive } from '../../work/verbs.ts'
import type { Command, Parameter, ReadCommand } from '../command.ts'
import { usageOf } from '../usage.ts'

const ROLES: Record<Role, string> = {
  viewer: 'For viewers, operators and admins',
  operator: 'For operators and admins',
  admin: 'For admins',
}

/** Passed as a function, because `help` is in the list itself. */
export const helpOver = (list: () => readonly Command[]): ReadCommand => ({
  kind: 'read',
  name: 'help',
  summary: 'List the commands, or explain one of them',
  role: 'viewer',
  parameters: [{ name: 'command', kind: 'command', description: 'The command to explain', required: false }],
  examples: ['help', 'help restore'],
  needs: 'nothing',
  answer: (values) => {
    const command = list().find(({ name }) => name === values.command)
    return command === undefined ? overview(list()) : manual(command)
  },
})

const typed = (line: string): { code: string } => ({ code: `/backup ${line}` })

const message = (headline: Text, details: readonly Block[]): Message => ({
  ...{ to: 'caller', tone: 'info', headline, details, buttons: [] },
})

const overview = (commands: readonly Command[]): Message =>
  message(
    ['These are the commands. More about one: ', typed('help restore')],
    (Object.keys(ROLES) as Role[]).flatMap((role) => groupOf(role, commands)),
  )

function groupOf(role: Role, commands: readonly Command[]): Block[] {
  const lines = commands.filter((command) => command.role === role).map(lineOf)
  return lines.length === 0 ? [] : [{ kind: 'lines', lines: [[{ strong: ROLES[role] }], ...lines] }]
}

const lineOf = ({ name, summary, examples: [example] }: Command): Text => [
  { code: name },
  ` – ${summary}`,
  ...(example === undefined || example === name ? [] : [', as in ', typed(example)]),
]

const manual = (command: Command): Message =>
  message(
    [typed(usageOf(command))],
    [
      {
        kind: 'lines',
        lines: [[`${command.summary}.`], ...command.parameters.map(explain), [whoMay(command)]],
      },
      { kind: 'lines', lines: command.examples.map((example): Text => [typed(example)]) },
    ],
  )

const explain = ({ name, description, required, flag }: Parameter): Text => [
  { code: flag ? `--${name}` : name },
  ` – ${description}${required ? '' : ' (optional)'}`,
]

const whoMay = (command: Command): string => {
  const confirmed = command.kind === 'change' && isDestructive({ do: command.does })
  const needed = `Needs the role ${command.role}`
  return confirmed ? `${needed}; its plan is shown first and has to be confirmed.` : `${needed}.`
}
