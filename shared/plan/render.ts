/** A plan for people: one line per intention, each with its reason; the same lines for chat, page and log. */
import { instanceKey } from '../incus/inventory.ts'
import type { Action, Note, Plan, RestoreAction } from './plan.ts'

export type Line = {
  /** Instance, replica or remote. */
  about: string
  /** `+` take, `-` expire, `#` hold or release, `<` restore, `^` start, `>` copy, `✓` verify, `=` keep, `·` skip, `…` wait, `!` problem. */
  sign: '+' | '-' | '#' | '<' | '^' | '>' | '✓' | '=' | '·' | '…' | '!'
  /** Snapshot or destination; empty where the line is about the whole. */
  what: string
  reason: string
}

const SIGNS = { keep: '=', skip: '·', wait: '…', foreign: '·', problem: '!' } as const

export const linesOf = (plan: Plan): Line[] => [
  ...plan.actions.flatMap(actionLines),
  ...plan.notes.map(noteLine),
]

function actionLines(action: Action): Line[] {
  switch (action.kind) {
    case 'snapshot': {
      const expiry = action.expiresAt === null ? '' : `, Incus expires it at ${action.expiresAt}`
      return [
        { about: instanceKey(action.ref), sign: '+', what: action.name, reason: `${action.reason}${expiry}` },
      ]
    }
    case 'hold':
      return [{ about: instanceKey(action.ref), sign: '=', what: action.snapshot, reason: action.reason }]
    case 'mark':
      return [{ about: instanceKey(action.ref), sign: '#', what: action.snapshot, reason: action.reason }]
    case 'restore':
      return restoreLines(action)
    case 'start':
      return [{ about: instanceKey(action.ref), sign: '^', what: '', reason: action.reason }]
    case 'expire':
      return [{ about: instanceKey(action.ref), sign: '-', what: action.snapshot, reason: action.reason }]
    case 'copy': {
      const about = instanceKey(action.target)
      const clears = action.startOver
        ? [
            {
              about,
              sign: '-' as const,
              what: 'the whole copy',
              reason: 'a first copy that was never verified is started over',
            },
          ]
        : []
      const unverified = action.unverified.map(
        (what): Line => ({ about, sign: '-', what, reason: 'it was never verified' }),
      )
      const mirrored = action.mirrored.map(
        (what): Line => ({
          about,
          sign: '-',
          what,
          reason: 'the refresh removes it: the source no longer has it',
        }),
      )
      const how = `${action.first ? 'first copy' : 'refresh'} by ${action.transferMode}`
      const copy: Line = {
        about: instanceKey(action.source),
        sign: '>',
        what: about,
        reason: `${how}: ${action.reason}`,
      }
      return [...clears, ...unverified, ...mirrored, copy]
    }
    case 'verify':
      return [
        {
          about: instanceKey(action.source),
          sign: '✓',
          what: instanceKey(action.target),
          reason: action.reason,
        },
        ...action.expire.flatMap(actionLines),
      ]
  }
}

/** Says all of it: what is lost, what stays, and how to come back. */
function restoreLines({ ref, snapshot, safety, restored, running, reason }: RestoreAction): Line[] {
  const about = instanceKey(ref)
  if (restored) return [{ about, sign: '<', what: snapshot, reason }]
  const before: Line = {
    about,
    sign: '+',
    what: safety.name,
    reason: `the state before, kept until ${safety.expiresAt ?? 'somebody removes it'}: it brings ${ref.instance} back to what it is now`,
  }
  const stopped = running ? 'it is stopped, put back and started again' : 'it stays stopped'
  const lost = `disk and settings become those of ${snapshot}, what changed since is only in ${safety.name}; all snapshots stay`
  return [
    ...(safety.taken ? [] : [before]),
    { about, sign: '<', what: snapshot, reason: `${reason}: ${lost}; ${stopped}` },
  ]
}

const noteLine = ({ kind, about, snapshot, reason }: Note): Line => ({
  about,
  sign: SIGNS[kind],
  what: snapshot ?? '',
  reason,
})

/** Grouped by what they are about, in a stable order; "nothing to do" when there is nothing. */
export function renderLines(lines: readonly Line[]): string {
  if (lines.length === 0) return 'nothing to do\n'
  const groups = new Map<string, Line[]>()
  for (const line of lines) groups.set(line.about, [...(groups.get(line.about) ?? []), line])
  const width = Math.min(48, Math.max(...lines.map(({ what }) => what.length)))
  const render = ({ sign, what, reason }: Line) =>
    `  ${sign} ${what === '' ? '' : `${what.padEnd(width)}  `}${reason}`
  const blocks = [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
  return `${blocks.map(([about, group]) => [about, ...group.map(render)].join('\n')).join('\n')}\n`
}
