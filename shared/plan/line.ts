/** A line of a plan for people: one for each action or note, with its reason; the same for chat, API and log. */
import { SAFETY } from '../incus/snapshot-name.ts'
import type { Note } from './plan.ts'

export type Line = {
  /** Instance, replica or remote. */
  about: string
  /**
   * `+` take, `-` expire, `#` hold or release, `<` restore, `*` new instance, `^` start or thaw, `>` copy,
   * `»` export, `×` cancel, `✓` verify, `=` keep, `·` skip, `…` wait, `!` problem.
   */
  sign: '+' | '-' | '#' | '<' | '*' | '^' | '>' | '»' | '×' | '✓' | '=' | '·' | '…' | '!'
  /** Snapshot or destination; empty where the line is about the whole. */
  what: string
  reason: string
  /** The name of the tally that counts it; absent: the one of its sign that has none. */
  counts?: string
}

/** How lines of one sign are counted: "takes 3 snapshots". `name`: it counts only those that say so. */
export type Tally = {
  sign: Line['sign']
  name?: string
  will: string
  did: string
  one: string
  several?: string
}

const SIGNS = { keep: '=', skip: '·', wait: '…', foreign: '·', problem: '!' } as const

export const noteLine = ({ kind, about, snapshot, reason }: Note): Line => ({
  about,
  sign: SIGNS[kind],
  what: snapshot ?? '',
  reason,
})

/** Characters of the second column. */
const WIDEST = 48

/** Grouped by what they are about, in a stable order; "nothing to do" when there is nothing. */
export function renderLines(lines: readonly Line[]): string {
  if (lines.length === 0) return 'nothing to do\n'
  const groups = new Map<string, Line[]>()
  let width = 0
  for (const line of lines) {
    const group = groups.get(line.about)
    if (group === undefined) groups.set(line.about, [line])
    else group.push(line)
    width = Math.min(WIDEST, Math.max(width, line.what.length))
  }
  const render = ({ sign, what, reason }: Line) =>
    `  ${sign} ${what === '' ? '' : `${what.padEnd(width)}  `}${reason}`
  const blocks = [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
  return `${blocks.map(([about, group]) => [about, ...group.map(render)].join('\n')).join('\n')}\n`
}

/** Lines that only one of two plans has, ignoring dates. */
export function diffLines(before: readonly Line[], after: readonly Line[]): { gone: Line[]; come: Line[] } {
  const [old, young] = [before, after].map((lines) => new Set(lines.map(timeless)))
  return {
    gone: before.filter((line) => young?.has(timeless(line)) !== true),
    come: after.filter((line) => old?.has(timeless(line)) !== true),
  }
}

const DATE = /\d{4}-\d\d-\d\dT[\d:.]+Z/g
const SAFETY_NAME = new RegExp(`${SAFETY}-\\d{8}T\\d{4}Z`, 'g')
/** The minute in the name of a snapshot to be taken. */
const SLOT = /-\d{8}T\d{4}Z$/

function timeless({ about, sign, what, reason }: Line): string {
  const name = sign === '+' ? what.replace(SLOT, '') : what
  return [about, sign, name, reason.replace(DATE, '').replace(SAFETY_NAME, SAFETY)].join('\n')
}
