/** The applied configuration in KV: the document as it was given, and what it was parsed to. */
import type { Config, Pause } from '../../shared/policy/policy.ts'
import type { State } from './ledger.ts'

export type StoredConfig = {
  /** Of the document; tells the ledger under which configuration it was written. */
  version: string
  appliedAt: string
  document: unknown
  config: Config
  /** By policy: who paused it, beside the document. */
  pauses?: Record<string, Pause>
}

const KEY = 'config'

export async function readConfig(state: State): Promise<StoredConfig | null> {
  const text = await state.get(KEY)
  return text === null ? null : (JSON.parse(text) as StoredConfig)
}

export const writeConfig = (state: State, stored: StoredConfig): Promise<void> =>
  state.put(KEY, JSON.stringify(stored))
