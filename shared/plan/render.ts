/** A plan for people: one line per intention, each with its reason; the same lines for chat, page and log. */
import { instanceKey } from '../incus/inventory.ts'
import { SAFETY } from '../incus/snapshot-name.ts'
import type { Action, CopyAction, Note, Plan, RestoreAction } from './plan.ts'

export type Line = {
  /** Instance, replica or remote. */
  about: string
  /** `+` take, `-` expire, `#` hold or release, `<` restore, `^` start or thaw, `>` copy, `✓` verify, `=` keep, `·` skip, `…` wait, `!` problem. */
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
      const standstill = action.standstill === null ? '' : `; ${action.standstill}`
      const reason = `${action.reason}${expiry}${standstill}`
      return [{ about: instanceKey(action.ref), sign: '+', what: action.name, reason }]
    }
    case 'hold':
      return [{ about: instanceKey(action.ref), sign: '=', what: action.snapshot, reason: action.reason }]
    case 'mark':
      return [{ about: instanceKey(action.ref), sign: '#', what: action.snapshot, reason: action.reason }]
    case 'restore':
      return restoreLines(action)
    case 'start':
    case 'thaw':
    case 'undo':
      return [{ about: instanceKey(action.ref), sign: '^', what: '', reason: action.reason }]
    case 'expire':
      return [{ about: instanceKey(action.ref), sign: '-', what: action.snapshot, reason: action.reason }]
    case 'copy':
      return copyLines(action)
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

/** The one line that stands for an action. */
export function lineOf(action: Action): Line {
  const lines = actionLines(action)
  const line = action.kind === 'verify' ? lines[0] : lines.at(-1)
  if (line === undefined) throw new Error(`an action has no line: ${action.kind}`)
  return line
}

/** What goes on the target stands first. */
function copyLines({ source, target, startOver, unverified, mirrored, ...action }: CopyAction): Line[] {
  const about = instanceKey(target)
  const gone = (what: string, reason: string): Line => ({ about, sign: '-', what, reason })
  const onto = action.first && action.member !== null ? `, onto ${action.member}` : ''
  const how = `${action.first ? 'first copy' : 'refresh'} by ${action.transferMode}${onto}`
  return [
    ...(startOver ? [gone('the whole copy', 'a first copy that was never verified is started over')] : []),
    ...unverified.map((what) => gone(what, 'it was never verified')),
    ...mirrored.map((what) => gone(what, 'the refresh removes it: the source no longer has it')),
    {
      about: instanceKey(source),
      sign: '>',
      what: about,
      reason: `${how}: ${action.reason}${stillness(action)}`,
    },
  ]
}

const stillness = ({ standstill, inconsistent }: Pick<CopyAction, 'standstill' | 'inconsistent'>): string =>
  standstill !== null
    ? `; ${standstill}`
    : inconsistent
      ? '; it isn’t frozen for it: the copy’s own head may be torn, its snapshots never are'
      : ''

/** Says all of it: what is lost, what stays, and how to come back. */
function restoreLines({
  ref,
  snapshot,
  safety,
  standstill,
  restored,
  running,
  stateful,
  reason,
}: RestoreAction): Line[] {
  const about = instanceKey(ref)
  // The disk isn't touched any more: marks and holds are.
  if (restored) return [{ about, sign: '#', what: snapshot, reason }]
  const before: Line = {
    about,
    sign: '+',
    what: safety.name,
    reason: `the state before, kept until ${safety.expiresAt ?? 'somebody removes it'}: /backup restore ${ref.instance} ${safety.name} brings it back${standstill === null ? '' : `; ${standstill}`}`,
  }
  const stopped = stateful
    ? `it goes on with the memory it had in ${snapshot}`
    : running
      ? 'it is stopped, restored and started again'
      : 'it stays stopped'
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

/** What a confirmation is tied to: the plan's actions, without what moves with the clock alone: the same as long as the world is. */
export const digestText = (plan: Plan): string => plan.actions.map(essenceOf).sort().join('\n')

function essenceOf(action: Action): string {
  switch (action.kind) {
    case 'restore': {
      const { ref, snapshot, safety, restored, running, stateful } = action
      const stage = restored ? 'marks' : safety.taken ? safety.name : 'safety first'
      return `restore ${instanceKey(ref)} ${snapshot} ${running ? 'running' : 'stopped'}${stateful ? ' stateful' : ''} ${stage}`
    }
    case 'snapshot':
      return `snapshot ${instanceKey(action.ref)} ${action.policy}`
    case 'copy': {
      const { key, startOver, unverified, mirrored } = action
      return ['copy', key, ...(startOver ? ['over'] : []), ...unverified, ...mirrored].join(' ')
    }
    default: {
      const { about, sign, what } = lineOf(action)
      return `${sign} ${about} ${what}`
    }
  }
}

/** Lines that only one of two plans has; one that differs by the moment alone is the same. */
export function diffLines(before: readonly Line[], after: readonly Line[]): { gone: Line[]; come: Line[] } {
  const [old, young] = [before, after].map((lines) => new Set(lines.map(timeless)))
  return {
    gone: before.filter((line) => young?.has(timeless(line)) !== true),
    come: after.filter((line) => old?.has(timeless(line)) !== true),
  }
}

const DATE = /\d{4}-\d\d-\d\dT[\d:.]+Z/g
const SAFETY_NAME = new RegExp(`${SAFETY}-\\d{8}T\\d{4}Z`, 'g')
/** What a snapshot to be taken is called after: policy and minute. */
const SLOT = /-\d{8}T\d{4}Z$/

function timeless({ about, sign, what, reason }: Line): string {
  const name = sign === '+' ? what.replace(SLOT, '') : what
  return [about, sign, name, reason.replace(DATE, '').replace(SAFETY_NAME, SAFETY)].join('\n')
}
