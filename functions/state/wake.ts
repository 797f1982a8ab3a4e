/** Makes the next tick look, whatever it would have waited for. */
import { minuteOf } from '../../shared/schedule/moment.ts'
import { type State, writeAwake } from './ledger.ts'

/** Null; or why it couldn't: then it is looked at only when something is due. */
export async function wake(state: State, now: Date): Promise<string | null> {
  try {
    await writeAwake(state, minuteOf(now).toISOString())
    return null
  } catch (cause) {
    return String(cause)
  }
}
