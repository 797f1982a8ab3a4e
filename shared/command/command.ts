/** A command of `/backup`: what it takes, who may use it, and what it means to the engine. One file each. */
import type { Role } from '../access/access.ts'
import type { Message } from '../chat/message.ts'
import type { Result } from '../result.ts'
import type { BackupRequest } from '../work/kinds.ts'
import type { Seen } from './seen.ts'

export type Parameter = {
  /** Lower-case words with dashes; also the flag `--name=value`. */
  name: string
  kind:
    | 'instance' // a path of one instance: `web1`, `default/web1`, `main/default/web1`
    | 'instances' // globs over such paths, as many as are given
    | 'snapshot' // a snapshot of `instance`
    | 'name' // of a new instance, a remote, a project or a pool
    | 'path' // of a file in an instance: `/etc/hosts`
    | 'policy'
    | 'duration' // `2h`, see duration.ts
    | 'count'
    | 'switch' // `yes` or `no`; as a flag without a value `yes`
    | 'command' // another command's name
    | 'line' // the rest of the line as it is: another command with its words
    | 'text' // free words, to the end of the line
  /** For people: a few words. */
  description: string
  required: boolean
  /** Only as `--name=value`, never by its place. */
  flag?: true
}

/** What was given, by parameter name; globs and words are separated by single spaces. */
export type Values = Readonly<Record<string, string>>

type Base = {
  name: string
  /** One line, for help and for the platforms' menus (at most 100 characters). */
  summary: string
  role: Role
  parameters: readonly Parameter[]
  /** Whole lines after `/backup`. */
  examples: readonly string[]
  /** Where a platform has no room for all of them, it stands apart. */
  seldom?: true
}

/** Answers from the ledger, the configuration or Incus, and changes nothing. */
export type ReadCommand = Base & {
  kind: 'read'
  /** What has to be read first: nothing, KV, the audit records, Incus itself, what came of a test to each channel, the stores of exports, the files of a snapshot, or all that the doctor looks at. */
  needs: 'nothing' | 'ledger' | 'history' | 'world' | 'channels' | 'exports' | 'files' | 'doctor'
  answer(values: Values, seen: Seen): Message
}

/** Shows the plan of another command, or of the next tick. */
export type PreviewCommand = Base & { kind: 'preview' }

/** Goes to the engine, as the cron trigger does. The plan of a destructive one has to be confirmed first. */
export type ChangeCommand = Base & {
  kind: 'change'
  /** The `do` of its request. */
  does: BackupRequest['do']
  request(values: Values, reason: string): Result<BackupRequest, string>
}

/** Changes the state of stapes, not Incus. */
export type SettingCommand = Base & {
  kind: 'setting'
  change(values: Values, by: string, now: Date): Result<PauseChange, string>
}

/** `until` null: until somebody resumes it. */
export type PauseChange =
  | { do: 'pause'; policy: string; by: string; at: string; until: string | null }
  | { do: 'resume'; policy: string }

export type Command = ReadCommand | PreviewCommand | ChangeCommand | SettingCommand

/** A command with valid values, and a line that parses to the same (for records and buttons). */
export type Parsed = { command: Command; values: Values; line: string }
