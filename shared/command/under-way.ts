/** Copies and restores as the ledger has them: what runs, and what went wrong. */
import { cut } from '../chat/details.ts'
import type { Text } from '../chat/message.ts'
import { spoken } from '../chat/words.ts'
import type { CopyLedger, Ledger, RestoreLedger } from '../ledger/ledger.ts'
import type { Seen } from './seen.ts'

export type Work =
  | { kind: 'copy'; state: State; instance: string; target: string; entry: CopyLedger }
  | { kind: 'restore'; state: State; instance: string; entry: RestoreLedger }

type State = 'runs' | 'good' | 'bad'

const STATES = {
  started: 'runs',
  running: 'runs',
  verified: 'good',
  done: 'good',
  failed: 'bad',
  unknown: 'bad',
} as const

export function workOf(ledger: Ledger | null, maySee: Seen['maySee']): Work[] {
  const copies = Object.entries(ledger?.copies ?? {}).map(([key, entry]): Work => {
    const [instance = key, target = ''] = key.split('>')
    return { kind: 'copy', state: STATES[entry.state], instance, target, entry }
  })
  const restores = Object.entries(ledger?.restores ?? {}).map(
    ([instance, entry]): Work => ({ kind: 'restore', state: STATES[entry.state], instance, entry }),
  )
  return [...restores, ...copies].filter(({ instance }) => maySee(instance))
}

export function workText(work: Work): Text {
  const { state, entry, kind } = work
  const what: Text =
    kind === 'copy'
      ? ['The copy of ', { code: work.instance }, ' to ', { code: work.target }]
      : ['The restore of ', { code: work.instance }, ' to ', { code: work.entry.snapshot }]
  if (state === 'runs') return [...what, ' is under way since ', { at: entry.at, style: 'full' }]
  if (state === 'good')
    return [...what, kind === 'copy' ? ' was verified ' : ' was done ', { at: entry.at, style: 'ago' }]
  return [...what, ...badText(work)]
}

function badText({ kind, entry }: Work): Text {
  const again: Text =
    entry.retryAt === undefined ? [] : ['. It is tried again ', { at: entry.retryAt, style: 'ago' }]
  const newest: Text =
    kind === 'copy' && entry.newest !== undefined ? ['. Verified there is ', { code: entry.newest }] : []
  const how = entry.state === 'unknown' ? ' ended unseen: ' : ' failed: '
  return [how, ...spoken(cut(entry.reason ?? 'no reason was given')), ...again, ...newest]
}
