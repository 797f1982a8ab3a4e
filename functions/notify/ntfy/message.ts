/** A letter in ntfy's form for JSON: its headers could not hold every name. */
import type { Letter } from '../../../shared/notify/letter.ts'
import { plainOf } from '../plain.ts'
import { type Urgency, urgencyOf } from '../tone.ts'

const PRIORITIES: Record<Urgency, number> = { high: 5, usual: 3, low: 2 }
const TAGS: Record<Letter['message']['tone'], string[]> = {
  good: ['white_check_mark'],
  info: [],
  warning: ['warning'],
  bad: ['rotating_light'],
}

/** Bytes of a message, of which a character has up to four; a longer one would become an attachment. */
const LONGEST = { title: 240, body: 1000 }

/** `sequence_id`: a repeat takes the place of the first one on the phone. Earlier versions of ntfy ignore it. */
export function render(letter: Letter, id: string, topic: string) {
  const { title, body } = plainOf(letter.message, LONGEST)
  const tags = TAGS[letter.message.tone]
  return { topic, title, message: body, priority: PRIORITIES[urgencyOf(letter)], tags, sequence_id: id }
}
