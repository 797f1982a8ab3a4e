/**
 * The commands as Discord lists them: one `/backup` with a subcommand for each. The body of
 * PUT /applications/{id}/commands, or of the same for one guild.
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

export const discordCommands = (commands: readonly Command[]): DiscordCommand[] => [
  {
    type: 1,
    name: 'backup',
    description: 'Backups of Incus: list, take, copy and restore snapshots',
    contexts: [0],
    integration_types: [0],
    options: commands.map(({ name, summary, parameters }) => ({
      ...{ type: 1, name, description: summary },
      options: requiredFirst(parameters).map(optionOf),
    })),
  },
]

/** Discord refuses any other order. */
const requiredFirst = (parameters: readonly Parameter[]): Parameter[] =>
  [...parameters].sort((a, b) => Number(b.required) - Number(a.required))

const optionOf = ({ name, kind, description, required }: Parameter): DiscordOption => ({
  ...{ type: 3, name, description, required },
  ...(COMPLETED.includes(kind) ? { autocomplete: true } : {}),
})
