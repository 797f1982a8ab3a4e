/**
 * A change that somebody asked for, by whichever door: it is judged by the plan itself, and recorded, before
 * anything happens; then the engine performs that plan, as it does for the cron trigger.
 */
import { type AuditOutcome, type AuditRecord, writtenBy } from '../shared/access/audit.ts'
import { beyond, type Permission } from '../shared/access/permit.ts'
import type { Actor } from '../shared/chat/actor.ts'
import { digestText } from '../shared/plan/lines.ts'
import type { Plan } from '../shared/plan/plan.ts'
import type { Action, BackupRequest } from '../shared/work/kinds.ts'
import { isDestructive, startsOf, touchedBy } from '../shared/work/verbs.ts'
import type { ReplyTo } from './chatops/platform.ts'
import { digestOf } from './digest.ts'
import { logRun } from './log-run.ts'
import { type Io, run } from './run.ts'
import { type AuditStore, endAudit, writeAudit } from './state/audit.ts'
import { wake } from './state/wake.ts'
import { keepWatch } from './state/watches.ts'
import type { Run } from './summary.ts'

export type Wish = {
  /** Of the record; the same for a request that comes twice. */
  id: string
  at: Date
  /** As one would type it. */
  line: string
  request: BackupRequest
  actor: Pick<Actor, 'id' | 'name' | 'place'>
  /** Who asked first, where another person confirms. */
  askedBy?: Pick<Actor, 'id' | 'name'>
  permission: Permission
  /** Digest of the plan that was confirmed; absent: none was, and what is destructive isn't done. */
  expected?: string | undefined
  /** Where the end of long work is told; null: in the record of changes alone. */
  reply: ReplyTo | null
}

/** Why the plan was not performed. */
export type Stop =
  | { code: 'differs' } // from the confirmed one, or nobody has confirmed it
  | { code: 'beyond'; instances: string[] } // what the actor may touch
  | { code: 'approval' } // a second person has to confirm

export type Changed =
  | { state: 'unconfigured' }
  | { state: 'ran'; run: Extract<Run, { state: 'ran' }> }
  | { state: 'stopped'; stop: Stop }

export async function change(wish: Wish, io: Io, kv: AuditStore): Promise<Changed> {
  let stopped: Extract<Changed, { state: 'stopped' }> | null = null
  let record: AuditRecord | null = null
  const ran = await run({ kind: 'run', at: wish.at, request: wish.request }, io, async (plan) => {
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
    await lookAfterLongWork(plan, wish, io)
    return true
  })
  if (stopped !== null) return stopped
  if (ran.state !== 'ran') return { state: 'unconfigured' }
  logRun(ran)
  if (record !== null) await endAudit(kv, record, outcomeOf(ran, wish.at))
  return { state: 'ran', run: ran }
}

/** Noted before it begins: should this Worker not live to note what it began, the next tick looks. */
async function lookAfterLongWork(
  plan: Plan<Action>,
  { id, line, at, actor, askedBy = actor, reply }: Wish,
  { state }: Io,
): Promise<void> {
  const work = startsOf(plan)
  if (work.length === 0) return
  await keepWatch(state, { id, line, by: askedBy.name, startedAt: at.toISOString(), work }, reply)
  await wake(state, at)
}

function stopOf(
  { request, permission, expected, actor, askedBy }: Wish,
  plan: Plan<Action>,
  digest: string,
): Stop | null {
  const instances = beyond(permission, touchedBy(plan))
  if (instances.length > 0) return { code: 'beyond', instances }
  if (expected === undefined && !isDestructive(request)) return null
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
  ...writtenBy(actor),
  ...(askedBy === undefined || askedBy.id === actor.id ? {} : { askedBy: askedBy.id }),
  what: line,
  plan,
  instances,
})

/** What came of all actions together: the worst of them names it. */
export function outcomeOf({ results }: Extract<Run, { state: 'ran' }>, at: Date): AuditOutcome {
  const of = (...states: (typeof results)[number]['state'][]) =>
    results.filter(({ state }) => states.includes(state))
  const [bad] = of('refused', 'blocked')
  const [unseen] = of('unknown')
  const worst = bad ?? unseen
  const good = of('started').length > 0 ? 'started' : 'done'
  const state = worst === undefined ? good : worst === bad ? 'failed' : 'unknown'
  const text = worst?.reason ?? `${of('done', 'started').length} of ${results.length}`
  return { state, text: text.slice(0, 300), at: at.toISOString() }
}
