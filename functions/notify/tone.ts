/** How urgent a letter is, for services that have a scale. */
import type { Letter } from '../../shared/notify/letter.ts'

export type Urgency = 'high' | 'usual' | 'low'

export const urgencyOf = ({ kind, severity }: Letter): Urgency =>
  kind === 'recovery' || kind === 'digest' ? 'low' : severity === 'critical' ? 'high' : 'usual'
