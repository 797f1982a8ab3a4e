/** An expiry's step in the job of its instance. */
import { expireStep } from '../../plan/steps.ts'
import type { Step } from '../../relay/protocol.ts'
import type { ExpireAction } from './action.ts'

export const expireSteps = (action: ExpireAction): Step[] => [expireStep(action)]
