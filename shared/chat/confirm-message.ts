/** A destructive plan that is pending, and what came of it. */
import { diffLines, type Line } from '../plan/line.ts'
import type { Approval } from '../policy/policy.ts'
import type { Actor } from './actor.ts'
import { foldPlan, MAX_CHARS } from './details.ts'
import type { Button, Message, Text } from './message.ts'
import { ALL_LINES, nothing } from './plan-message.ts'
import { tallyOf } from './tally.ts'
import { count, enumerate, typed } from './words.ts'

/** Their signed tokens. */
export type ConfirmButtons = { confirm: string; cancel: string }

type Waiting = {
  /** The command as one would type it. */
  line: string
  lines: readonly Line[]
  by: Pick<Actor, 'user'>
  approval: Approval
  /** ISO 8601. */
  until: string
  buttons: ConfirmButtons
  /** What else to know of it. */
  note?: string
}

export const confirmMessage = (waiting: Waiting): Message => ({
  to: 'channel',
  tone: 'warning',
  headline: [typed(waiting.line), ` ${tally(waiting)}. `, ...who(waiting), ...noteOf(waiting)],
  details: foldPlan(waiting.lines, ALL_LINES),
  buttons: buttonsOf(waiting.buttons),
})

/** It was confirmed, but the plan had changed by then: nothing was done. */
export function changedMessage({ before, ...waiting }: Waiting & { before: readonly Line[] }): Message {
  const { gone, come } = diffLines(before, waiting.lines)
  const differs = [
    ...(gone.length === 0 ? [] : [`${count(gone.length, 'line')} gone`]),
    ...(come.length === 0 ? [] : [`${count(come.length, 'line')} new`]),
  ]
  const found = differs.length === 0 ? 'it would now work on something else' : enumerate(differs)
  return {
    to: 'channel',
    tone: 'warning',
    headline: [
      'Nothing was done yet, because the plan of ',
      typed(waiting.line),
      ` has changed: ${found}. It now ${tally(waiting)}. `,
      ...who(waiting),
      ...noteOf(waiting),
    ],
    details: [
      ...part('No longer in the plan:', gone, MAX_CHARS / 4),
      ...part('New in the plan:', come, MAX_CHARS / 4),
      ...part('The whole plan:', waiting.lines, MAX_CHARS / 2),
    ],
    buttons: buttonsOf(waiting.buttons),
  }
}

export const cancelledMessage = (line: string, { user }: Pick<Actor, 'user'>): Message => ({
  to: 'channel',
  tone: 'info',
  headline: [typed(line), ' was cancelled by ', { user }, '. Nothing was changed.'],
  details: [],
  buttons: [],
})

/** Replaces the plan while it is performed. */
export const workingMessage = (line: string, { user }: Pick<Actor, 'user'>): Message => ({
  to: 'channel',
  tone: 'info',
  headline: [typed(line), ' was confirmed by ', { user }, ', and is in progress.'],
  details: [],
  buttons: [],
})

const tally = ({ lines }: Pick<Waiting, 'lines'>): string => tallyOf(lines, 'will') || nothing(lines)

const who = ({ approval, by: { user }, until }: Waiting): Text => {
  const when = [{ at: until, style: 'full' as const }, '.']
  return approval === 'second'
    ? ['Somebody other than ', { user }, ' has to confirm it, until ', ...when]
    : [{ user }, ', who requested it, has to confirm it, until ', ...when]
}

const noteOf = ({ note }: Pick<Waiting, 'note'>): Text => (note === undefined ? [] : [` ${note}`])

const buttonsOf = ({ confirm, cancel }: ConfirmButtons): Button[] => [
  { label: 'Confirm', token: confirm, style: 'danger' },
  { label: 'Cancel', token: cancel, style: 'plain' },
]

const part = (title: string, lines: readonly Line[], room: number): Message['details'] =>
  lines.length === 0
    ? []
    : [{ kind: 'lines', lines: [[title]] }, ...foldPlan(lines, ALL_LINES, room - title.length)]
