/** A letter in Gotify's form, shown as plain text. */
import type { Letter } from '../../../shared/notify/letter.ts'
import { plainOf } from '../plain.ts'
import { type Urgency, urgencyOf } from '../tone.ts'

/** From 8 on, Android shows it at once and with a sound; from 4 on with a sound. */
const PRIORITIES: Record<Urgency, number> = { high: 8, usual: 5, low: 2 }

export function render(letter: Letter) {
  const { title, body } = plainOf(letter.message)
  const extras = { 'client::display': { contentType: 'text/plain' } }
  return { title, message: body, priority: PRIORITIES[urgencyOf(letter)], extras }
}
