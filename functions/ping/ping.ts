/** Pings dead man's switches around a tick. None of it ever fails the tick. */
import { isAnyTurn, type Ping, pingsOf, startsOf } from '../../shared/ping/pings.ts'
import { PING_SECRET } from '../../shared/ping/settings.ts'
import type { Plan } from '../../shared/plan/plan.ts'
import { effectiveConfig } from '../../shared/policy/pause.ts'
import type { Policy } from '../../shared/policy/policy.ts'
import type { FoundConfig } from '../../shared/policy/stored.ts'
import type { Action } from '../../shared/work/kinds.ts'
import { verdictIn } from '../api/status.ts'
import { configIn, readText } from '../state/config.ts'
import { readKnown } from '../state/known.ts'
import type { State } from '../state/ledger.ts'
import { addressProblem, secretOf, type Vault } from '../vault.ts'
import { type Outgoing, requestOf } from './request.ts'

export type PingIo = {
  state: State
  now(): Date
  /** Milliseconds within which the next tick comes. */
  again: number
  vault: Vault
  /** Null: it was taken. Else why not, without a secret in it. */
  post(outgoing: Outgoing): Promise<string | null>
  /** An id of this tick. */
  run: string
  log(line: string): void
}

export type Pinger = {
  /** Before what is planned is performed. */
  start(plan: Pick<Plan<Action>, 'actions'>): Promise<void>
  /** After the tick, whatever came of it. */
  end(): Promise<void>
}

export function createPinger(io: PingIo): Pinger {
  let acted: ReadonlySet<string> = new Set()
  /** Null: none has a switch. Most have none, and to parse a configuration costs more than to search it. */
  const read = async (): Promise<{ policies: Policy[]; found: FoundConfig } | null> => {
    const text = await readText(io.state)
    if (text?.includes('PING_') !== true) return null
    const found = configIn(text)
    return { found, policies: found.stored === null ? [] : effectiveConfig(found.stored, io.now()).policies }
  }
  return {
    start: (plan) =>
      quietly(io, async () => {
        acted = new Set(plan.actions.flatMap(policiesOf))
        const known = acted.size === 0 ? null : await read()
        if (known !== null) await sendAll(startsOf(known.policies, acted), io)
      }),
    end: () =>
      quietly(io, async () => {
        const known = await read()
        const now = io.now()
        if (known === null || (acted.size === 0 && !isAnyTurn(known.policies, { now, again: io.again })))
          return
        const seen = await readKnown(io.state, now)
        const verdict = verdictIn(known.found, seen, now)
        await sendAll(pingsOf(known.policies, verdict, { acted, now, again: io.again }), io)
      }),
  }
}

async function quietly({ log }: PingIo, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    log(`pings failed: ${String(cause)}`)
  }
}

/** Copies are wanted by several, the rest is of one, and what mends something is of none. */
const policiesOf = (action: Action): readonly string[] =>
  'policies' in action ? action.policies : 'policy' in action ? [action.policy] : []

async function sendAll(pings: readonly Ping[], io: PingIo): Promise<void> {
  // Uptime Kuma has no start.
  const some = pings.filter(({ state, settings }) => state !== 'start' || settings.type === 'healthchecks')
  await Promise.all(some.map((ping) => send(ping, io)))
}

async function send(ping: Ping, { vault, post, run, log }: PingIo): Promise<void> {
  const form = { names: PING_SECRET, problemOf: addressProblem }
  const secret = secretOf(vault, ping.settings.secret, form)
  const wrong = secret.ok ? await post(requestOf(ping, secret.value, run)) : secret.error
  if (wrong !== null) log(`the ping of policy ${ping.policy} was not taken: ${wrong}`)
}
