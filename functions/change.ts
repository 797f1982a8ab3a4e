/**
 * A change requested by chat or over the API. Its plan is checked and recorded before anything happens; then the
 * engine performs that plan, as it does for the cron trigger.
 */
import { type AuditOutcome, type AuditRecord, recordText, writtenBy } from '../shared/access/audit.ts'
import { deniedKeys, type Permission } from '../shared/access/permit.ts'
import type { Actor } from '../shared/chat/actor.ts'
import { digestText } from '../shared/plan/lines.ts'
import type { Plan } from '../shared/plan/plan.ts'
import { LONGEST_RECORD } from '../shared/relay/protocol.ts'
import type { Action, BackupRequest } from '../shared/work/kinds.ts'
import { isDestructive, startsOf, touchedBy } from '../shared/work/verbs.ts'
import type { ReplyTo } from './chatops/platform.ts'
import { digestOf } from './digest.ts'
import { logRun } from './log-run.ts'
import { type Io, run } from './run.ts'
import { type Audit, type AuditStore, beginAudit, closeAudit } from './state/audit.ts'
import { attemptWrite } from './state/unwritten.ts'
import { wake } from './state/wake.ts'
import { keepWatch } from './state/watches.ts'
import type { Run } from './summary.ts'

export type ChangeRequest = {
  /** Of its audit record; a request that comes twice has the same. */
  id: string
  at: Date
  /** As one would type it. */
  line: string
  request: BackupRequest
  actor: Pick<Actor, 'id' | 'name' | 'place'>
  /** Who requested it, where another person confirms. */
  requester?: Pick<Actor, 'id' | 'name'>
  permission: Permission
  /** Digest of the plan that was confirmed; absent: none was, and a destructive one isn't performed. */
  expected?: string | undefined
  /** Where the outcome of long work is posted; null: it only goes into the audit record. */
  reply: ReplyTo | null
}

/** Why the plan was not performed. */
export type Stop =
  | { code: 'differs' } // from the confirmed plan, or none was confirmed
  | { code: 'denied'; instances: string[] } // the actor's grants don't reach these
  | { code: 'approval' } // a second person has to confirm

export type Changed =
  | { state: 'unconfigured' }
  | { state: 'ran'; run: Extract<Run, { state: 'ran' }> }
  | { state: 'stopped'; stop: Stop }

export async function change(requested: ChangeRequest, io: Io, kv: AuditStore): Promise<Changed> {
  let stopped: Extract<Changed, { state: 'stopped' }> | null = null
  let audit: Audit | null = null
  const unwatched: string[] = []
  const ran = await run({ kind: 'run', at: requested.at, request: requested.request }, io, async (plan) => {
    // Nothing would be performed, so nothing is recorded, and no permission is checked.
    if (plan.refusal !== null || plan.actions.length === 0) return { go: false }
    const digest = await digestOf(digestText(plan))
    const stop = stopOf(requested, plan, digest)
    if (stop !== null) {
      stopped = { state: 'stopped', stop }
      return { go: false }
    }
    audit = await beginAudit(recordOf(requested, digest, touchedBy(plan)), kv)
    unwatched.push(...(await lookAfterLongWork(plan, requested, io)))
    return audit.written ? { go: true } : { go: true, record: recordText(audit.record, LONGEST_RECORD) }
  })
  if (stopped !== null) return stopped
  if (ran.state !== 'ran') return { state: 'unconfigured' }
  logRun(ran, io)
  const unrecorded = audit === null ? [] : await closeAudit(audit, outcomeOf(ran, requested.at), kv)
  return { state: 'ran', run: { ...ran, problems: [...ran.problems, ...unwatched, ...unrecorded] } }
}

/** Noted before it begins: if this Worker dies meanwhile, the next tick still looks for the outcome. */
async function lookAfterLongWork(
  plan: Plan<Action>,
  { id, line, at, actor, requester = actor, reply }: ChangeRequest,
  { state }: Io,
): Promise<string[]> {
  const work = startsOf(plan)
  if (work.length === 0) return []
  const watch = { id, line, by: requester.name, startedAt: at.toISOString(), work }
  const why = await attemptWrite('where to report the end of long work', () => keepWatch(state, watch, reply))
  await wake(state, at)
  return why === null
    ? []
    : [`its end will be reported neither in chat nor in the history, but the status shows it: ${why}`]
}

function stopOf(
  { request, permission, expected, actor, requester }: ChangeRequest,
  plan: Plan<Action>,
  digest: string,
): Stop | null {
  const instances = deniedKeys(permission, touchedBy(plan))
  if (instances.length > 0) return { code: 'denied', instances }
  if (expected === undefined && !isDestructive(request)) return null
  if (plan.approval === 'second' && (requester === undefined || requester.id === actor.id))
    return { code: 'approval' }
  return expected === digest ? null : { code: 'differs' }
}

const recordOf = (
  { id, at, line, actor, requester }: ChangeRequest,
  plan: string,
  instances: string[],
): AuditRecord => ({
  id,
  at: at.toISOString(),
  ...writtenBy(actor),
  ...(requester === undefined || requester.id === actor.id ? {} : { askedBy: requester.id }),
  what: line,
  plan,
  instances,
})

/** The outcome of all actions together: that of the worst one. */
function outcomeOf({ results }: Extract<Run, { state: 'ran' }>, at: Date): AuditOutcome {
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
