/** Channels that take every message, and what they got: what `decide` decides, over time. */
import { plainOf } from '../../../functions/notify/plain.ts'
import type { Channel } from '../../../shared/notify/channel.ts'
import { decide, type Situation } from '../../../shared/notify/decide.ts'
import { NO_NOTICES, type Notices, parseNotices } from '../../../shared/notify/notices.ts'
import { settle } from '../../../shared/notify/settle.ts'
import type { Verdict } from '../../../shared/promise/verdict.ts'

export const START = Date.parse('2026-11-22T06:00:00Z')
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

export function town(channels: readonly Channel[]) {
  let notices: Notices = NO_NOTICES
  const got: { at: number; channel: string; kind: string; title: string; body: string; id: string }[] = []
  const titleOf = (headline: readonly unknown[]): string =>
    headline.map((piece) => (typeof piece === 'string' ? piece : '…')).join('')
  return {
    got,
    /** Titles of one channel. */
    of: (name: string) => got.filter(({ channel }) => channel === name).map(({ title }) => title),
    kinds: () => got.map(({ kind }) => kind),
    notices: () => notices,
    /** At so many milliseconds after the start. */
    at(ms: number, verdict: Verdict, more: Partial<Situation> = {}) {
      const now = new Date(START + ms)
      const situation = { channels, verdict, sees: true, ledger: null, ...more }
      const { notices: noted, due } = decide(notices, situation, now)
      for (const { channel, letter } of due) {
        const { id, kind, message } = letter
        const { body } = plainOf(message)
        got.push({ at: ms, channel: channel.name, kind, id, body, title: titleOf(message.headline) })
      }
      const settled = due.reduce((all, one) => settle(all, one, { ok: true }, now), noted)
      // As KV has it.
      notices = parseNotices(JSON.parse(JSON.stringify(settled)))
    },
  }
}
