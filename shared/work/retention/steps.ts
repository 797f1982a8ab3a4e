/** An expiry's step in the job of its instance. */
import type { Step } from '../../relay/steps.ts'
import type { ExpireAction } from './action.ts'

export const expireSteps = ({ ref, snapshot }: ExpireAction): Step[] => [{ do: 'expire', ref, snapshot }]
