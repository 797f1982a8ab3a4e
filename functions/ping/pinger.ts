/** Runs a tick with its pings, from the Worker's bindings and secrets. */

import { COMES_AGAIN } from '../../shared/ledger/beat.ts'
import { beginningOf } from '../beginning.ts'
import type { Env } from '../env.ts'
import { type Io, run, type Trigger } from '../run.ts'
import type { State } from '../state/ledger.ts'
import type { Run } from '../summary.ts'
import { vaultOf } from '../vault.ts'
import { createPinger, type Pinger, type PingIo } from './ping.ts'

/** Milliseconds for a ping. */
const LIMIT = 10_000

export async function runPinged(trigger: Trigger, io: Io, env: Env): Promise<Run> {
  const pinger = pingerOf(env, io.state, trigger, io.id ?? crypto.randomUUID())
  let begun: Promise<void> | null = null
  try {
    return await run(trigger, io, async (plan) => {
      // A slow service must not keep a slot waiting.
      begun = pinger.start(plan)
      return { go: true }
    })
  } finally {
    await begun
    await pinger.end()
  }
}

/** What a person runs stands for its own minute. */
const pingerOf = (env: Env, state: State, { kind, at }: Trigger, run: string): Pinger =>
  createPinger({
    ...{ state, post, run, vault: vaultOf(env), now: () => at },
    again: COMES_AGAIN[kind === 'run' ? 'cron' : kind].again,
    log: (line) => console.error(JSON.stringify({ at: 'ping', run, error: line })),
  })

/** Redirects are not followed: only the address in the secret gets the ping. */
const post: PingIo['post'] = async ({ method, url, body }) => {
  try {
    const response = await fetch(url, {
      ...{ method, redirect: 'manual', signal: AbortSignal.timeout(LIMIT) },
      headers: { 'user-agent': 'stapes' },
      ...(body === undefined ? {} : { body }),
    })
    const said = await beginningOf(response)
    // healthchecks.io says with success, too, that it has no such check: "OK (not found)".
    if (!response.ok) return `it answered ${response.status}`
    return isRefusal(said) ? `it answered ${response.status}, but has no such check or takes no more` : null
  } catch (cause) {
    // Its message may name the address.
    return `no answer (${cause instanceof Error ? cause.name : 'unknown'})`
  }
}

/** healthchecks.io says so with success: "OK (not found)", "OK (rate limited)". */
const isRefusal = (said: string): boolean => said.startsWith('OK (')
