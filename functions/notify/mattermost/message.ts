/** A letter in Mattermost's form. */
import type { Letter } from '../../../shared/notify/letter.ts'
import { encode } from '../../chatops/mattermost/encode.ts'

export const render = ({ message }: Pick<Letter, 'message'>) => encode(message, null)
