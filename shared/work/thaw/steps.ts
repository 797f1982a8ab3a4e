/** A thaw's step in the job of its instance. */
import type { Step } from '../../relay/steps.ts'
import type { ThawAction } from './action.ts'

export const thawSteps = ({ ref }: ThawAction): Step[] => [{ do: 'thaw', ref }]
