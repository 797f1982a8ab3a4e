/** What `npm start` shows of each run, whatever triggered it. */
import { count } from '../../shared/chat/words.ts'
import type { Line } from '../../shared/plan/line.ts'
import { COUNTS, LONG_KINDS } from '../../shared/work/verbs.ts'
import { planText } from '../plan-text.ts'

/** As the Worker logs a run: beside these, so many of each that is counted. */
type Entry = {
  at: string
  lines: Line[]
  problems: string[]
  started?: Record<string, string[]>
  [counted: string]: unknown
}

/** Signs of changes, as opposed to notes. */
const NEWS = new Set<Line['sign']>(['+', '-', '#', '<', '^', '>', '✓', '…', '!'])

export type TickRenderer = {
  /** Null for one without news since the tick before. */
  render(entry: Entry): string | null
  /** As a plan, indented: a tick that does just that is shown in a line. */
  announce(text: string): void
}

export function createTickRenderer(): TickRenderer {
  let before = ''
  let announced = ''
  const render = (entry: Entry): string | null => {
    const lines = entry.lines.filter(({ sign }) => NEWS.has(sign))
    const problems = entry.problems.filter((problem) => !lines.some((line) => isSaid(problem, line)))
    const text = [
      ...(lines.length === 0 ? [] : [planText(lines).trimEnd()]),
      ...problems.map((problem) => `! ${problem}`),
    ]
    const body = text.join('\n').replace(/^/gm, '  ')
    if (text.length === 0 || body === before) return null
    before = body
    const title = `${entry.at.slice(11, 19)}Z  ${countsOf(entry)}`
    return body === announced ? `${title}, as planned\n` : `${title}\n${body}\n`
  }
  return {
    render,
    announce(text) {
      announced = text
    },
  }
}

const isSaid = (problem: string, { sign, about, reason }: Line): boolean =>
  sign === '!' && problem === `${about}: ${reason}`

function countsOf({ lines, problems, started, ...run }: Entry): string {
  const begun = LONG_KINDS.flatMap(({ long: { noun } }) => {
    const many = started?.[noun.several]?.length ?? 0
    const isCounted = COUNTS.some(({ noun: counted }) => counted?.[0] === noun.one)
    return many === 0 || isCounted ? [] : [`${count(many, noun.one, noun.several)} begun`]
  })
  const done = COUNTS.flatMap(({ name, noun, did }) => {
    const many = Number(run[name] ?? 0)
    return many === 0 ? [] : [`${noun === undefined ? many : count(many, ...noun)} ${did}`]
  })
  const wrong = problems.length === 0 ? [] : [count(problems.length, 'problem')]
  const counts = [...begun, ...done, ...wrong]
  if (counts.length > 0) return counts.join(', ')
  return lines.some(({ sign }) => ['#', '^', '-'].includes(sign)) ? 'done' : 'waiting'
}

/** A line of the Worker's log, null when it isn't about a tick. */
export function parseEntry(entry: Record<string, unknown>): Entry | null {
  const isTick = typeof entry.at === 'string' && Array.isArray(entry.lines) && Array.isArray(entry.problems)
  return isTick ? (entry as Entry) : null
}
