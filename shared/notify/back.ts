/** A server that is back is told to be, though the next slot alone will make up for what it missed: that is told apart. */
import type { Notice, Notices } from './notices.ts'
import { RELAY, SILENT, type Trouble } from './trouble.ts'

/** Milliseconds. Within that time it mostly makes up for what it missed. */
const CAUGHT_UP = 60 * 60_000

export function withBack(
  notices: Notices,
  troubles: readonly Pick<Trouble, 'id' | 'cause'>[],
  now: Date,
): Notices {
  const standing = new Set(troubles.map(({ id }) => id))
  const silences = new Set(troubles.flatMap(({ id, cause }) => (id.startsWith(SILENT) ? [cause] : [])))
  const entries = Object.entries(notices.open).map(([id, { back, ...notice }]): [string, Notice] => {
    const silent = notice.members.filter((member) => member.startsWith(SILENT))
    // The relay may be back while a server isn't.
    const isSilent = id === RELAY ? silences.has(RELAY) : silent.some((one) => standing.has(one))
    if (silent.length === 0 || notice.gone !== undefined || isSilent) return [id, notice]
    const since = back ?? now.toISOString()
    if (now.getTime() - Date.parse(since) < CAUGHT_UP) return [id, { ...notice, back: since }]
    const members = notice.members.filter((member) => !standing.has(member))
    return [id, { ...notice, members, back: since, gone: since }]
  })
  return { ...notices, open: Object.fromEntries(entries) }
}
