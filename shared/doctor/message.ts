/** A diagnosis as chat and the command line show it. */
import { fold } from '../chat/details.ts'
import type { Message, Text } from '../chat/message.ts'
import { capitalized, count, cut, enumerate, spoken } from '../chat/words.ts'
import { safeText } from '../safe-text.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { Finding, Severity } from './finding.ts'

const WORDS: Record<Severity, [one: string, several: string]> = {
  critical: ['critical finding', 'critical findings'],
  warning: ['warning', 'warnings'],
  unknown: ['thing that could not be looked at', 'things that could not be looked at'],
  info: ['note', 'notes'],
}

const SIGNS: Record<Severity, string> = { critical: '✗', warning: '!', unknown: '?', info: '·' }

export function diagnosisMessage(diagnosis: Diagnosis, room?: number): Message {
  const { tone, findings, fine } = diagnosis
  return {
    to: 'caller',
    tone,
    headline: [headlineOf(diagnosis)],
    details: fold(
      [
        ...findings.map(findingText),
        ...(fine.length === 0 ? [] : [[`Nothing was found about ${enumerate(fine)}`]]),
      ],
      ['GET /api/doctor has all of it'],
      room,
    ),
    buttons: [],
  }
}

export function headlineOf({ tone, findings }: Diagnosis): string {
  const counted = (Object.keys(WORDS) as Severity[]).flatMap((wanted) => {
    const many = findings.filter(({ severity }) => severity === wanted).length
    return many === 0 ? [] : [count(many, ...WORDS[wanted])]
  })
  if (counted.length === 0) return 'Nothing was found that is wrong'
  return tone === 'good' ? `Nothing is wrong; ${enumerate(counted)}` : capitalized(enumerate(counted))
}

/** Characters of what a server may have said. */
const LONGEST = 500

export const findingText = ({ code, severity, what, cure }: Finding): Text => [
  `${SIGNS[severity]} `,
  { code },
  ' ',
  ...spoken(cut(safeText(what, LONGEST), LONGEST)),
  '. To do: ',
  ...spoken(cut(safeText(cure, LONGEST), LONGEST)),
]
