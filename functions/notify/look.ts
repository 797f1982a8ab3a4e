/** What there is to tell, as KV knows it. */
import { deadChannels } from '../../shared/notify/dead.ts'
import { type Decision, decide } from '../../shared/notify/decide.ts'
import type { Notices } from '../../shared/notify/notices.ts'
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
  vault: Vault
}

/** Null: there is no channel. */
export async function lookAround(state: State, { wrong, vault }: Looking, now: Date): Promise<Looked | null> {
  const [{ stored, problems }, before] = await Promise.all([findConfig(state), readNotices(state, now)])
  const channels = stored === null ? null : (stored.config.notify ?? [])
  if ((channels ?? []).length === 0 && Object.keys(before.channels).length === 0) return null
  const [{ ledger, lost }, facts] = await Promise.all([readLedger(state, now), readFacts(state)])
  const found = { stored, problems: [...outageProblems(now), ...wrong(), ...problems] }
  const known = withUnusable(before, channels ?? [], vault, now)
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
