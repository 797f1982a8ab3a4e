/**
 * A change that somebody asked for, by whichever door: it is judged by the plan itself, and recorded, before
 * anything happens; then the engine performs that plan, as it does for the cron trigger.
 */
import type { AuditOutcome, AuditRecord } from '../shared/access/audit.ts'
import { beyond, type Permission } from '../shared/access/permit.ts'
import type { Actor } from '../shared/chat/actor.ts'
import type { Ask } from '../shared/plan/ask.ts'
import type { Action, Plan } from '../shared/plan/plan.ts'
import { digestText } from '../shared/plan/render.ts'
import { touchedBy } from '../shared/plan/touched.ts'
import { digestOf } from './digest.ts'
import { type Io, run } from './run.ts'
import { type AuditStore, endAudit, writeAudit } from './state/audit.ts'
import { wake } from './state/wake.ts'
import type { Run } from './summary.ts'

export type Wish = {
  /** Of the record; the same for a request that comes twice. */
  id: string
  at: Date
  /** As one would type it. */
  line: string
  ask: Ask
  actor: Pick<Actor, 'id' | 'name' | 'place'>
  /** Who asked first, where another person confirms. */
  askedBy?: Pick<Actor, 'id'>
  permission: Permission
  /** Digest of the plan that was confirmed; absent: no confirmation is needed. */
  expected?: string
  /** Told of the plan, after it was recorded and before it is performed. */
  begins?(plan: Plan): Promise<void>
}

/** Why the plan was not performed. */
export type Stop =
  | { code: 'differs' } // from the confirmed one
  | { code: 'beyond'; instances: string[] } // what the actor may touch
  | { code: 'approval' } // a second person has to confirm

export type Changed =
  | { state: 'unconfigured' }
  | { state: 'ran'; run: Extract<Run, { state: 'ran' }> }
  | { state: 'stopped'; stop: Stop }

/** What goes on without us. */
const LONG: readonly Action['kind'][] = ['copy', 'restore']

export async function change(wish: Wish, io: Io, kv: AuditStore): Promise<Changed> {
  let stopped: Extract<Changed, { state: 'stopped' }> | null = null
  let record: AuditRecord | null = null
  const ran = await run({ kind: 'run', at: wish.at, ask: wish.ask }, io, async (plan) => {
    // Nothing is performed, and so nothing is accounted for: not even by whoever may not touch what it is about.
    if (plan.refusal !== null || plan.actions.length === 0) return false
    const digest = await digestOf(digestText(plan))
    const stop = stopOf(wish, plan, digest)
    if (stop !== null) {
      stopped = { state: 'stopped', stop }
      return false
    }
    record = recordOf(wish, digest, touchedBy(plan))
    await writeAudit(kv, record)
    await wish.begins?.(plan)
    // Should this Worker not live to note what it began, the next tick looks.
    if (plan.actions.some(({ kind }) => LONG.includes(kind))) await wake(io.state)
    return true
  })
  if (stopped !== null) return stopped
  if (ran.state !== 'ran') return { state: 'unconfigured' }
  if (record !== null) await endAudit(kv, record, outcomeOf(ran, wish.at))
  return { state: 'ran', run: ran }
}

function stopOf({ permission, expected, actor, askedBy }: Wish, plan: Plan, digest: string): Stop | null {
  const instances = beyond(permission, touchedBy(plan))
  if (instances.length > 0) return { code: 'beyond', instances }
  if (expected === undefined) return null
  if (plan.approval === 'second' && (askedBy === undefined || askedBy.id === actor.id))
    return { code: 'approval' }
  return expected === digest ? null : { code: 'differs' }
}

const recordOf = (
  { id, at, line, actor, askedBy }: Wish,
  plan: string,
  instances: string[],
): AuditRecord => ({
  id,
  at: at.toISOString(),
  who: actor.id,
  name: actor.name,
  from: actor.place,
  ...(askedBy === undefined || askedBy.id === actor.id ? {} : { askedBy: askedBy.id }),
  what: line,
  plan,
  instances,
})

/** What came of all actions together: the worst of them names it. */
export function outcomeOf({ results, lines }: Extract<Run, { state: 'ran' }>, at: Date): AuditOutcome {
  const count = (state: (typeof results)[number]['state']) =>
    results.filter((result) => result.state === state).length
  const bad = results.find(({ state }) => state === 'refused' || state === 'blocked')
  const unseen = results.find(({ state }) => state === 'unknown')
  const state =
    bad !== undefined
      ? 'failed'
      : unseen !== undefined
        ? 'unknown'
        : count('started') > 0
          ? 'started'
          : results.length > 0
            ? 'done'
            : 'nothing'
  const total = results.length
  const good = count('done') + count('started')
  const text =
    bad?.reason ??
    unseen?.reason ??
    (total === 0 ? (lines[0]?.reason ?? 'nothing to do') : `${good} of ${total}`)
  return { state, text: text.slice(0, 300), at: at.toISOString() }
}
