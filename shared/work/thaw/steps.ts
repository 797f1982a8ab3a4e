/** A thaw's step in the job of its instance. */
import { startStep } from '../../plan/steps.ts'
import type { Step } from '../../relay/protocol.ts'
import type { ThawAction } from './action.ts'

export const thawSteps = ({ ref }: ThawAction): Step[] => [startStep(ref, 'unfreeze')]
