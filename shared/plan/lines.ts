/** A plan as lines, and the text of its digest. */

import { safeText } from '../safe-text.ts'
import type { Action } from '../work/kinds.ts'
import { verbOf } from '../work/verbs.ts'
import { type Line, noteLine } from './line.ts'
import type { Plan } from './plan.ts'

export const linesOf = (plan: Plan<Action>): Line[] => rawLines(plan).map(shownLine)

const rawLines = ({ actions, notes }: Plan<Action>): Line[] => [
  ...actions.flatMap((action) => {
    const { line, lines } = verbOf(action)
    return lines === undefined ? [line(action)] : lines(action)
  }),
  ...notes.map(noteLine),
]

/** As people see them: names of snapshots may hold anything. */
export const shownLine = ({ about, sign, what, reason, counts }: Line): Line => ({
  about: safeText(about, LONGEST.about),
  sign,
  what: safeText(what, LONGEST.what),
  reason: safeText(reason, LONGEST.reason),
  ...(counts === undefined ? {} : { counts }),
})

/** Characters. A reason may name several snapshots. */
const LONGEST = { about: 500, what: 300, reason: 3000 }

/** The plan's actions without what only depends on the clock: the same as long as nothing changes. */
export const digestText = ({ actions }: Plan<Action>): string =>
  actions
    .map((action) => {
      const { line, essence } = verbOf(action)
      if (essence !== undefined) return essence(action)
      const { about, sign, what } = line(action)
      return `${sign} ${about} ${what}`
    })
    .sort()
    .join('\n')
