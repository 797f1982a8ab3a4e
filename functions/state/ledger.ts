/** The ledger in KV: one key, read by every tick. */
import { dropFuture, wakeAtOf } from '../../shared/ledger/ahead.ts'
import { fitLedger } from '../../shared/ledger/fit.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { type Found, parseLedger } from '../../shared/ledger/parse-ledger.ts'

/** The part of KV that is used, so that tests can pass a stale or failing one. */
export type State = Pick<KVNamespace, 'put'> & { get(key: string): Promise<string | null> }

const KEY = 'ledger'

/** The ledger as stored, parsed when needed: most ticks only check until when nothing is due. */
type Stored = {
  /** Null: something may be due now. */
  idleUntil(now: Date): string | null
  read(now: Date): Found
}

export async function openLedger(state: State): Promise<Stored> {
  const value = await readRaw(state)
  return {
    idleUntil: (now) => wakeAtOf(value, now),
    read: (now) => (value === undefined ? { ledger: null, lost: [] } : dropFuture(parseLedger(value), now)),
  }
}

export const readLedger = async (state: State, now: Date): Promise<Found> =>
  (await openLedger(state)).read(now)

/** Undefined: there is none. Null: it isn't JSON. */
async function readRaw(state: State): Promise<unknown> {
  const text = await state.get(KEY)
  if (text === null) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

export const writeLedger = (state: State, ledger: Ledger): Promise<void> => state.put(KEY, fitLedger(ledger))

/** A ledger that can't be read isn't overwritten: the next tick observes anyway, and reports it. */
export async function writeAwake(state: State, awake: Pick<Ledger, 'wakeAt' | 'woken'>): Promise<void> {
  const value = await readRaw(state)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  await state.put(KEY, JSON.stringify({ ...value, ...awake }))
}
