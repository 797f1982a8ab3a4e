/** Pauses and resumes a policy, independent of the document. */
import type { PauseChange } from '../../shared/command/command.ts'
import { changePauses } from '../../shared/policy/pause.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { readConfig, type StoredConfig, writeConfig } from './config.ts'
import type { State } from './ledger.ts'
import { wake } from './wake.ts'

/** Wakes the next tick. */
export async function changePause(
  change: PauseChange,
  state: State,
  now: Date,
): Promise<Result<StoredConfig, string>> {
  const stored = await readConfig(state)
  if (stored === null) return err('there is no configuration yet: apply a stapes.jsonc first')
  const pauses = changePauses(stored, change, now)
  if (!pauses.ok) return pauses
  const changed: StoredConfig = { ...stored, pauses: pauses.value }
  await writeConfig(state, changed)
  await wake(state, now)
  return ok(changed)
}
