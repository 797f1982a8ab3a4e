/** Errors in the request itself, shown to the actor alone. */

import type { Message, Text } from './message.ts'
import { capitalized, cut, spoken, typed } from './words.ts'

const aside = (tone: Message['tone'], headline: Text): Message => ({
  to: 'caller',
  tone,
  headline,
  details: [],
  buttons: [],
})

/** The command could not be parsed, or names something that doesn't exist. */
export const mistakeMessage = (text: string): Message =>
  aside('warning', spoken(cut(capitalized(text), 1000)))

/** No grant permits it. */
export const deniedMessage = (reason: string): Message =>
  aside('bad', [
    'You may not do that: ',
    ...spoken(cut(reason, 1000)),
    '. ',
    typed('whoami'),
    ' shows what you may do.',
  ])

/** A bug, or a part of stapes that gave no answer. Details are in the log, not in chat. */
export const failedMessage = (): Message =>
  aside('bad', [
    'Something went wrong inside stapes, and it is not known whether anything was changed. ',
    typed('history'),
    ' and ',
    typed('status'),
    ' show it; the reason is in the Worker’s log.',
  ])
