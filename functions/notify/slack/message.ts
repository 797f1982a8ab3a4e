/** A letter in Slack's form. */
import type { Letter } from '../../../shared/notify/letter.ts'
import { encode } from '../../chatops/slack/encode.ts'

export const render = ({ message }: Pick<Letter, 'message'>) => encode(message)
