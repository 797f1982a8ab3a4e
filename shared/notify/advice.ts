/** What to do, in a sentence. Conditions mostly say it themselves; this is for the rest. */
import { codeIn, type ReasonCode } from '../incus/refusal.ts'
import { own } from '../own.ts'
import { isWaiting } from '../promise/reason.ts'
import { kindOf, RELAY, type Trouble } from './trouble.ts'

/** By the code of a remote that gives no answer. */
const BY_CODE: Record<string, string> = {
  [RELAY]: 'start the relay, or look at the tunnel to it, RELAY_URL and RELAY_KEY',
  certificate:
    'if the certificate was replaced on purpose, compare its fingerprint there: npm run trust -- <remote> --renew-server; else find out who answers there',
}

const SILENT =
  'look whether that server runs and the relay reaches it; what is missing is made up for by itself'

/** By what a reason is about. */
const BY_REASON: Record<ReasonCode, string> = {
  full: 'free space in the storage pool; stapes tries again by itself',
  'broken-off': 'look whether the storage pool of the receiving server is full; stapes tries again by itself',
  unreachable: SILENT,
}

const ELSE = 'see /backup status, and "What each message means" in docs/operations.md'

/** Kinds of conditions that end with what to do. */
const SAYING = [
  ...[
    'uncovered',
    'lost',
    'missing',
    'brake',
    'role',
    'schedule',
    'store',
    'stray',
    'channel',
    'ticks',
    'found',
  ],
]

/** Null: it says so itself. */
export function adviceFor(troubles: readonly Trouble[]): string | null {
  const codes = troubles.flatMap(({ code }) => code ?? [])
  const [remote] = troubles.flatMap(({ code, remotes }) => (code === null ? [] : remotes))
  const known = codes.map((code) => own(BY_CODE, code)).find((advice) => advice !== undefined)
  if (known !== undefined) return known.replace('<remote>', remote ?? '<remote>')
  // An earlier version noted no code.
  if (codes.length > 0 || troubles.some((one) => kindOf(one) === 'remote')) return SILENT
  const reasons = troubles.flatMap(({ reason }) => reason ?? [])
  if (reasons.some(isWaiting)) return 'nothing: the next slot makes up for it'
  const found = reasons.map(codeIn).find((code) => code !== null)
  if (found !== undefined) return BY_REASON[found]
  const [only, ...others] = troubles
  return only !== undefined && others.length === 0 && SAYING.includes(kindOf(only)) ? null : ELSE
}
