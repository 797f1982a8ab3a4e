/** The summary that is sent at fixed times. */
import type { Text } from '../chat/message.ts'
import { count, cut, enumerate, spoken } from '../chat/words.ts'
import type { Diagnosis } from '../doctor/diagnosis.ts'
import { headlineOf as examText, findingText } from '../doctor/message.ts'
import type { Ledger, SlotOutcome } from '../ledger/ledger.ts'
import { isBroken } from '../promise/text.ts'
import { textsOf, type Verdict } from '../promise/verdict.ts'
import type { Letter } from './letter.ts'
import { safeLines } from './safe.ts'

type Period = { verdict: Verdict; ledger: Ledger | null; since: string }

const SHOWN = 10
const OUTCOMES: readonly SlotOutcome[] = ['served', 'failed', 'missed', 'skipped']

export function digestLetter({ verdict, ledger, since }: Period, now: Date): Letter {
  const { tone, promises } = verdict
  const texts = textsOf(verdict)
  const wrong = texts.slice(0, SHOWN).map((text) => spoken(`• ${cut(text)}`))
  const more = texts.length - wrong.length
  const blocks: Text[][] = [
    [...wrong, ...(more > 0 ? [[`… and ${more} more`]] : [])],
    slotLines(ledger, since).map(spoken),
    safeLines(promises, now).map(spoken),
  ]
  return {
    ...{
      id: `digest ${since}`,
      kind: 'digest',
      severity: tone === 'bad' ? 'critical' : 'warning',
      alarms: [],
    },
    message: {
      ...{ to: 'channel', tone, headline: [headlineOf(verdict)], buttons: [] },
      details: blocks.flatMap((lines) => (lines.length === 0 ? [] : [{ kind: 'lines', lines } as const])),
    },
  }
}

/** With a line for each finding of the doctor but notes; null: it could not look. */
export function withFindings(letter: Letter, diagnosis: Diagnosis | null): Letter {
  const { message } = letter
  const findings = (diagnosis?.findings ?? []).filter(({ severity }) => severity !== 'info')
  const shown = findings.slice(0, SHOWN)
  const more = findings.length - shown.length
  const lines: Text[] = [
    [
      diagnosis === null
        ? 'The doctor could not look: try /backup doctor'
        : `The doctor: ${examText(diagnosis)}`,
    ],
    ...shown.map(findingText),
    ...(more > 0 ? [[`… and ${more} more: /backup doctor`]] : []),
  ]
  return { ...letter, message: { ...message, details: [...message.details, { kind: 'lines', lines }] } }
}

function headlineOf({ tone, promises }: Verdict): string {
  const broken = promises.filter(isBroken).length
  const instances = count(new Set(promises.map(({ subject }) => subject)).size, 'instance')
  if (broken > 0)
    return `Backups: ${broken} of ${count(promises.length, 'promise')} to ${instances} ${broken === 1 ? 'is' : 'are'} not kept`
  if (promises.length === 0) return 'Backups: nothing is promised to any instance'
  const all = `Backups: ${count(promises.length, 'promise')} to ${instances}, none is broken`
  return tone === 'good' ? `${all}, all is well` : `${all}, but something needs a look`
}

/** How the slots since then have ended. */
function slotLines(ledger: Ledger | null, since: string): string[] {
  return Object.entries(ledger?.policies ?? {}).flatMap(([policy, { slots }]) => {
    const mine = slots.filter(({ slot, through = slot }) => through > since)
    const parts = OUTCOMES.flatMap((outcome) => {
      const many = mine
        .filter((one) => one.outcome === outcome)
        .reduce((sum, { count: several = 1 }) => sum + several, 0)
      return many === 0 ? [] : [`${many} ${outcome}`]
    })
    return parts.length === 0 ? [] : [`${policy}, slots since ${since}: ${enumerate(parts)}`]
  })
}
