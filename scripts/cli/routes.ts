/** A command of the shell for each command of chat, made from its parameters. */
import { buildCommand } from '@stricli/core'
import type { Command, Parameter } from '../../shared/command/command.ts'
import { usageOf } from '../../shared/command/usage.ts'
import { ok, type Result } from '../../shared/result.ts'
import { isDestructive } from '../../shared/work/verbs.ts'
import { type Flags, parseAsked } from './asked.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { type Asking, perform } from './perform.ts'
import { end, type Place, type Route } from './place.ts'
import { createTerminal, inShell } from './terminal.ts'

type Flag = {
  kind: 'boolean' | 'parsed'
  brief: string
  optional: true
  parse?: typeof String
  [more: string]: unknown
}

/** What a command has beside those of the grammar. */
export type Own = {
  flags?: Record<string, Flag>
  /** Of its answer; absent: as `perform` says. */
  ends?(asking: Asking): Promise<ExitCode>
  /** What a request has beside what can be typed in chat, or what is wrong. */
  more?(flags: Flags): Result<object, string>
}

export function routeOf(command: Command, { flags: own = {}, ends = perform, more }: Own = {}): Route {
  const flags = { ...Object.fromEntries(command.parameters.map(flagOf)), ...commonFlags(command), ...own }
  return buildCommand<Flags, string[], Place>({
    docs: {
      brief: command.summary,
      fullDescription: manualOf(command),
      customUsage: [usageOf(command).slice(command.name.length + 1)],
    },
    parameters: {
      // Its type follows from the names of flags, which are known only here.
      flags: flags as never,
      positional: {
        kind: 'array',
        parameter: { brief: placesOf(command), parse: String, placeholder: 'word' },
      },
    },
    async func(flags, ...words) {
      const { json = false } = flags
      const terminal = createTerminal(this.process, {
        json,
        command: command.name,
        env: this.process.env ?? {},
      })
      const parsed = parseAsked(command, flags, words)
      const failed = (refusal: string[]): void => {
        terminal.fail(refusal)
        end(this, EXIT.failed)
      }
      if (!parsed.ok) return failed(parsed.error)
      const added = more?.(flags) ?? ok({})
      if (!added.ok) return failed([added.error])
      const session = this.session()
      if (!session.ok) return failed(session.error)
      const asking = { parsed: parsed.value, flags, terminal, session: session.value, more: added.value }
      end(this, await ends(asking))
    },
  })
}

export const text = (brief: string, placeholder?: string): Flag => ({
  ...{ kind: 'parsed', brief, parse: String, optional: true },
  ...(placeholder === undefined ? {} : { placeholder }),
})

export const flag = (brief: string): Flag => ({ kind: 'boolean', brief, optional: true, withNegated: false })

/** A place can be named as well, as in chat; that isn't shown. */
const flagOf = ({ name, kind, description, flag: isFlag }: Parameter): [string, Flag] => {
  const made = kind === 'switch' ? flag(description) : text(description)
  return [name, isFlag ? made : { ...made, hidden: true }]
}

function commonFlags(command: Command): Record<string, Flag> {
  const json = flag('Print the answer as JSON')
  if (command.kind !== 'change') return { json }
  const all = { json, 'dry-run': flag('Show the plan, and do nothing') }
  const watch = {
    watch: flag('Wait for the end of long work, as is done in a terminal'),
    'no-watch': flag('End as soon as it has begun'),
  }
  return isDestructive({ do: command.does })
    ? {
        ...{ ...all, yes: flag('Don’t ask: do what the plan says'), ...watch },
        digest: text('Do only the plan that has this digest', 'digest'),
      }
    : { ...all, ...watch }
}

const placesOf = ({ parameters }: Command): string =>
  parameters.flatMap(({ name, description, flag }) => (flag ? [] : [`${name}: ${description}`])).join('; ') ||
  'none'

const manualOf = (command: Command): string =>
  inShell([`${command.summary}.`, '', ...command.examples.map((example) => `  stapes ${example}`)].join('\n'))
