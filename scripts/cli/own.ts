/** Commands of chat, with what a shell adds to some of them: exit codes, and files of this machine. */
import { commands } from '../../shared/command/commands.ts'
import { diagnosisMessage } from '../../shared/doctor/message.ts'
import { own } from '../../shared/own.ts'
import { ok } from '../../shared/result.ts'
import { keyIn } from '../age-key.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { type Asking, perform } from './perform.ts'
import type { Route } from './place.ts'
import { type Own, routeOf, text } from './routes.ts'

const HEALTH: Record<string, ExitCode> = { good: EXIT.good, warning: EXIT.warned, bad: EXIT.broken }

/** Its exit code is the verdict's, which is asked for first: `--json` prints one document. */
async function status(asking: Asking): Promise<ExitCode> {
  const found = await asking.session.status()
  if (!found.ok) {
    asking.terminal.fail(found.error)
    return EXIT.failed
  }
  const shown = await perform(asking)
  return shown === EXIT.good ? (own(HEALTH, found.value.health) ?? EXIT.broken) : shown
}

/** Asked once: text and exit code are of the same diagnosis. */
async function doctor({ session, terminal }: Asking): Promise<ExitCode> {
  const found = await session.doctor()
  if (!found.ok) {
    terminal.fail(found.error)
    return EXIT.failed
  }
  // A terminal has room for all of it.
  terminal.show(diagnosisMessage(found.value, Number.POSITIVE_INFINITY))
  terminal.data(found.value)
  return own(HEALTH, found.value.tone) ?? EXIT.broken
}

const CHANGED: Record<string, Own> = {
  status: { ends: status },
  doctor: { ends: doctor },
  import: {
    flags: { key: text('The file of age-keygen with the identity of an encrypted export', 'file') },
    more({ key: file }) {
      const key = typeof file === 'string' ? keyIn(file) : null
      if (key === null) return ok({})
      return key.ok ? ok({ key: key.value }) : key
    },
  },
}

/** Those of chat, with what a shell adds to them. */
export const shared = (): Record<string, Route> =>
  Object.fromEntries(commands.map((command) => [command.name, routeOf(command, own(CHANGED, command.name))]))
