/** A plan as lines, and what a confirmation of it is tied to. */
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

/** The plan's actions, without what moves with the clock alone: the same as long as the world is. */
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
