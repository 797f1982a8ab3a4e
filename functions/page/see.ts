/** Looks at one subject: what Incus has now, and what a run would do; one call to the relay for both. */

import { nearTo } from '../../shared/page/near.ts'
import type { Line } from '../../shared/plan/line.ts'
import { linesOf } from '../../shared/plan/lines.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { nextSlot } from '../../shared/schedule/slots.ts'
import type { Relay } from '../incus/relay.ts'
import { type Io, type Look, look, planOnly } from '../run.ts'

export type SeenNow = {
  look: Look
  /** Of a run now. */
  lines: Line[]
  /** Of the run at the next slot, if nothing changes until then; null: there is none. */
  next: { at: string; lines: Line[] } | null
}

/** Milliseconds for which somebody waits for a page. What a server hasn't said by then is unknown. */
const PATIENCE = 20_000

/** Null: no configuration is applied. */
export async function seeSubject(key: string, io: Io, now: Date): Promise<SeenNow | null> {
  const near: Io = { ...io, relay: nearRelay(key, io.relay) }
  const seen = await look(near, now)
  if (seen === null) return null
  const next = nextOf(seen.coverages, now)
  return {
    look: seen,
    lines: await planAt(now, near),
    next: next === null ? null : { at: next.toISOString(), lines: await planAt(next, near) },
  }
}

async function planAt(at: Date, io: Io): Promise<Line[]> {
  const plan = await planOnly({ kind: 'run', at }, io)
  return plan === null ? [] : linesOf(plan)
}

function nextOf(coverages: Look['coverages'], now: Date): Date | null {
  const slots = coverages.flatMap(({ policy, covered }) => {
    const next = policy.paused || covered.length === 0 ? null : nextSlot({ ...policy, after: now })
    return next === null ? [] : [next.getTime()]
  })
  return slots.length === 0 ? null : new Date(Math.min(...slots))
}

/** The inventory is asked for once, and cut to what is about the subject. */
function nearRelay(key: string, relay: Relay): Relay {
  const known = new Map<string, ReturnType<Relay['inventory']>>()
  return {
    ...relay,
    inventory(request) {
      const of = JSON.stringify(request)
      const reply = known.get(of) ?? patiently(relay.inventory({ ...request, within: PATIENCE * 0.8 }))
      known.set(of, reply)
      return reply.then((answer) => (answer.ok ? ok(nearTo(key, answer.value)) : answer))
    },
  }
}

function patiently<T>(work: Promise<Result<T, CallError>>): Promise<Result<T, CallError>> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<Result<T, CallError>>((resolve) => {
    const error = { code: 'timeout' as const, message: 'the relay gave no answer in time' }
    timer = setTimeout(() => resolve(err(error)), PATIENCE)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
