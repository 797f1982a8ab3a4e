/** What `npm start` shows of each run, whatever triggered it. */
import { type Line, renderLines } from '../../shared/plan/line.ts'

/** As the Worker logs a run. */
type Entry = {
  at: string
  lines: Line[]
  taken: number
  expired: number
  copiesStarted: number
  verified: number
  problems: string[]
}

/** Signs of changes, as opposed to notes. */
const NEWS = new Set<Line['sign']>(['+', '-', '#', '<', '^', '>', '✓', '…', '!'])

/** Renders ticks; null for one without news since the tick before. */
export function createTickRenderer(): (entry: Entry) => string | null {
  let before = ''
  return (entry) => {
    const lines = entry.lines.filter(({ sign }) => NEWS.has(sign))
    const problems = entry.problems.filter((problem) => !lines.some((line) => isSaid(problem, line)))
    const text = [
      ...(lines.length === 0 ? [] : [renderLines(lines).trimEnd()]),
      ...problems.map((problem) => `! ${problem}`),
    ]
    const body = text.join('\n').replace(/^/gm, '  ')
    if (text.length === 0 || body === before) return null
    before = body
    return `${entry.at.slice(11, 19)}Z  ${countsOf(entry)}\n${body}\n`
  }
}

const isSaid = (problem: string, { sign, about, reason }: Line): boolean =>
  sign === '!' && problem === `${about}: ${reason}`

function countsOf({ lines, taken, expired, copiesStarted, verified, problems }: Entry): string {
  const restored = lines.filter(({ sign }) => sign === '<').length
  const counts = [
    restored > 0 ? `${restored} ${restored === 1 ? 'restore' : 'restores'} begun` : '',
    taken > 0 ? `${taken} taken` : '',
    expired > 0 ? `${expired} expired` : '',
    copiesStarted > 0 ? `${copiesStarted} ${copiesStarted === 1 ? 'copy' : 'copies'} started` : '',
    verified > 0 ? `${verified} verified` : '',
    problems.length > 0 ? `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}` : '',
  ].filter((count) => count !== '')
  if (counts.length > 0) return counts.join(', ')
  return lines.some(({ sign }) => sign === '#' || sign === '^') ? 'done' : 'waiting'
}

/** A line of the Worker's log, null when it isn't about a tick. */
export function parseEntry(entry: Record<string, unknown>): Entry | null {
  const isTick = typeof entry.at === 'string' && Array.isArray(entry.lines) && Array.isArray(entry.problems)
  return isTick ? (entry as Entry) : null
}
