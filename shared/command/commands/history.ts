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
  summary: 'Who changed what, when, and what came of it; the newest first',
  role: 'viewer',
  parameters: [
    { name: 'count', kind: 'count', description: 'how many changes', required: false, flag: true },
  ],
  examples: ['history', 'history --count=30'],
  needs: 'history',
  answer: (values, seen) => answer(Number(values.count ?? DEFAULT), seen),
}

function answer(most: number, { history: records, maySee }: Seen): Message {
  // One hidden instance hides the whole record: its text may name it.
  const visible = records.filter(({ instances = [] }) => instances.every((key) => maySee(key)))
  const shown = visible.slice(0, most)
  return {
    to: 'caller',
    tone: 'info',
    headline: [
      shown.length === 0
        ? 'Nobody has changed anything that you may see'
        : `The newest ${count(shown.length, 'change')}`,
    ],
    details: fold(shown.map(recordText), ['ask for fewer with ', { code: '--count' }, ', or read the API']),
    buttons: [],
  }
}

function recordText({ at, name, what, askedBy, outcome }: AuditRecord): Text {
  const asked: Text = askedBy === undefined ? [] : [' (asked for by ', { code: cut(askedBy, 80) }, ')']
  return [
    ...[{ at, style: 'full' as const }, ` ${cut(name, 60)}`, ...asked, ': ', { code: cut(what, 160) }, ' – '],
    ...(outcome === undefined ? ['no end was seen yet'] : outcomeText(outcome)),
  ]
}

const WORDS: Record<AuditOutcome['state'], string> = {
  done: 'done',
  started: 'started',
  refused: 'refused',
  failed: 'failed',
  unknown: 'nobody saw the end',
}

function outcomeText({ state, text }: AuditOutcome): Text {
  const word = WORDS[state]
  return text === '' || text === word ? [word] : [`${word}: `, ...spoken(cut(text, 160))]
}
