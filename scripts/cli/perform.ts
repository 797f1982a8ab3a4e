/** Does what a parsed command means, over the HTTP API. */
import { resultMessage } from '../../shared/chat/result-message.ts'
import type { ChangeCommand, Parsed } from '../../shared/command/command.ts'
import { splitWords } from '../../shared/command/words.ts'
import { shellWord } from '../../shared/shell.ts'
import { isDestructive } from '../../shared/work/verbs.ts'
import { agree } from '../agree.ts'
import { planText } from '../plan-text.ts'
import type { Planned, Ran, Session } from '../session.ts'
import type { Common } from './asked.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { follow } from './follow.ts'
import type { Terminal } from './terminal.ts'

export type Asking = { parsed: Parsed; flags: Common; session: Session; terminal: Terminal; more?: object }

/** `more`: what a request has beside what can be typed in chat, such as a key. */
export async function perform(asking: Asking): Promise<ExitCode> {
  const { command } = asking.parsed
  switch (command.kind) {
    case 'read':
    case 'setting':
      return answer(asking)
    case 'preview':
      return preview(asking)
    case 'change':
      return request(command, asking)
  }
}

async function answer({ parsed, session, terminal }: Asking): Promise<ExitCode> {
  const said = await session.command(parsed.line)
  if (!said.ok) return failed(said.error, terminal)
  const { message, tone } = said.value
  terminal.show({ ...message, tone })
  terminal.data(said.value)
  return EXIT.good
}

async function preview({ parsed, session, terminal }: Asking): Promise<ExitCode> {
  const planned = await session.planOf({ line: parsed.line })
  return planned.ok ? shown(planned.value, parsed.line, terminal) : failed(planned.error, terminal)
}

function shown(planned: Planned, line: string, terminal: Terminal): ExitCode {
  for (const warning of planned.warnings) terminal.note(`warning: ${warning}`)
  terminal.say(planText(planned.lines))
  terminal.data({ line, plan: planned })
  return EXIT.good
}

async function request(command: ChangeCommand, asking: Asking): Promise<ExitCode> {
  const { parsed, flags, session, terminal, more = {} } = asking
  const body = { line: parsed.line, ...more }
  if (flags['dry-run'] === true || isDestructive({ do: command.does })) {
    const planned = await session.planOf(body)
    if (!planned.ok) return failed(planned.error, terminal)
    if (flags['dry-run'] === true) return shown(planned.value, parsed.line, terminal)
    if (flags.digest !== undefined && flags.digest !== planned.value.digest)
      return failed(['The plan has changed: nothing was done. Look at it again, with --dry-run'], terminal)
    if (planned.value.lines.length > 0) {
      const agreed = await confirm(planned.value, asking)
      if (agreed !== EXIT.good) return agreed
      return run({ ...body, confirm: planned.value.digest }, asking)
    }
  }
  return run(body, asking)
}

/** `--digest` confirms that plan alone: where another one would be performed, nothing is. */
async function confirm(planned: Planned, { parsed, flags, terminal }: Asking): Promise<ExitCode> {
  const { digest, approval, warnings } = planned
  if (approval === 'second')
    return failed(
      ['a policy of it requires a second person, and the API’s token counts as one: request it in chat'],
      terminal,
    )
  if (flags.yes === true && flags.digest !== undefined) return EXIT.good
  for (const warning of warnings) terminal.note(`warning: ${warning}`)
  terminal.say(planText(planned.lines))
  if (flags.yes === true) return EXIT.good
  const agreed = terminal.isWatched ? await agree('Do it?') : null
  if (agreed === true) return EXIT.good
  const again = `${shellLine(parsed.line)} --yes --digest=${shellWord(digest)}`
  terminal.note(
    agreed === false
      ? 'nothing was done'
      : `nothing was done: it removes or overwrites data, and there is no terminal to ask in. To do exactly this: stapes ${again}`,
  )
  terminal.data({ line: parsed.line, plan: planned, done: false })
  return EXIT.unconfirmed
}

function shellLine(line: string): string {
  const words = splitWords(line)
  return words.ok ? words.value.map(({ text }) => shellWord(text)).join(' ') : line
}

async function run(body: object, asking: Asking): Promise<ExitCode> {
  const { parsed, session, terminal, flags } = asking
  const ran = await session.run(body)
  if (!ran.ok) return failed(ran.error, terminal)
  const { lines, results, problems, refusal = null } = ran.value
  // A terminal has room for all of it.
  const room = Number.POSITIVE_INFINITY
  terminal.show(resultMessage(parsed.line, { lines, results, problems, refusal }, room))
  const isStopped = results.length === 0 && problems.length > 0
  const good =
    refusal === null && !isStopped && results.every(({ state }) => state === 'done' || state === 'started')
  const ended = good && isLong(ran.value) && isWatching(flags, terminal)
  const outcome = ended ? await follow(ran.value, session, terminal) : null
  terminal.data({ line: parsed.line, run: ran.value, ...(outcome === null ? {} : { outcome }) })
  return good && (outcome === null || outcome.every(({ state }) => state === 'done'))
    ? EXIT.good
    : EXIT.failed
}

const isWatching = (flags: Common, { isWatched }: Terminal): boolean =>
  flags['no-watch'] !== true && (flags.watch === true || isWatched)

const isLong = ({ started = {} }: Ran): boolean => Object.values(started).some((keys) => keys.length > 0)

function failed(refusal: string[], terminal: Terminal): ExitCode {
  terminal.fail(refusal)
  return EXIT.failed
}
