/** A letter for programs, and as text. */
import type { Letter } from '../../../shared/notify/letter.ts'
import { plainOf } from '../plain.ts'

export function render({ kind, severity, alarms, message }: Letter, id: string, now: Date) {
  const { title, body } = plainOf(message)
  const text = body === title ? '' : body
  return { id, at: now.toISOString(), kind, severity, alarms, title, text }
}
