/** What went wrong with the asking itself: told to the one who asked, and to nobody else. */

import type { Message, Text } from './message.ts'
import { capitalized, cut, spoken, typed } from './words.ts'

const aside = (tone: Message['tone'], headline: Text): Message => ({
  to: 'caller',
  tone,
  headline,
  details: [],
  buttons: [],
})

/** The words were not understood, or name nothing that there is. */
export const mistakeMessage = (text: string): Message =>
  aside('warning', spoken(cut(capitalized(text), 1000)))

/** No grant gives it. */
export const deniedMessage = (reason: string): Message =>
  aside('bad', [
    'You may not do that: ',
    ...spoken(cut(reason, 1000)),
    '. ',
    typed('whoami'),
    ' tells what you may do.',
  ])

/** A bug, or a part of stapes that gave no answer. What is known of it stands in the log, not in chat. */
export const failedMessage = (): Message =>
  aside('bad', [
    'Something went wrong inside stapes, and whether anything was changed is not known. ',
    typed('history'),
    ' and ',
    typed('status'),
    ' tell; the reason is in the Worker’s log.',
  ])
