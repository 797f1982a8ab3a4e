/** A request of somebody, with all that is known when it is answered. */
import type { Ask } from './ask.ts'
import type { Plan } from './plan.ts'
import type { Question } from './question.ts'
import type { Restores } from './restores.ts'

export type Asked<Wish extends Ask = Ask> = Question & { ask: Wish; restores: Restores }

/** What of a plan an answer has. */
export type Answer = Partial<Pick<Plan, 'actions' | 'notes' | 'slots' | 'copies' | 'restores' | 'wake'>>
