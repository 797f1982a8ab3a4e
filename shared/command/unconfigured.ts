/** The answer of every command that needs a configuration, where there is none. */
import type { Message } from '../chat/message.ts'

export const nothingConfigured = (): Message => ({
  to: 'caller',
  tone: 'warning',
  headline: [
    'Nothing is configured yet, so nothing is backed up. Write a stapes.jsonc and apply it: ',
    { code: 'npm run apply' },
  ],
  details: [],
  buttons: [],
})
