/** What there is to tell, as KV knows it. */
import { deadChannels } from '../../shared/notify/dead.ts'
import { type Decision, decide } from '../../shared/notify/decide.ts'
import type { Notice, Notices } from '../../shared/notify/notices.ts'
import { own } from '../../shared/own.ts'
import { verdictIn } from '../api/status.ts'
import { findConfig } from '../state/config.ts'
import { readFacts } from '../state/facts.ts'
import { readLedger, type State } from '../state/ledger.ts'
import { readNotices } from '../state/notices.ts'
import { outageProblems } from '../state/unwritten.ts'
import type { Vault } from '../vault.ts'
import { withUnusable } from './usable.ts'

export type Looked = Decision & {
  before: Notices
  changed: boolean
  /** The first promise that time alone will break; null: none. */
  until: string | null
}

type Looking = {
  /** What else is known to be wrong, as with the relay's address. */
  wrong(): readonly string[]
  /** Alarms that were told, of which KV took no note. */
  unwritten: { open: Notices['open'] }
  vault: Vault
}

/** Null: there is no channel. */
export async function lookAround(
  state: State,
  { wrong, vault, unwritten }: Looking,
  now: Date,
): Promise<Looked | null> {
  const [{ stored, problems }, before] = await Promise.all([findConfig(state), readNotices(state, now)])
  const channels = stored === null ? null : (stored.config.notify ?? [])
  if ((channels ?? []).length === 0 && Object.keys(before.channels).length === 0) return null
  const [{ ledger, lost: unread }, noted] = await Promise.all([readLedger(state, now), readFacts(state, now)])
  const { facts } = noted
  const lost = [...unread, ...noted.lost]
  const found = { stored, problems: [...outageProblems(now), ...wrong(), ...problems] }
  const known = withUnusable(withUnwritten(before, unwritten), channels ?? [], vault, now)
  const verdict = verdictIn(found, { ledger, lost, facts, channels: deadChannels(known) }, now)
  const sees = stored !== null && ledger !== null && facts !== null && lost.length === 0
  const decision = decide(known, { channels, verdict, sees, ledger }, now)
  const [until = null] = verdict.promises.flatMap((one) => one.until ?? []).sort()
  return { ...decision, before, changed: isChanged(before, decision), until }
}

function isChanged({ claim: _, ...before }: Notices, { notices, due }: Decision): boolean {
  const { claim: __, ...after } = notices
  return due.length > 0 || JSON.stringify(before) !== JSON.stringify(after)
}

/** What this process alone knows to be told: while it stands it isn't told again, and then its end is. */
function withUnwritten(notices: Notices, { open }: Looking['unwritten']): Notices {
  const entries = Object.entries(open).map(([id, notice]): [string, Notice] => {
    const known = own(notices.open, id)
    return [id, known === undefined ? notice : { ...known, told: { ...notice.told, ...known.told } }]
  })
  return { ...notices, open: Object.fromEntries([...Object.entries(notices.open), ...entries]) }
}
