/**
 * The commands as Discord lists them: `/backup` with a subcommand for each; it takes 25 at most, so the seldom ones are
 * subcommands of `/backup-more`. The body of PUT /applications/{id}/commands, or of the same for one guild.
 */
import type { Command, Parameter } from './command.ts'

type DiscordOption = {
  type: 3
  name: string
  description: string
  required: boolean
  autocomplete?: true
}

type DiscordSubcommand = { type: 1; name: string; description: string; options: DiscordOption[] }

export type DiscordCommand = {
  /** Slash command. */
  type: 1
  name: string
  description: string
  /** In guilds only, and added to guilds only: grants are for the roles and people of one. */
  contexts: [0]
  integration_types: [0]
  options: DiscordSubcommand[]
}

const COMPLETED: readonly Parameter['kind'][] = [
  'instance',
  'instances',
  'snapshot',
  'policy',
  'switch',
  'command',
]

/** Names of the two. */
export const DISCORD_COMMANDS = ['backup', 'backup-more'] as const

export function discordCommands(commands: readonly Command[]): DiscordCommand[] {
  const [usual, more] = DISCORD_COMMANDS
  const seldom = commands.filter((command) => command.seldom === true)
  const others = commands.filter((command) => command.seldom !== true)
  return [
    commandOf(usual, 'Backups of Incus: list, take, copy and restore snapshots', others),
    ...(seldom.length === 0 ? [] : [commandOf(more, 'Backups of Incus: what is seldom needed', seldom)]),
  ]
}

const commandOf = (name: string, description: string, commands: readonly Command[]): DiscordCommand => ({
  ...{ type: 1, name, description, contexts: [0], integration_types: [0] },
  options: commands.map(({ name: sub, summary, parameters }) => ({
    ...{ type: 1, name: sub, description: summary },
    options: requiredFirst(parameters).map(optionOf),
  })),
})

/** Discord refuses any other order. */
const requiredFirst = (parameters: readonly Parameter[]): Parameter[] =>
  [...parameters].sort((a, b) => Number(b.required) - Number(a.required))

const optionOf = ({ name, kind, description, required }: Parameter): DiscordOption => ({
  ...{ type: 3, name, description, required },
  ...(COMPLETED.includes(kind) ? { autocomplete: true } : {}),
})
