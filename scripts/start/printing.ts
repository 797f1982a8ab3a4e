/** What `npm start` shows: where to look, and then what each tick did. */
import { type Line, renderLines } from '../../shared/plan/render.ts'
import type { Applied } from '../session.ts'
import type { Chat } from './chat.ts'
import type { Link } from './link.ts'
import type { Settings } from './settings.ts'

export type Header = {
  url: string
  settings: Settings
  link: Link
  chat: Chat
  applied: Applied
}

export function renderHeader({ url, settings, link, chat, applied }: Header): string {
  const { token, fresh, document } = settings
  const warnings = applied.warnings.map((warning) => `  warning   ${warning}`)
  return [
    '',
    `stapes runs on ${url}`,
    '',
    `  token     ${fresh ? token : 'as in STAPES_TOKEN'}`,
    `  policies  ${applied.policies.join(', ')} (${document.file})`,
    ...link.remotes.map((remote, at) => `  ${at === 0 ? 'Incus' : '     '}     ${remote}`),
    ...(link.embedded ? ['            embedded: in memory, gone when this ends'] : []),
    ...chat.doors.map((door, at) => `  ${at === 0 ? 'chat' : '    '}      ${doorText(door)}`),
    ...warnings,
    '',
    ...(fresh ? [`  export STAPES_TOKEN=${token}`] : []),
    `  curl -H "Authorization: Bearer $STAPES_TOKEN" ${url}/api/status`,
    `  curl -H "Authorization: Bearer $STAPES_TOKEN" ${url}/api/instances`,
    `  curl -H "Authorization: Bearer $STAPES_TOKEN" -X POST ${url}/api/plan`,
    '',
    'A tick each minute; Ctrl-C stops it all.',
    ...(chat.doors.length === 0 ? ['Commands in Slack, Discord and Mattermost: see docs/chat.md.'] : []),
    '',
  ].join('\n')
}

const doorText = ({ platform, path, missing }: Chat['doors'][number]): string =>
  missing.length === 0 ? `${platform} on ${path}` : `${platform} is not set up: ${missing.join(', ')} missing`

/** As the Worker logs a tick. */
type Entry = {
  at: string
  lines: Line[]
  taken: number
  expired: number
  copiesStarted: number
  verified: number
  problems: string[]
}

/** What is going on, as opposed to what stays as it is. */
const NEWS = new Set<Line['sign']>(['+', '-', '>', '✓', '…', '!'])

/** Renders ticks, null for one that tells nothing that the tick before hasn't told. */
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

function countsOf({ taken, expired, copiesStarted, verified, problems }: Entry): string {
  const counts = [
    taken > 0 ? `${taken} taken` : '',
    expired > 0 ? `${expired} expired` : '',
    copiesStarted > 0 ? `${copiesStarted} ${copiesStarted === 1 ? 'copy' : 'copies'} started` : '',
    verified > 0 ? `${verified} verified` : '',
    problems.length > 0 ? `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}` : '',
  ].filter((count) => count !== '')
  return counts.length === 0 ? 'waiting' : counts.join(', ')
}

/** A line of the Worker's log, null when it isn't about a tick. */
export function parseEntry(entry: Record<string, unknown>): Entry | null {
  const isTick = typeof entry.at === 'string' && Array.isArray(entry.lines) && Array.isArray(entry.problems)
  return isTick ? (entry as Entry) : null
}
