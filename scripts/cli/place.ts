/** What commands get of the process that they run in. */
import type { Command, CommandContext } from '@stricli/core'
import type { Result } from '../../shared/result.ts'
import type { Refusal, Session } from '../session.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Streams } from './terminal.ts'

export type Place = CommandContext & {
  process: Streams & {
    exitCode?: number | string | null
    env?: Readonly<Partial<Record<string, string>>>
  }
  /** An error where its settings are missing. */
  session(): Result<Session, Refusal>
}

export type Route = Command<Place>

export const end = ({ process }: Place, code: ExitCode): void => {
  process.exitCode = code
}
