/** `history`: who changed what. */

import type { AuditOutcome, AuditRecord } from '../../access/audit.ts'
import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { count, cut, spoken } from '../../chat/words.ts'
import type { ReadCommand } from '../command.ts'
import type { Seen } from '../seen.ts'

const DEFAULT = 10

export const history: ReadCommand = {
  kind: 'read',
  name: 'history',
  summary: 'Show who changed what and when, with the outcome; newest first',
  role: 'viewer',
  parameters: [
    { name: 'count', kind: 'count', description: 'How many changes to show', required: false, flag: true },
  ],
  examples: ['history', 'history --count=30'],
  needs: 'history',
  answer: (values, seen) => answer(Number(values.count ?? DEFAULT), seen),
}

function answer(most: number, { history: records, maySee, room }: Seen): Message {
  // One hidden instance hides the whole record: its text may name it.
  const visible = records.filter(({ instances = [] }) => instances.every((key) => maySee(key)))
  const shown = visible.slice(0, most)
  return {
    to: 'caller',
    tone: 'info',
    headline: [
      shown.length === 0
        ? 'There are no changes that you may see'
        : `The newest ${count(shown.length, 'change')}`,
    ],
    details: fold(
      shown.map(recordText),
      ['ask for fewer with ', { code: '--count' }, ', or read the API'],
      room,
    ),
    buttons: [],
  }
}

function recordText({ at, name, what, askedBy, outcome }: AuditRecord): Text {
  const asked: Text = askedBy === undefined ? [] : [' (requested by ', { code: cut(askedBy, 80) }, ')']
  return [
    ...[{ at, style: 'full' as const }, ` ${cut(name, 60)}`, ...asked, ': ', { code: cut(what, 160) }, ' – '],
    ...(outcome === undefined ? ['no outcome yet'] : outcomeText(outcome)),
  ]
}

const WORDS: Record<AuditOutcome['state'], string> = {
  done: 'done',
  started: 'started',
  refused: 'refused',
  failed: 'failed',
  unknown: 'outcome unknown',
}

function outcomeText({ state, text }: AuditOutcome): Text {
  const word = WORDS[state]
  return text === '' || text === word ? [word] : [`${word}: `, ...spoken(cut(text, 160))]
}
