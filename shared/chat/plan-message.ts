/** The engine's plan for a command, counted in the first line. */
import type { Line } from '../plan/line.ts'
import type { Refusal } from '../plan/plan.ts'
import { foldPlan } from './details.ts'
import type { Message, Text } from './message.ts'
import { tallyOf } from './tally.ts'
import { cut, spoken, typed } from './words.ts'

/** How to see the lines that were cut. */
export const ALL_LINES = 'name one instance to see its lines, or ask the HTTP API for the plan'

type PlanShown = { refusal?: Refusal | null; to?: Message['to'] }

/** `line` is the command as one would type it. */
export function planMessage(
  line: string,
  lines: readonly Line[],
  { refusal = null, to = 'caller' }: PlanShown = {},
): Message {
  if (refusal !== null) return refusedMessage(line, refusal.reason, lines, to)
  const problems = lines.some(({ sign }) => sign === '!')
  return {
    to,
    tone: problems ? 'warning' : 'info',
    headline: [typed(line), ` ${tallyOf(lines, 'will') || nothing(lines)}${problemsOf(lines)}`],
    details: foldPlan(lines, ALL_LINES),
    buttons: [],
  }
}

/** Nothing was done, and why. */
export const refusedMessage = (
  line: string,
  reason: string,
  lines: readonly Line[],
  to: Message['to'],
): Message => ({
  to,
  tone: 'bad',
  headline: [typed(line), ' is refused, and nothing was changed: ', ...spoken(cut(reason))] satisfies Text,
  details: foldPlan(
    lines.filter((one) => one.reason !== reason),
    ALL_LINES,
  ),
  buttons: [],
})

/** A line that isn't counted may still set an expiry. */
export const nothing = (lines: readonly Line[]): string =>
  lines.length === 0 ? 'has nothing to do' : 'takes and removes nothing'

function problemsOf(lines: readonly Line[]): string {
  const many = lines.filter(({ sign }) => sign === '!').length
  return many === 0 ? '' : `, with ${many === 1 ? 'a problem' : `${many} problems`}`
}
