/** Pending plans, which wait for a confirmation. */

import * as z from 'zod/mini'
import type { Actor } from '../../shared/chat/actor.ts'
import type { Line } from '../../shared/plan/line.ts'
import type { Approval } from '../../shared/policy/policy.ts'
import type { ReplyTo } from '../chatops/platform.ts'
import { readJson, replySchema } from './foreign.ts'
import { accept } from './requests.ts'
import { attemptWrite } from './unwritten.ts'

export type Pending = {
  id: string
  /** The command as one would type it: parsed again when it is confirmed. */
  line: string
  by: Pick<Actor, 'id' | 'name' | 'user'>
  approval: Approval
  digest: string
  /** The plan that was shown, to show later what differs. */
  lines: Line[]
  /** Keys of those that it changes. */
  instances: string[]
  /** ISO 8601. */
  until: string
  /** The command's address, for platforms whose buttons have none of their own. */
  reply: ReplyTo
}

const text = z.string()
/** One that this version doesn't know is shown as it is. */
const sign = z.custom<Line['sign']>((value) => typeof value === 'string')

const pendingSchema: z.ZodMiniType<Pending> = z.looseObject({
  id: text,
  line: text,
  by: z.looseObject({ id: text, name: text, user: text }),
  approval: z.enum(['self', 'second']),
  digest: text,
  lines: z.array(z.looseObject({ about: text, sign, what: text, reason: text })),
  instances: z.array(text),
  until: text,
  reply: replySchema,
})

type PendingStore = Pick<KVNamespace, 'get' | 'put' | 'delete'>

const keyOf = (id: string): string => `pending:${id}`

/** Plans that KV didn't take. They can be confirmed only here, as long as this isolate lives. */
const kept = new Map<string, Pending>()

/** `here`: KV takes no writes, so the plan waits in this isolate. */
export async function writePending(kv: PendingStore, pending: Pending, now: Date): Promise<'kv' | 'here'> {
  const expiration = Math.ceil(new Date(pending.until).getTime() / 1000) + 60
  const why = await attemptWrite('a plan that waits for its confirmation', () =>
    kv.put(keyOf(pending.id), JSON.stringify(pending), { expiration }),
  )
  if (why === null) return 'kv'
  for (const [id, { until }] of kept) if (until <= now.toISOString()) kept.delete(id)
  kept.set(pending.id, pending)
  return 'here'
}

/** Null: confirmed, cancelled, out of date, not yet seen here, or not readable. */
export async function readPending(kv: PendingStore, id: string): Promise<Pending | null> {
  const here = kept.get(id)
  if (here !== undefined) return here
  const text = await kv.get(keyOf(id))
  return text === null ? null : readJson(text, pendingSchema)
}

/**
 * Settles a plan: `done` once, as far as KV allows; `before`: it was settled already. `unsure`: KV takes neither
 * a mark that it is settled nor its removal, so it could be settled again.
 */
export async function settlePending(kv: PendingStore, id: string): Promise<'done' | 'before' | 'unsure'> {
  if (kept.delete(id)) return 'done'
  const marked = await accept(kv, `pending:${id}`)
  if (marked === 'known') return 'before'
  const why = await attemptWrite('that a plan is settled', () => kv.delete(keyOf(id)))
  return why === null || marked === 'new' ? 'done' : 'unsure'
}
