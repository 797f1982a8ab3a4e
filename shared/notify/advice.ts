/** What to do, in a sentence. Conditions mostly say it themselves; this is for the rest. */
import type { Trouble } from './trouble.ts'

const ADVICE: [RegExp, string][] = [
  [
    /relay can't be reached|no answer from the relay/i,
    'start the relay, or look at the tunnel to it and at RELAY_URL',
  ],
  [
    /pinned/i,
    'if the certificate was replaced on purpose, compare its fingerprint there: npm run trust -- <remote> --renew-server; else find out who answers there',
  ],
  [/ waits for the next one/, 'nothing: the next slot makes up for it'],
  [/no space left|disk quota|out of space/i, 'free space in the storage pool; stapes tries again by itself'],
  [
    /the receiving server broke it off/,
    'look whether the storage pool of the receiving server is full; stapes tries again by itself',
  ],
  [
    /has given no answer|ECONNREFUSED|ETIMEDOUT|unreachable/i,
    'look whether that server runs and the relay reaches it; what is missing is made up for by itself',
  ],
]

const ELSE = 'see /backup status, and "What each message means" in docs/operations.md'

/** Conditions that end with what to do. */
const SAYS = /incus config|npm run|\/backup |Did somebody|new address|wrangler/

/** Null: it says so itself. */
export function adviceFor(troubles: readonly Trouble[]): string | null {
  const texts = troubles.map(({ text, reason }) => `${text} ${reason ?? ''}`)
  const known = ADVICE.find(([pattern]) => texts.some((text) => pattern.test(text)))
  if (known !== undefined) return known[1].replace('<remote>', troubles[0]?.remotes[0] ?? '<remote>')
  return troubles.length === 1 && SAYS.test(texts[0] ?? '') ? null : ELSE
}
