/** A letter in Discord's form. A channel's webhook can't carry buttons. */
import type { Letter } from '../../../shared/notify/letter.ts'
import { encode } from '../../chatops/discord/encode.ts'

export function render({ message }: Pick<Letter, 'message'>) {
  const { components: _, ...body } = encode(message)
  return body
}
