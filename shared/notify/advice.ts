/** What to do, in a sentence. Conditions mostly say it themselves; this is for the rest. */
import { own } from '../own.ts'
import { isWaiting } from '../promise/reason.ts'
import { RELAY, type Trouble } from './trouble.ts'

/** By the code of a remote that gives no answer. */
const BY_CODE: Record<string, string> = {
  [RELAY]: 'start the relay, or look at the tunnel to it, RELAY_URL and RELAY_KEY',
  certificate:
    'if the certificate was replaced on purpose, compare its fingerprint there: npm run trust -- <remote> --renew-server; else find out who answers there',
}

const SILENT =
  'look whether that server runs and the relay reaches it; what is missing is made up for by itself'

/** By what Incus and storage drivers say. */
const BY_WORDS: [RegExp, string][] = [
  [/no space left|disk quota|out of space/i, 'free space in the storage pool; stapes tries again by itself'],
  [
    /the receiving server broke it off/,
    'look whether the storage pool of the receiving server is full; stapes tries again by itself',
  ],
  [/ECONNREFUSED|ETIMEDOUT|unreachable|can't be reached/i, SILENT],
]

const ELSE = 'see /backup status, and "What each message means" in docs/operations.md'

/** Conditions that end with what to do. */
const SAYS = /incus config|npm run|\/backup |Did somebody|new address|wrangler/

/** Null: it says so itself. */
export function adviceFor(troubles: readonly Trouble[]): string | null {
  const codes = troubles.flatMap(({ code }) => code ?? [])
  const [remote] = troubles.flatMap(({ code, remotes }) => (code === null ? [] : remotes))
  const known = codes.map((code) => own(BY_CODE, code)).find((advice) => advice !== undefined)
  if (known !== undefined) return known.replace('<remote>', remote ?? '<remote>')
  if (codes.length > 0) return SILENT
  const texts = troubles.map(({ text, reason }) => `${text} ${reason ?? ''}`)
  if (texts.some(isWaiting)) return 'nothing: the next slot makes up for it'
  const [, said] = BY_WORDS.find(([pattern]) => texts.some((text) => pattern.test(text))) ?? []
  if (said !== undefined) return said
  return troubles.length === 1 && SAYS.test(texts[0] ?? '') ? null : ELSE
}
