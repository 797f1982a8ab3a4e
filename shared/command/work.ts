/** Long work as the ledger has it: what runs, and what went wrong. */
import type { Text } from '../chat/message.ts'
import { cut, spoken } from '../chat/words.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { keyIn, kindIn, subjectIn, type Work } from '../ledger/work.ts'
import { ENDS } from '../work/life.ts'
import { LONG_KINDS, longOf } from '../work/verbs.ts'
import type { Seen } from './seen.ts'

export type ShownWork = { key: string; state: 'runs' | 'good' | 'bad'; entry: Work }

const stateOf = ({ state }: Work): ShownWork['state'] => {
  const end = ENDS[state]
  return end === null ? 'runs' : end === 'good' ? 'good' : 'bad'
}

/** As the kinds are listed. */
export function workOf(ledger: Ledger | null, maySee: Seen['maySee']): ShownWork[] {
  const all = Object.entries(ledger?.work ?? {}).filter(([key]) => maySee(subjectIn(key)))
  return LONG_KINDS.flatMap(({ name }) =>
    all.flatMap(([key, entry]) => (kindIn(key) === name ? [{ key, state: stateOf(entry), entry }] : [])),
  )
}

export function workText({ key, state, entry }: ShownWork): Text {
  const words = longOf(key)?.words
  const title = words?.title(keyIn(key), entry) ?? [`The ${kindIn(key)} of `, { code: keyIn(key) }]
  if (state === 'runs') return [...title, ' is in progress since ', { at: entry.at, style: 'full' }]
  if (state === 'good') return [...title, words?.ended.how ?? ' was done ', { at: entry.at, style: 'ago' }]
  const again: Text =
    entry.retryAt === undefined ? [] : ['. stapes tries again ', { at: entry.retryAt, style: 'ago' }]
  const how = entry.state === 'unknown' ? ' ended with an unknown outcome: ' : ' failed: '
  const why = spoken(cut(entry.reason ?? 'no reason was given'))
  return [...title, how, ...why, ...again, ...(words?.left(entry) ?? [])]
}
