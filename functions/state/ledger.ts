/** The notebook in KV: one key, read by every tick. */
import type { Ledger } from '../../shared/ledger/ledger.ts'

/** What of KV is used, so that a stale or failing one can stand in. */
export type State = Pick<KVNamespace, 'put'> & { get(key: string): Promise<string | null> }

const KEY = 'ledger'

/** A ledger that can't be read counts as lost: it is made again from Incus. */
export async function readLedger(state: State): Promise<Ledger | null> {
  const text = await state.get(KEY)
  if (text === null) return null
  try {
    const ledger = JSON.parse(text) as Partial<Ledger>
    const whole =
      typeof ledger.wakeAt === 'string' && ledger.policies !== undefined && ledger.copies !== undefined
    return whole ? (ledger as Ledger) : null
  } catch {
    return null
  }
}

export const writeLedger = (state: State, ledger: Ledger): Promise<void> =>
  state.put(KEY, JSON.stringify(ledger))
