/** A letter as an e-mail of plain text: nothing in it can be a mark or a link of its own. */
import type { Letter } from '../../../shared/notify/letter.ts'
import { plainOf } from '../plain.ts'

const SIGNS: Record<Letter['message']['tone'], string> = {
  good: 'ok',
  info: 'info',
  warning: 'warning',
  bad: 'BAD',
}

/** `visible` has made line breaks spaces, so a subject can't begin another header. */
export function render({ message }: Pick<Letter, 'message'>): { subject: string; text: string } {
  const { title, body } = plainOf(message, { title: 150, body: 20_000 })
  const whole = title === body ? title : `${title}\n\n${body}`
  return { subject: `[stapes ${SIGNS[message.tone]}] ${title}`, text: `${whole}\n` }
}
