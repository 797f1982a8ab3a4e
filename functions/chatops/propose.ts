/** Posts the plan of a destructive change with two buttons, and keeps it pending until it is confirmed. */
import { deniedKeys } from '../../shared/access/permit.ts'
import { visiblePlan } from '../../shared/access/visible.ts'
import { type ConfirmButtons, changedMessage, confirmMessage } from '../../shared/chat/confirm-message.ts'
import type { Message } from '../../shared/chat/message.ts'
import { deniedMessage } from '../../shared/chat/mistake-message.ts'
import { planMessage } from '../../shared/chat/plan-message.ts'
import { nothingConfigured } from '../../shared/command/unconfigured.ts'
import { digestText, linesOf } from '../../shared/plan/lines.ts'
import type { Plan } from '../../shared/plan/plan.ts'
import { minutesFrom } from '../../shared/schedule/moment.ts'
import type { Action, BackupRequest } from '../../shared/work/kinds.ts'
import { touchedBy } from '../../shared/work/verbs.ts'
import { digestOf } from '../digest.ts'
import { planOnly } from '../run.ts'
import { type Pending, writePending } from '../state/pending.ts'
import { type AuthorizedRequest, recordId } from './authorized.ts'
import type { Chat } from './chat.ts'

/** Minutes that a plan stays pending: the requester is present, a second person has to be found. */
const WAITS = { self: 5, second: 30 }

/** `before`: the plan that was confirmed, and has changed since. */
export async function propose(
  authorized: AuthorizedRequest,
  request: BackupRequest,
  { by, before }: { by: Pending['by']; before?: Pending },
  chat: Chat,
): Promise<Message> {
  const { incoming, parsed, permission } = authorized
  const whole = await planOnly({ kind: 'run', at: incoming.at, request }, chat.io)
  if (whole === null) return nothingConfigured()
  const forbidden = deniedKeys(permission, touchedBy(whole))
  if (forbidden.length > 0) return deniedMessage(deniedText(forbidden))
  const plan = visiblePlan(whole, permission)
  if (plan.refusal !== null || plan.actions.length === 0)
    return planMessage(parsed.line, linesOf(plan), { refusal: plan.refusal, to: 'channel' })
  const pending = await pend(plan, authorized, by, chat)
  const kept = await writePending(chat.kv, pending, chat.now())
  const buttons = await buttonsOf(pending, authorized, chat)
  const waiting = { ...pending, buttons, ...(kept === 'here' ? { note: HERE } : {}) }
  return before === undefined ? confirmMessage(waiting) : changedMessage({ ...waiting, before: before.lines })
}

const HERE =
  'KV takes no writes now, so only one process of the Worker knows this plan: if a button says that it is gone, use POST /api/run.'

/** Under its request's id. */
async function pend(
  plan: Plan<Action>,
  { incoming, parsed }: AuthorizedRequest,
  by: Pending['by'],
  { now }: Pick<Chat, 'now'>,
): Promise<Pending> {
  return {
    id: await recordId(incoming),
    line: parsed.line,
    by: { id: by.id, name: by.name, user: by.user },
    approval: plan.approval,
    digest: await digestOf(digestText(plan)),
    lines: linesOf(plan),
    instances: touchedBy(plan),
    until: minutesFrom(now(), WAITS[plan.approval]),
    reply: incoming.reply,
  }
}

async function buttonsOf(
  { id, digest, until }: Pending,
  { incoming }: AuthorizedRequest,
  { confirmations }: Chat,
): Promise<ConfirmButtons> {
  const issue = (verb: 'confirm' | 'cancel') =>
    confirmations.issue({ verb, id, digest, until: new Date(until), place: incoming.actor.place })
  return { confirm: await issue('confirm'), cancel: await issue('cancel') }
}

/** Without their names: the actor may not be allowed to see them either. */
export const deniedText = ({ length }: readonly string[]): string =>
  `your grants don't reach ${length === 1 ? 'an instance' : `${length} instances`} that it is about`
