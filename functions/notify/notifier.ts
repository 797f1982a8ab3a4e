/** What notifications need, from the Worker's bindings and secrets. */
import type { Sent } from '../../shared/notify/settle.ts'
import { doctor } from '../doctor.ts'
import { type Env, relayProblemOf } from '../env.ts'
import { ioOf } from '../io.ts'
import type { State } from '../state/ledger.ts'
import { retryOnce } from '../state/retry-once.ts'
import { vaultOf } from '../vault.ts'
import { type Notifier, notify } from './notify.ts'
import { post } from './send.ts'

const memory = new Map<string, Sent>()
const unwritten: Notifier['unwritten'] = { open: {} }
const calm: Notifier['calm'] = { read: '', until: 0 }

/** A reader may have read KV right before it was written, and keeps that for a minute. */
const SETTLED = 65_000

/** Milliseconds. Where one process alone uses the state, as in `npm start`, nobody has to wait. */
function settledOf({ KV_SETTLED_MS: given = '' }: Env): number {
  const ms = Number(given)
  return given !== '' && ms >= 0 ? ms : SETTLED
}

/**
 * `known`: KV as the tick before has read it. `waits`: this invocation has the time. Cron triggers have a quarter of an
 * hour, requests have not.
 */
const notifierOf = (env: Env, known: State, now: () => Date, waits: boolean): Notifier => ({
  known,
  ...{
    state: retryOnce(env.STATE),
    vault: vaultOf(env),
    post,
    now,
    settled: settledOf(env),
    memory,
    calm,
    unwritten,
  },
  wait: waits ? (ms) => new Promise((resolve) => setTimeout(resolve, ms)) : null,
  nonce: () => crypto.randomUUID(),
  examine: async () => doctor(await ioOf(env, now), now()),
  wrong: () => {
    const problem = relayProblemOf(env)
    return problem === null ? [] : [problem]
  },
})

/** A failure changes nothing for backups: it is logged, and the next tick tries again. */
export async function notifyAll(env: Env, known: State, now: () => Date, waits: boolean): Promise<void> {
  try {
    await notify(notifierOf(env, known, now, waits))
  } catch (cause) {
    console.error(JSON.stringify({ at: 'notify', error: String(cause) }))
  }
}
