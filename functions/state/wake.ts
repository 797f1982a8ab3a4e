/** Makes the next tick observe Incus, whatever `wakeAt` says. */
import { emptyLedger } from '../../shared/ledger/ledger.ts'
import { type State, writeAwake } from './ledger.ts'

/** Null, or why it failed: then the next tick observes only when something is due. */
export async function wake(state: State, now: Date): Promise<string | null> {
  try {
    await writeAwake(state, { wakeAt: emptyLedger('').wakeAt, woken: now.toISOString() })
    return null
  } catch (cause) {
    return String(cause)
  }
}
