/** A plan as lines, and the text of its digest. */
import type { Action } from '../work/kinds.ts'
import { verbOf } from '../work/verbs.ts'
import { type Line, noteLine } from './line.ts'
import type { Plan } from './plan.ts'

export const linesOf = ({ actions, notes }: Plan<Action>): Line[] => [
  ...actions.flatMap((action) => {
    const { line, lines } = verbOf(action)
    return lines === undefined ? [line(action)] : lines(action)
  }),
  ...notes.map(noteLine),
]

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
