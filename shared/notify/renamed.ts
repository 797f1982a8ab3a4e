/** A channel that only has another name now, which is the same place to people. */
import { own } from '../own.ts'
import type { Channel } from './channel.ts'
import type { Notices } from './notices.ts'

/** Its state and what it was told go with it: it is told nothing again, and gets no goodbye. */
export function withRenamed(notices: Notices, channels: readonly Channel[]): Notices {
  const names = new Map<string, string>()
  const fresh = channels.filter(({ name }) => own(notices.channels, name) === undefined)
  for (const [former, { as }] of Object.entries(notices.channels)) {
    if (channels.some(({ name }) => name === former)) continue
    const found = fresh.findIndex((one) => addressOf(one) === addressOf(as))
    const [renamed] = found < 0 ? [] : fresh.splice(found, 1)
    if (renamed !== undefined) names.set(former, renamed.name)
  }
  if (names.size === 0) return notices
  const renaming = <T>(all: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [names.get(name) ?? name, one]))
  const open = Object.entries(notices.open).map(
    ([id, notice]) => [id, { ...notice, told: renaming(notice.told) }] as const,
  )
  return { ...notices, open: Object.fromEntries(open), channels: renaming(notices.channels) }
}

/** Where it goes, by the names of its secrets. */
const addressOf = ({ type, secrets: { url, token, key }, email }: Channel): string =>
  JSON.stringify([type, url, token, key, email === null ? null : [email.provider, email.from, email.to]])
